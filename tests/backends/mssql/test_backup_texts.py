"""Statements, places and rows of the backup column, without a server."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec
import pytest
import sqlglot
from hypothesis import given
from hypothesis import strategies as st
from sqlglot import exp

from dbops.backup.fingerprints import Fingerprint
from dbops.errors import InputError, Unsupported, UsageError
from dbops.model.backup import BackupFacts, BackupJob, DatabaseFacts, Depot, Until
from dbops.model.server import Server
from dbops.operations.shelf import until
from dbops.plan import Call, walk
from dbops_mssql.backup import tsql
from dbops_mssql.backup.driver import SQLServerBackup
from dbops_mssql.backup.facts import About, Certificate, Database
from dbops_mssql.backup.fingerprint import row_hash, unchanged
from dbops_mssql.backup.history import records
from dbops_mssql.backup.link import failed, plain
from dbops_mssql.backup.logins import create
from dbops_mssql.backup.media import from_header, usable_device
from dbops_mssql.backup.places import file_name, moved, seen_from
from dbops_mssql.backup.restoring import goal_of
from dbops_mssql.backup.sequence import Goal
from dbops_mssql.backup.sets import BackupSet, DatabaseFile, Kind, Media
from dbops_mssql.quoting import identifier

NOON = datetime(2026, 3, 1, 12)  # noqa: DTZ001  msdb keeps local times
SERVER = Server(engine="mssql", version=(16,), version_text="2022", role="primary", incarnation="7")
SHOP = Database(name="shop", id=5, state="ONLINE", recovery_model="FULL")
ABOUT = About(server="PRIMARY", edition="Standard Edition", engine_edition=2, major=16, zone=0, databases=(SHOP,))
ONE = BackupSet(
    uuid="A",
    database="shop",
    kind=Kind.LOG,
    first_lsn=1,
    last_lsn=2,
    started=NOON,
    finished=NOON,
    zone=60,
    checksums=True,
    media=Media(devices=("D:\\b\\a.trn",), position=3),
)


def job(method: str = "full", **fields: Any) -> BackupJob:
    depot = Depot(
        to=fields.pop("to", ("D:\\b",)), owns_chain=fields.pop("owns", True), certificate=fields.pop("cert", "")
    )
    return BackupJob(
        id="b-1",
        target="shop",
        repository="main",
        method=method,
        started_at=NOON.replace(tzinfo=UTC),
        depot=depot,
        **fields,
    )


def facts(about: About = ABOUT) -> BackupFacts:
    return BackupFacts(
        databases=tuple(DatabaseFacts(name=one.name, bytes=100) for one in about.databases),
        total_bytes=100,
        log_bytes_per_s=0.0,
        extra={"about": msgspec.to_builtins(about)},
    )


def statements(job_: BackupJob, about: About = ABOUT) -> list[str]:
    steps = SQLServerBackup().compile_backup(job_, facts(about), SERVER)
    return [str(one.arguments["sql"]) for one in walk(steps) if isinstance(one, Call) and "sql" in one.arguments]


def test_a_backup_has_checksums_and_leaves_the_chain_of_others_alone() -> None:
    (sql,) = statements(job(owns=False))
    assert sql == (
        "BACKUP DATABASE [shop]\nTO DISK = N'D:\\b\\shop_b-1.bak'\n"
        "WITH COPY_ONLY, CHECKSUM, COMPRESSION, NAME = N'dbops b-1', STATS = 5"
    )


def test_who_owns_the_chain_makes_bases_differentials_and_logs() -> None:
    assert "COPY_ONLY" not in statements(job())[0]
    assert "WITH DIFFERENTIAL, CHECKSUM" in statements(job("differential"))[0]
    assert statements(job("log"))[0].startswith("BACKUP LOG [shop]\nTO DISK = N'D:\\b\\shop_b-1.trn'\nWITH CHECKSUM")


def test_a_tail_is_asked_for_by_name_and_takes_what_damage_left() -> None:
    with pytest.raises(UsageError, match="takes the database offline"):
        statements(job("tail"))
    (sql,) = statements(job("tail", databases=("shop",)))
    assert "WITH NORECOVERY, CHECKSUM" in sql
    suspect = msgspec.structs.replace(ABOUT, databases=(msgspec.structs.replace(SHOP, state="SUSPECT"),))
    assert "NORECOVERY, NO_TRUNCATE, CONTINUE_AFTER_ERROR" in statements(job("tail", databases=("shop",)), suspect)[0]


def test_a_backup_of_damaged_pages_says_so_at_once() -> None:
    """CONTINUE_AFTER_ERROR ends well, and the set cannot be relied on."""
    damaged = msgspec.json.encode(msgspec.structs.replace(ONE, damaged=True)).decode()
    asked = job("tail", databases=("shop",))
    made = SQLServerBackup().read_made(asked, facts(), SERVER, {"backup-5": {"set": damaged}})
    assert any("is damaged: the server found damage when it was made" in note for note in made.notes)
    whole = msgspec.json.encode(ONE).decode()
    assert SQLServerBackup().read_made(asked, facts(), SERVER, {"backup-5": {"set": whole}}).notes == ()


def test_a_certificate_encrypts_and_its_name_is_quoted() -> None:
    (sql,) = statements(job(cert="Key ]1"))
    assert "ENCRYPTION (ALGORITHM = AES_256, SERVER CERTIFICATE = [Key ]]1])" in sql


def test_object_storage_gets_large_parts_and_no_position() -> None:
    (sql,) = statements(job(to=("s3://store/bucket",)))
    assert "TO URL = N's3://store/bucket/shop_b-1.bak'" in sql
    assert "MAXTRANSFERSIZE = 20971520" in sql
    there = msgspec.structs.replace(ONE, media=Media(devices=("s3://store/a.trn",)))
    assert "FILE = " not in tsql.restore(there, tsql.into("copy"))


@pytest.mark.parametrize(
    ("about", "to", "said"),
    [
        ({"major": 15}, ("s3://store/b",), "takes SQL Server 2022 or newer"),
        ({"engine_edition": 4}, ("s3://store/b",), "not its edition Express"),
        ({"engine_edition": 8}, ("D:\\b",), "Managed Instance writes backups to URLs alone"),
    ],
)
def test_what_this_server_cannot_is_refused(about: dict[str, Any], to: tuple[str, ...], said: str) -> None:
    with pytest.raises(Unsupported, match=said):
        statements(job(to=to), msgspec.structs.replace(ABOUT, **about))


def test_express_writes_uncompressed_and_does_not_encrypt() -> None:
    express = msgspec.structs.replace(ABOUT, engine_edition=4, edition="Express Edition")
    assert "NO_COMPRESSION" in statements(job(), express)[0]
    with pytest.raises(Unsupported, match="Express Edition does not encrypt backups"):
        statements(job(cert="Key"), express)


@pytest.mark.parametrize(
    ("change", "method", "said"),
    [
        ({"state": "RESTORING"}, "full", "cannot be backed up by full: RESTORING"),
        ({"standby": True}, "full", "cannot be backed up by full: STANDBY"),
        ({"recovery_model": "SIMPLE"}, "log", "there is no log to back up"),
        ({"secondary": True}, "differential", "on a secondary replica there are no differential backups"),
        ({"name": "master"}, "differential", "of master there are full backups alone"),
    ],
)
def test_a_database_that_cannot_is_named_with_the_reason(change: dict[str, Any], method: str, said: str) -> None:
    one = msgspec.structs.replace(SHOP, **change)
    about = msgspec.structs.replace(ABOUT, databases=(one,))
    with pytest.raises(UsageError, match=said):
        statements(job(method, databases=(one.name,)), about)


def test_a_secondary_replica_is_copied_only() -> None:
    secondary = msgspec.structs.replace(ABOUT, databases=(msgspec.structs.replace(SHOP, secondary=True),))
    assert "WITH COPY_ONLY" in statements(job(), secondary)[0]


def test_nowhere_to_write_is_told_with_the_key() -> None:
    with pytest.raises(UsageError) as caught:
        statements(job(to=()))
    assert "backup] to = " in (caught.value.hint or "")
    with pytest.raises(UsageError, match="and not both"):
        statements(job(to=("D:\\b", "s3://store/b")))
    with pytest.raises(UsageError, match="longer than the 259 characters"):
        statements(job(to=("s3://store/" + "b" * 250,)))


@given(st.text(min_size=1, max_size=128), st.text(min_size=1, max_size=128))
def test_two_names_never_become_one_file(one: str, other: str) -> None:
    assert (file_name(one) == file_name(other)) == (one == other)


def test_names_that_differ_in_case_alone_are_two_files_on_windows() -> None:
    both = ["Shop", "shop"]
    assert len({file_name(one, both).casefold() for one in both}) == 2
    assert file_name("Shop", ["Shop", "crm"]) == "Shop"


# The parser takes a # in front for a word of its own, also in brackets: a temporary table.
@given(st.text(min_size=1, max_size=40).filter(lambda text: "\0" not in text and not text.startswith("#")))
def test_hostile_names_stay_inside_their_quotes(name: str) -> None:
    found = sqlglot.parse_one(f"SELECT 1 FROM {identifier(name)}", dialect="tsql").find(exp.Table)
    assert found is not None
    assert found.name == name
    assert tsql.recover(name) == f"RESTORE DATABASE [{name.replace(']', ']]')}] WITH RECOVERY"


def test_stopat_is_in_the_time_of_the_server_that_wrote_the_log() -> None:
    sql = tsql.restore(ONE, tsql.into("copy"), Goal(time=datetime(2026, 3, 1, 10, 30, tzinfo=UTC)))
    assert "RESTORE LOG [copy]\nFROM DISK = N'D:\\b\\a.trn'\nWITH NORECOVERY, FILE = 3" in sql
    assert "STOPAT = N'2026-03-01T11:30:00.000'" in sql
    assert "STOPBEFOREMARK = 'lsn:37'" in tsql.restore(ONE, tsql.into("copy"), Goal(lsn=37))


def test_the_other_instance_sees_other_paths() -> None:
    paths = {"D:\\": "/mnt/d/", "d:\\b\\": "/mnt/backup/"}
    assert seen_from("D:\\b\\x\\a.trn", paths) == "/mnt/backup/x/a.trn"
    assert seen_from("E:\\a.trn", paths) == "E:\\a.trn"
    assert "FROM DISK = N'/mnt/backup/a.trn'" in tsql.verify_only(ONE, paths)


def test_every_file_gets_a_new_place() -> None:
    data = DatabaseFile(number=1, name="shop", path="D:\\data\\shop.mdf")
    log = DatabaseFile(number=2, name="shop_log", path="/var/opt/mssql/shop.ldf", kind="L")
    assert moved(data, "copy", "", "") == "D:\\data\\copy_1.mdf"
    assert moved(log, "copy", "E:\\d", "") == "/var/opt/mssql/copy_2.ldf"
    assert moved(log, "copy", "", "L:\\log") == "L:\\log\\copy_2.ldf"


def test_a_backup_without_checksums_is_verified_without() -> None:
    assert "NO_CHECKSUM" in tsql.verify_only(msgspec.structs.replace(ONE, checksums=False), {})
    assert (
        tsql.header("FILELISTONLY", ("D:\\a.bak",), 2) == "RESTORE FILELISTONLY FROM DISK = N'D:\\a.bak' WITH FILE = 2"
    )
    assert (
        tsql.check_database("a'b", full=False)
        == "DBCC CHECKDB (N'a''b') WITH NO_INFOMSGS, ALL_ERRORMSGS, PHYSICAL_ONLY"
    )
    assert tsql.standby("copy", "D:\\undo") == "RESTORE DATABASE [copy] WITH STANDBY = N'D:\\undo'"


def test_the_undo_file_lies_beside_the_data() -> None:
    data = DatabaseFile(number=1, name="shop", path="D:\\data\\shop.mdf")
    with_files = msgspec.structs.replace(ONE, files=(data,))
    assert tsql.undo_file(with_files, tsql.into("copy")) == "D:\\data\\copy_undo.tuf"
    assert tsql.undo_file(with_files, tsql.into("co_py", data="/mnt/d")) == "/mnt/d/co_py_undo.tuf"
    assert tsql.undo_file(ONE, tsql.into("copy", data="/mnt/d")) == "/mnt/d/copy_undo.tuf"


def test_a_log_moves_only_the_files_that_came_with_it() -> None:
    """MOVE in RESTORE LOG is for files that were added in the time that the log covers."""
    files = tuple(DatabaseFile(number=number, name=f"f{number}", path=f"D:\\{number}.ndf") for number in (1, 3))
    sql = tsql.restore(msgspec.structs.replace(ONE, files=files), tsql.into("copy"), made={1, 2})
    assert "MOVE N'f3' TO" in sql
    assert "MOVE N'f1'" not in sql


@pytest.mark.parametrize(
    ("text", "number"),
    [("37000000012300001", 37000000012300001), ("00000025:0000007b:0001", 37 * 10**15 + 123 * 10**5 + 1)],
)
def test_a_log_sequence_number_is_read_as_people_have_it(text: str, number: int) -> None:
    assert goal_of(until(text)) == Goal(lsn=number)


def test_a_position_of_another_engine_is_refused() -> None:
    with pytest.raises(InputError, match="is no log sequence number of SQL Server"):
        goal_of(Until(kind="position", value="0/3000148"))


HEADER = {
    "BackupName": "nightly",
    "BackupType": 2,
    "Position": 2,
    "DeviceType": 102,
    "UserName": "sa",
    "ServerName": "PRIMARY",
    "DatabaseName": "shop",
    "BackupSize": 100,
    "FirstLSN": 1,
    "LastLSN": 9,
    "CheckpointLSN": 1,
    "BackupStartDate": NOON,
    "BackupFinishDate": NOON,
    "SoftwareVendorId": 4608,
    "SoftwareVersionMajor": 16,
    "SoftwareVersionMinor": 0,
    "SoftwareVersionBuild": 4135,
    "BindingID": UUID(int=5),
    "RecoveryForkID": UUID(int=2),
    "FamilyGUID": UUID(int=3),
    "HasBulkLoggedData": False,
    "IsSnapshot": False,
    "HasBackupChecksums": True,
    "IsDamaged": False,
    "BeginsLogChain": True,
    "HasIncompleteMetaData": False,
    "IsForceOffline": False,
    "IsCopyOnly": False,
    "FirstRecoveryForkID": UUID(int=1),
    "ForkPointLSN": 4,
    "RecoveryModel": "FULL",
    "DifferentialBaseLSN": None,
    "DifferentialBaseGUID": UUID(int=0),
    "BackupSetGUID": UUID(int=4),
    "CompressedBackupSize": 50,
    "EncryptorThumbprint": b"\x01\xff",
}


def test_a_header_says_what_msdb_says_but_for_the_time_zone() -> None:
    found = from_header(HEADER, (), {"FamilyCount": 2}, ("D:\\a", "D:\\b"))
    assert (found.kind, found.first_lsn, found.last_lsn, found.fork_point_lsn) == (Kind.LOG, 1, 9, 4)
    assert (found.zone, found.base, found.encryptor) == (None, "", "0x01FF")
    assert found.media == Media(devices=("D:\\a", "D:\\b"), families=2, position=2)
    assert found.first_fork != found.last_fork
    assert usable_device(HEADER)
    assert not usable_device({**HEADER, "SoftwareVendorId": 7})


LOGIN = {
    "name": "ann]",
    "type": "S",
    "is_disabled": True,
    "default_database_name": "shop",
    "sid": "0x01",
    "password_hash": "0x0200AA",
    "is_policy_checked": True,
    "is_expiration_checked": False,
}


def test_logins_come_back_with_their_sids_and_hashes() -> None:
    assert list(create(LOGIN)) == [
        (
            "CREATE LOGIN [ann]]] WITH PASSWORD = 0x0200AA HASHED, SID = 0x01, DEFAULT_DATABASE = [shop], "
            "CHECK_POLICY = ON, CHECK_EXPIRATION = OFF;"
        ),
        "ALTER LOGIN [ann]]] DISABLE;",
    ]
    assert "its hash could not be read" in next(create({**LOGIN, "password_hash": None}))
    assert next(create({**LOGIN, "type": "U"})) == "CREATE LOGIN [ann]]] FROM WINDOWS WITH DEFAULT_DATABASE = [shop];"


def test_the_recipe_names_what_no_backup_of_a_database_holds() -> None:
    master = Database(name="master", id=1, state="ONLINE", recovery_model="SIMPLE")
    certificates = (Certificate(name="TDE", thumbprint="0x01", saved=False),)
    about = msgspec.structs.replace(ABOUT, databases=(master, SHOP), certificates=certificates)
    told = SQLServerBackup().recipe(job(), facts(about), SERVER)
    for words in ("RESTORE HEADERONLY", "WITH STANDBY", "BACKUP CERTIFICATE [TDE]", "single-user mode", "logins.sql"):
        assert words in told
    assert "BACKUP LOG [shop]" in told
    assert "BACKUP LOG [master]" not in told


def test_tables_that_changed_meanwhile_are_not_compared() -> None:
    before = (Fingerprint("dbo.a", rows=1, hash="1"), Fingerprint("dbo.b", rows=1, hash="2"), Fingerprint("dbo.gone"))
    after = (Fingerprint("dbo.a", rows=1, hash="1"), Fingerprint("dbo.b", rows=2, hash="3"), Fingerprint("dbo.new"))
    found = {one.name: one.skipped for one in unchanged(before, after)}
    assert found == {"dbo.a": "", "dbo.b": "rewritten", "dbo.gone": "rewritten", "dbo.new": "rewritten"}


def test_what_json_cannot_carry_is_hashed_as_bytes() -> None:
    sql = row_hash("[dbo].[t]", {"a]": "float", "b": "xml", "c": "sql_variant", "d": "int"})
    assert "CONVERT(varbinary(max), t.[a]]]) AS [c0]" in sql
    assert "CONVERT(nvarchar(max), t.[b]) AS [c1]" in sql
    assert sqlglot.parse_one(sql, dialect="tsql").find(exp.Table)


def test_the_words_of_the_server_are_left_of_what_odbc_says() -> None:
    said = "[42000] [Microsoft][ODBC Driver 18 for SQL Server][SQL Server]Cannot open [it]. (3201) (SQLExecDirectW)"
    assert plain(said) == "Cannot open [it]. (3201)"
    bare = "Driver Error: Syntax error or access violation; DDBC Error: [Microsoft][SQL Server][shop] is in use."
    assert plain(bare) == "[shop] is in use."


def test_all_messages_of_one_exception_are_told_once_each() -> None:
    """pyodbc on Windows; elsewhere it hands over the first error alone, which is the cause."""
    source = "[Microsoft][ODBC Driver 18 for SQL Server][SQL Server]"
    both = (
        f"[42000] {source}Cannot open backup device 'D:\\a;b'. Operating system error 5. (3201) (SQLExecDirectW); "
        f"[42000] {source}BACKUP DATABASE is terminating abnormally. (3013)"
    )
    found = failed("mssql://db1", Exception("42000", both), ["5 percent processed."])
    assert found.message == (
        "mssql://db1: 5 percent processed.; Cannot open backup device 'D:\\a;b'. Operating system error 5. (3201); "
        "BACKUP DATABASE is terminating abnormally. (3013)"
    )
    assert found.reason == "environment"


def test_backups_that_end_in_one_second_keep_their_order() -> None:
    base = msgspec.structs.replace(ONE, uuid="Z", kind=Kind.FULL, first_lsn=1, last_lsn=3, checkpoint_lsn=1)
    log = msgspec.structs.replace(ONE, uuid="A", first_lsn=1, last_lsn=9)
    known = tuple(records([log, base], (), SERVER))
    found = SQLServerBackup().sequence(known, Until(), ["shop"])
    assert [one.method for one in found.chain] == ["full", "log"]
