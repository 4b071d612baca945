"""Physical backups of MySQL and MariaDB: what keeps them from being made, how they are made, what is recorded."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, cast

import msgspec
import pytest

from dbops.errors import InputError, ToolFailed, UsageError
from dbops.model.backup import (
    Artifact,
    BackupFacts,
    BackupJob,
    BackupRecord,
    Chain,
    Custody,
    DatabaseFacts,
    Destination,
    LogRange,
    Until,
    Verdict,
)
from dbops.model.finding import Missing
from dbops.model.server import Server, Tool
from dbops.plan import Call, FromServer, Hold, Json, Risk, Step, ToCommand, Transfer, walk
from dbops.spi import Backend
from dbops.testing.contracts import BackupSample, OfflineLaws
from dbops_mysql import mariadb, mysql
from dbops_mysql.backup import copying
from dbops_mysql.backup.answers import answer, bad, good
from dbops_mysql.backup.artifacts import Contents, contents
from dbops_mysql.backup.copied import Copied, locks, needed
from dbops_mysql.backup.facts import About, Database
from dbops_mysql.backup.files import Files, Plugin
from dbops_mysql.backup.log_range import position_of, range_of
from dbops_mysql.installation import Family

NOW = datetime(2026, 1, 31, 3, tzinfo=UTC)
VERSIONS: Mapping[Family, tuple[int, ...]] = {"mysql": (9, 7, 4), "mariadb": (10, 11, 19)}
BACKENDS: Mapping[Family, Backend] = {"mysql": mysql, "mariadb": mariadb}
CLONE = Plugin(name="clone", status="ACTIVE", type="CLONE", library="mysql_clone.so")
BINLOG = {"gtid_executed": "u:1-5,\nv:1-7", "binary_log_file": "binlog.000001", "binary_log_position": 1553}


def server(family: Family, version: tuple[int, ...] = ()) -> Server:
    number = version or VERSIONS[family]
    return Server(
        engine=family,
        version=number,
        version_text=".".join(map(str, number)),
        role="primary",
        incarnation="i",
        user="u@h",
    )


def plain(value: object) -> Json:
    made: Json = msgspec.to_builtins(value)
    return made


def facts(
    family: Family, files: Files | None = None, *, rights: Sequence[str] = ("ALL PRIVILEGES",), tool: bool | None = None
) -> BackupFacts:
    """``tool``: the copying program is there (MariaDB) or not (MySQL) unless it is said."""
    there = family == "mariadb" if tool is None else tool
    program = Tool(name="copy", path="/bin/tool", version=VERSIONS[family])
    about = About(family=family, series=VERSIONS[family][:2], login="u@h", binlog=True, rights=tuple(rights))
    known = files or Files(datadir="/var/lib/mysql", owner="mysql", user="root", bytes=5000, plugins=(CLONE,))
    shop = msgspec.to_builtins(Database(name="shop", charset="utf8mb4", collation="utf8mb4_bin", tables=2))
    return BackupFacts(
        databases=(DatabaseFacts(name="shop", bytes=100, extra={k: v for k, v in shop.items() if k != "name"}),),
        total_bytes=5000,
        log_bytes_per_s=1.0,
        settings={"innodb_page_size": "8192", "lower_case_table_names": "1", "innodb_undo_tablespaces": "3"},
        tools={"copy": program if there else Missing("tool_missing", "no")},
        extra={"about": plain(about), "files": plain(known)},
    )


def job(family: Family, **more: Any) -> BackupJob:  # Any: whatever BackupJob takes
    given = {"id": "b-1", "target": "shop", "repository": "main", "method": "physical", "started_at": NOW, **more}
    return BackupJob(**given)


def reasons(family: Family, found: BackupFacts, version: tuple[int, ...] = ()) -> str:
    (way,) = [one for one in cast(Any, BACKENDS[family].backup).ways if one.method.name == "physical"]  # Any: a Way
    about = msgspec.convert(found.extra["about"], type=About)
    return "\n".join(one.reason for one in way.blockers(found, about, server(family, version)))


def remarks(family: Family, found: BackupFacts, version: tuple[int, ...] = ()) -> str:
    (way,) = [one for one in cast(Any, BACKENDS[family].backup).ways if one.method.name == "physical"]  # Any: a Way
    about = msgspec.convert(found.extra["about"], type=About)
    return "\n".join(way.remarks(found, about, server(family, version)))


def steps(family: Family, found: BackupFacts, **more: Any) -> tuple[Step, ...]:  # Any: whatever BackupJob takes
    return BACKENDS[family].backup.compile_backup(job(family, **more), found, server(family))


# What keeps it from being made


def test_nothing_does_on_a_server_that_has_everything() -> None:
    assert reasons("mariadb", facts("mariadb")) == ""
    assert reasons("mysql", facts("mysql")) == ""


def test_a_server_elsewhere_is_told_with_where_it_is() -> None:
    far = Files(datadir="/var/lib/mysql", unreadable="the server runs on db1 and dbops on laptop: run dbops there")
    for family in BACKENDS:
        assert "the server runs on db1 and dbops on laptop" in reasons(family, facts(family, far))


def test_missing_rights_are_named_with_the_text_that_gives_them() -> None:
    said = reasons("mariadb", facts("mariadb", rights=("RELOAD", "BINLOG MONITOR")))
    assert said == "u@h lacks PROCESS on *.*: run what `dbops grants mariadb --for backup` prints"
    assert "lacks BACKUP_ADMIN" in reasons("mysql", facts("mysql", rights=("PROCESS",)))
    percona = reasons("mysql", facts("mysql", rights=("PROCESS", "BACKUP_ADMIN"), tool=True))
    assert "lacks RELOAD, LOCK TABLES, REPLICATION CLIENT" in percona


def test_mariadb_needs_its_program() -> None:
    assert reasons("mariadb", facts("mariadb", tool=False)) == "no"
    with pytest.raises(ToolFailed):
        steps("mariadb", facts("mariadb", tool=False))


def test_without_the_plugin_mysql_says_the_statement_that_brings_it() -> None:
    bare = Files(datadir="/d", owner="mysql", user="root", bytes=1)
    assert "INSTALL PLUGIN clone SONAME 'mysql_clone.so'" in reasons("mysql", facts("mysql", bare))
    off = msgspec.structs.replace(bare, plugins=(msgspec.structs.replace(CLONE, status="DISABLED"),))
    assert "the plugin clone is DISABLED: start the server with --clone=ON" in reasons("mysql", facts("mysql", off))
    assert "has no CLONE (8.0.17 has)" in reasons("mysql", facts("mysql"), (8, 0, 16))
    assert reasons("mysql", facts("mysql", bare, tool=True)) == ""


def test_what_a_clone_would_leave_out_is_refused_not_lost() -> None:
    odd = Files(
        datadir="/d", owner="mysql", user="ada", bytes=1, plugins=(CLONE,), outside=("/x/t.ibd",),
        left_empty=tuple(f"shop.m{number}" for number in range(7)),
    )  # fmt: skip
    said = reasons("mysql", facts("mysql", odd))
    assert "the clone belongs to mysql: run dbops as mysql or as root" in said
    assert "CLONE cannot copy what is outside of the data directory: /x/t.ibd" in said
    assert "would come back empty: shop.m0, shop.m1, shop.m2, shop.m3, shop.m4 … and 2 more" in said


def test_what_a_plan_says_beside() -> None:
    tight = Files(datadir="/d", owner="mysql", user="root", bytes=10, free_bytes=5, encrypted=("a",), plugins=(CLONE,))
    said = remarks("mysql", facts("mysql", tight))
    assert "1 tablespaces are encrypted" in said
    assert "there is no room for it" in said
    assert "TRUNCATE of a table waits" in remarks("mysql", facts("mysql"), (8, 0, 26))
    assert "waits" not in remarks("mysql", facts("mysql"))


# How it is made


def test_mariadb_streams_its_files() -> None:
    configuration, copy = steps("mariadb", facts("mariadb"), parallel=3, recipients=("age1",))
    assert isinstance(configuration, Transfer)
    assert isinstance(copy, Transfer)
    assert copy.source == FromServer(
        stream="copy",
        arguments={"family": "mariadb", "tool": "/bin/tool", "datadir": "/var/lib/mysql", "parallel": 3},
    )
    assert [one.name for one in copy.filters] == ["zstd", "age"]
    assert cast(Any, copy.sink).artifact == "base.xbstream"  # Any: one of several sinks


def test_mysql_clones_beside_its_data_directory_or_where_it_is_told() -> None:
    for staging, expected in (("", "/var/lib"), ("/srv/copies", "/srv/copies")):
        _, hold = steps("mysql", facts("mysql"), staging=staging)
        assert isinstance(hold, Hold)
        assert hold.opening.arguments == {"staging": expected, "owner": "mysql", "need_bytes": 5000}
        assert expected in hold.summary
        assert {step.risk for step in walk((hold,))} == {Risk.READ}


def test_mysql_prefers_percona_s_program_where_it_is() -> None:
    _, copy = steps("mysql", facts("mysql", tool=True))
    assert isinstance(copy, Transfer)
    assert cast(Any, copy.source).stream == "copy"  # Any: one of several sources


# What is recorded

COPIED = {
    "files": 7, "file_bytes": 900, "held": '{"BLOCK_COMMIT":0.2,"START":3}', "frozen_at": NOW.isoformat(),
    "binlog_info": "binlog.000001\t986\t0-1-4\n", "objects": '{"tables":{"shop":2}}',
    "checkpoints": "backup_type = full-backuped\nfrom_lsn = 0\nto_lsn = 47047\nlast_lsn = 49325\n",
}  # fmt: skip


def test_a_streamed_copy_tells_position_locks_and_where_the_next_would_begin() -> None:
    made = mariadb.backup.read_made(job("mariadb"), facts("mariadb"), server("mariadb"), {"copy": COPIED})
    assert made.consistent_at == NOW
    assert made.log == LogRange(unit="gtid", start="0-1-4", end="0-1-4")
    assert made.tools == {"mariadb-backup": "10.11.19"}
    assert "commits waited for up to 0.2 s" in made.notes
    known = msgspec.convert(made.extra, type=Contents)
    assert known.copied is not None
    assert known.copied.lsn == {"from_lsn": 0, "to_lsn": 47047, "last_lsn": 49325}
    assert (known.copied.files, known.copied.bytes, known.copied.how) == (7, 900, "mariadb-backup")
    assert known.copied.objects == {"tables": {"shop": 2}}
    assert known.settings["innodb_page_size"] == "8192"


def test_a_clone_tells_between_which_positions_it_is() -> None:
    logs = [
        msgspec.json.encode(
            {
                "binlog": json.dumps({**BINLOG, "binary_log_position": offset}),
                "engines": json.dumps({"InnoDB": {"LSN": 19459425, "LSN_checkpoint": 1}}),
            }
        ).decode()
        for offset in (100, 200)
    ]
    said = {"before": logs[0], "after": logs[1], "frozen_at": NOW.isoformat(), "objects": "{}"}
    outputs: dict[str, dict[str, object]] = {"clone": {**said}, "copy": {"files": 7, "file_bytes": 900}}
    made = mysql.backup.read_made(job("mysql"), facts("mysql"), server("mysql"), outputs)
    assert made.log == LogRange(unit="gtid", start="u:1-5,v:1-7", end="u:1-5,v:1-7")
    known = msgspec.convert(made.extra, type=Contents)
    assert known.copied is not None
    assert (known.copied.how, known.copied.lsn) == ("clone", {"from_lsn": 0, "to_lsn": 19459425})
    unread: dict[str, dict[str, object]] = {**outputs, "clone": {**said, "before": "", "after": ""}}
    assert mysql.backup.read_made(job("mysql"), facts("mysql"), server("mysql"), unread).log is None


def test_a_log_that_ends_elsewhere_is_another_server_s() -> None:
    lsn = copying.lsn_of(str(COPIED["checkpoints"]))
    copying.check_whose(lsn, 49000, 49400)
    copying.check_whose(lsn, None, 49400)
    for before, after in ((50000, 60000), (1000, 2000)):
        with pytest.raises(
            ToolFailed, match=f"ends at 49325, and that of the server went from {before} to {after}"
        ) as no:
            copying.check_whose(lsn, before, after)
        assert no.value.reason == "environment"


def test_encryption_and_what_was_elsewhere_are_noted() -> None:
    keys = Plugin(name="file_key_management", status="ACTIVE", type="ENCRYPTION", library="f.so")
    odd = Files(datadir="/d", owner="m", user="root", encrypted=("a", "b"), outside=("/x/t.ibd",), plugins=(keys,))
    made = mariadb.backup.read_made(job("mariadb"), facts("mariadb", odd), server("mariadb"), {"copy": COPIED})
    assert any("2 tablespaces are encrypted" in note for note in made.notes)
    assert any("come back inside: /x/t.ibd" in note for note in made.notes)
    known = msgspec.convert(made.extra, type=Contents)
    assert known.copied is not None
    assert known.copied.keys == ("file_key_management",)


def test_positions_as_the_programs_write_them() -> None:
    several = position_of("binlog.000003\t197\tu:1-5,\nv:1-7\n")
    assert several is not None
    assert (several.file, several.offset, several.gtids) == ("binlog.000003", 197, "u:1-5,v:1-7")
    assert position_of("") is None
    plain_one = position_of("binlog.000003\t197\n")
    assert range_of(plain_one, plain_one) == LogRange(unit="binlog", start="binlog.000003:197", end="binlog.000003:197")
    assert range_of(None, plain_one) is None


def test_only_what_the_files_need_is_asked_of_a_server() -> None:
    settings = {
        "innodb_page_size": "8192", "lower_case_table_names": "1", "innodb_undo_tablespaces": "3",
        "innodb_data_file_path": "ibdata1:12M;/fast/ibdata2:50M:autoextend", "datadir": "/d", "port": "3306",
    }  # fmt: skip
    assert needed("mariadb", settings) == {
        "innodb_page_size": "8192", "innodb_data_file_path": "ibdata1:12M;ibdata2:50M:autoextend",
        "lower_case_table_names": "1", "innodb_undo_tablespaces": "3",
    }  # fmt: skip
    assert "innodb_undo_tablespaces" not in needed("mysql", settings)


def test_only_locks_that_hold_somebody_up_are_told() -> None:
    assert locks({"START": 3, "BLOCK_DDL": 0.25}) == ["ALTER, DROP and the like waited for up to 0.25 s"]


# Bringing it back


def record(family: Family, how: str, **more: Any) -> BackupRecord:  # Any: whatever Copied takes
    artifact = "base.tar" if how == "clone" else "base.xbstream"
    about = msgspec.convert(facts(family).extra["about"], type=About)
    copied = Copied(
        how=cast(Any, how), artifact=artifact, version=VERSIONS[family], files=7, bytes=900, **more
    )  # Any: How
    known = Contents(about=about, settings={"innodb_page_size": "8192"}, copied=copied)
    return BackupRecord(
        id="b-1",
        target="shop",
        incarnation="i",
        engine=family,
        server_version=server(family).version_text,
        method="physical",
        kind="physical",
        custody=Custody.REPOSITORY,
        location="main",
        started_at=NOW,
        finished_at=NOW + timedelta(minutes=1),
        bytes=1000,
        stored_bytes=300,
        artifacts=tuple(
            Artifact(name=name, bytes=10, stored_bytes=5, sha256=f"sha of {name}")
            for name in (artifact, "configuration.json")
        ),
        extra=cast("dict[str, Json]", plain(known)),
    )


def chain(one: BackupRecord) -> Chain:
    return Chain(repository="main", records=(one,))


def restored(family: Family, one: BackupRecord, destination: Destination) -> list[Step]:
    return list(walk(BACKENDS[family].backup.compile_restore(chain(one), destination, Until(), server(family))))


NEW = Destination(kind="directory", path="/new", tools="/t")


def test_a_stream_is_unpacked_counted_prepared_and_configured() -> None:
    hold, unpack, count, prepare, finish = restored("mariadb", record("mariadb", "mariadb-backup"), NEW)
    assert isinstance(hold, Hold)
    assert hold.opening.arguments == {
        "family": "mariadb", "version": "10.11.19", "program": True, "tools": "/t",
        "need_bytes": 900 + (512 << 20), "path": "/new",
    }  # fmt: skip
    assert isinstance(unpack, Transfer)
    assert isinstance(unpack.sink, ToCommand)
    assert unpack.sink.argv[1:3] == ("-x", "-C")
    assert [cast(Call, one).operation for one in (count, prepare, finish)] == [
        "copy.count",
        "copy.prepare",
        "copy.finish",
    ]
    assert cast(Call, finish).arguments["settings"] == '{"innodb_page_size":"8192"}'


def test_a_clone_needs_no_preparing_and_no_program() -> None:
    every = restored("mysql", record("mysql", "clone"), NEW)
    assert [one.id for one in every] == ["new-directory", "restore-files", "check-files", "restore-finish"]
    assert cast(Hold, every[0]).opening.arguments["program"] is False


def test_a_copy_goes_into_a_directory_and_to_no_other_moment() -> None:
    one = record("mysql", "clone")
    with pytest.raises(UsageError, match="it restores into a new directory"):
        restored("mysql", one, Destination(kind="database", database="shop"))
    with pytest.raises(InputError, match="restores the state of 2026-01-31T03:00:00"):
        mysql.backup.compile_restore(chain(one), NEW, Until(kind="time", time=NOW), server("mysql"))
    strange = msgspec.structs.replace(one, extra={**one.extra, "copied": None})
    with pytest.raises(InputError, match="does not say how its files were copied"):
        restored("mysql", strange, NEW)


def test_a_proof_looks_at_pages_and_every_row_only_when_it_is_to_be_full() -> None:
    scratch = Destination(kind="scratch", path="/scratch")
    backup, one = mariadb.backup, record("mariadb", "mariadb-backup", encrypted=2, keys=("file_key_management",))
    full = list(walk(backup.compile_verify(chain(one), scratch, server("mariadb"), "full")))
    short = list(walk(backup.compile_verify(chain(one), scratch, server("mariadb"), "restore")))
    assert {one.id for one in full} - {one.id for one in short} == {"check-pages"}
    assert cast(Hold, full[0]).opening.arguments["keys"] == "file_key_management"
    assert next(cast(Call, one) for one in full if one.id == "check-tables").arguments["extended"] is True
    assert next(cast(Call, one) for one in short if one.id == "check-tables").arguments["extended"] is False


def test_evidence_is_what_the_steps_said() -> None:
    one = record("mariadb", "mariadb-backup")
    outputs = {
        "restore-start": {"log": "x"},
        "check-files": answer(good("files", "all")),
        "check-tables": answer(bad("tables", "no")),
    }
    found = mariadb.backup.read_evidence(chain(one), "full", outputs)
    assert {check.id: check.verdict for check in found.checks} == {"files": Verdict.VERIFIED, "tables": Verdict.FAILED}
    assert found.recovered_to == one.instant
    assert cast(Missing, found.fingerprints).reason == "not_comparable"
    nothing = mariadb.backup.read_evidence(chain(one), "full", {})
    assert isinstance(nothing.recovered_to, Missing)


@pytest.mark.parametrize(
    ("family", "tool", "word"), [("mariadb", True, "mbstream"), ("mysql", True, "xbstream"), ("mysql", False, "tar")]
)
def test_the_recipe_names_the_programs_and_the_settings(family: Family, tool: bool, word: str) -> None:
    text = BACKENDS[family].backup.recipe(job(family, recipients=("age1x",)), facts(family, tool=tool), server(family))
    assert f"{word} -x" in text
    assert "innodb_page_size=8192" in text
    assert "age -d -i key.txt" in text
    assert ("--prepare" in text) == (word != "tar")


def test_a_manifest_of_a_physical_backup_is_read_back() -> None:
    copied = contents(record("mysql", "clone")).copied
    assert copied is not None
    assert copied.version == (9, 7, 4)


# The laws that are about backups, for this method alone


class Laws(OfflineLaws):
    __test__ = False
    family: ClassVar[Family]

    def backups(self, name: str) -> Sequence[BackupSample]:
        hows = ("clone", "xtrabackup") if self.family == "mysql" else ("mariadb-backup",)
        return [
            BackupSample(
                job=job(self.family, target=name),
                facts=facts(self.family, tool=how != "clone"),
                record=record(self.family, how),
                destinations=(NEW,),
            )
            for how in hows
        ]


class MySQLLaws(Laws):
    backend: ClassVar[Backend] = mysql
    servers = (server("mysql"),)
    family = "mysql"


class MariaDBLaws(Laws):
    backend: ClassVar[Backend] = mariadb
    servers = (server("mariadb"),)
    family = "mariadb"


@pytest.mark.parametrize("laws", [MySQLLaws(), MariaDBLaws()], ids=["mysql", "mariadb"])
def test_it_keeps_the_laws_of_backups(laws: Laws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DBOPS_LAW_SECRET", "hunter2-of-the-law")
    laws.test_making_a_backup_changes_nothing_on_the_server()
    laws.test_a_restore_reads_what_was_chosen_and_overwrites_nothing()
    laws.test_an_instant_is_only_promised_where_it_can_be_reached()
    laws.test_compiling_reaches_nothing_and_gives_the_same_twice("semi; colon")
    laws.test_steps_can_be_saved_and_read_again()
    laws.test_no_secret_is_in_any_output()
