"""Sessions with SQL Server by the real drivers: who gets in, what is encrypted, and what happens on bad days."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from dbops.errors import ConfigError, DbopsError, NotPermitted, ReadFailed, Unreachable
from dbops.secrets import Secrets
from dbops.session import SqlReader, connect, from_engine
from dbops.testing.mssql import MssqlServer
from dbops_mssql import backend
from dbops_mssql.driver import choose
from tests.live.mssql.conftest import Place, Start
from tests.simulators.mssql import certificate
from tests.simulators.mssql.answers import Answer, Column, Done, Drop, Message, Rows
from tests.simulators.mssql.certificate import Certificate
from tests.simulators.mssql.scripted import PASSWORD, TOKEN, USER, Scripted, ScriptedSession, hang, rows
from tests.simulators.mssql.server import Server
from tests.simulators.mssql.tds.conversation import Manners
from tests.simulators.mssql.tds.prelogin import Encryption

ONE = {"SELECT 1": rows((1,), a="int")}
SCHEMES = ["mssql", "mssql+mssqlpython"]


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_password_that_is_wrong_is_refused_and_not_repeated(scripted: Start, scheme: str) -> None:
    place = scripted(ONE)
    with (
        pytest.raises(NotPermitted, match="Login failed for user 'scripted'") as caught,
        place.reader(password="hunter2 is wrong", scheme=scheme, TrustServerCertificate="yes"),
    ):
        pass
    assert caught.value.reason == "auth_failed"
    assert "hunter2" not in str(caught.value)


def test_a_password_may_hold_what_connection_strings_are_made_of(scripted: Start, freetds: str) -> None:
    place = scripted(ONE)
    assert set("'{};") <= set(PASSWORD)
    with place.reader() as reader:
        assert reader.scalar("SELECT 1") == 1
    with place.reader(driver=freetds, TrustServerCertificate="yes") as reader:
        assert reader.scalar("SELECT 1") == 1


def test_a_server_sees_who_comes_and_to_which_database(scripted: Start) -> None:
    place = scripted(ONE)
    with place.reader() as reader, reader.database("sh op;]") as other:
        assert other.scalar("SELECT 1") == 1
    assert place.engine.logins == [(USER, "", "dbops"), (USER, "sh op;]", "dbops")]


def test_a_database_that_is_not_there(mssql: MssqlServer) -> None:
    with (
        pytest.raises(Unreachable, match='Cannot open database "nowhere"') as caught,
        connect(backend, mssql.endpoint(database="nowhere"), resolve=Secrets().resolve),
    ):
        pass
    assert caught.value.reason == "unknown_database"


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_certificate_that_nobody_signed_is_refused(scripted: Start, scheme: str) -> None:
    place = scripted(ONE)
    with pytest.raises(Unreachable, match="certificate verify failed") as caught, place.reader(scheme=scheme, x=""):
        pass
    assert caught.value.reason == "certificate_untrusted"
    assert "TrustServerCertificate=yes" in caught.value.hint
    assert place.engine.logins == []


def test_a_certificate_is_verified_with_its_name(
    scripted: Start, certified: Certificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = scripted(ONE)
    monkeypatch.setenv("SSL_CERT_FILE", str(certified.file))
    with place.reader(host="localhost", x="") as reader:
        assert reader.scalar("SELECT 1") == 1
    with place.reader(HostNameInCertificate="localhost") as reader:
        assert reader.scalar("SELECT 1") == 1
    with (
        pytest.raises(Unreachable, match="does not match host name"),
        place.reader(HostNameInCertificate="db1.example"),
    ):
        pass


def test_encryption_is_asked_for_unless_it_is_told_otherwise(scripted: Start) -> None:
    place = scripted(ONE, encryption=Encryption.NOT_SUPPORTED)
    with pytest.raises(Unreachable, match="Encryption not supported"), place.reader():
        pass
    with place.reader(Encrypt="no") as reader:
        assert reader.scalar("SELECT 1") == 1


@pytest.mark.parametrize("server", [Encryption.OFF, Encryption.ON, Encryption.REQUIRED])
@pytest.mark.parametrize("encrypt", ["yes", "no"])
def test_each_side_s_wish_for_encryption_is_kept(scripted: Start, server: Encryption, encrypt: str) -> None:
    place = scripted(ONE, encryption=server)
    with place.reader(Encrypt=encrypt, TrustServerCertificate="yes") as reader:
        assert reader.scalar("SELECT 1") == 1
    assert place.server.encrypted == [encrypt == "yes" or server is Encryption.REQUIRED]


def test_strict_encryption_comes_before_the_first_word(scripted: Start, certified: Certificate) -> None:
    place = scripted(ONE)
    with place.reader(Encrypt="strict", ServerCertificate=str(certified.file)) as reader:
        assert reader.scalar("SELECT 1") == 1
    assert place.server.encrypted == [True]


def test_a_token_of_entra_takes_the_place_of_the_password(scripted: Start) -> None:
    place = scripted(ONE)

    def with_token(token: str) -> AbstractContextManager[SqlReader]:
        way = "ActiveDirectoryAccessToken"
        return place.reader(token, Authentication=way, TrustServerCertificate="yes")

    with with_token(TOKEN) as reader:
        assert reader.scalar("SELECT 1") == 1
    assert [user for user, *_ in place.engine.logins] == ["<token-identified principal>"]
    with pytest.raises(NotPermitted, match="token-identified") as caught, with_token("an.old.one"):
        pass
    assert "an.old.one" not in str(caught.value)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_question_that_takes_too_long_is_stopped_on_the_server_too(scripted: Start, scheme: str) -> None:
    heeded: list[bool] = []

    def slow(session: ScriptedSession) -> Iterator[Answer]:
        yield from hang(session)
        heeded.append(session.cancelled.is_set())

    place = scripted({"slow": slow, **ONE})
    with place.reader(timeout_s=3, scheme=scheme, TrustServerCertificate="yes") as reader:
        with pytest.raises(ReadFailed, match=r"[Tt]imeout expired") as caught:
            reader.tuples("SELECT slow")
        assert caught.value.reason == "timeout"
        assert reader.scalar("SELECT 1") == 1
    assert heeded == [True]


def test_a_server_that_says_nothing_is_given_up(scripted: Start) -> None:
    place = scripted(ONE, silent=True)
    with pytest.raises(Unreachable, match="imeout expired") as caught, place.reader(timeout_s=1):
        pass
    assert caught.value.reason == "timeout"


def test_nobody_listens(scripted: Start) -> None:
    place = scripted(ONE)
    place.server.close()
    with pytest.raises(Unreachable), place.reader(timeout_s=1):
        pass


def cut(_session: ScriptedSession) -> Iterator[Answer]:
    raise Drop


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_connection_that_breaks_is_not_opened_again_behind_our_back(scripted: Start, scheme: str) -> None:
    place = scripted({"DIE": cut, **ONE})
    with place.reader(scheme=scheme, TrustServerCertificate="yes") as reader:
        with pytest.raises(Unreachable) as caught, reader.snapshot():
            reader.tuples("DIE")
        assert caught.value.reason == "connect_failed"
        with pytest.raises(Unreachable, match="the connection broke"):
            reader.scalar("SELECT 1")
    assert len(place.engine.logins) == 1


def test_a_server_that_dies_between_two_questions(scripted: Start) -> None:
    place = scripted(ONE)
    with place.reader() as reader:
        assert reader.scalar("SELECT 1") == 1
        place.server.cut()
        with pytest.raises(Unreachable):
            reader.scalar("SELECT 1")


TERMINATING = Message(3013, 1, 16, "BACKUP DATABASE is terminating abnormally.")


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize(
    "before",
    [
        [],
        [Message(3211, 1, 10, "10 percent processed."), Done(), Message(3211, 1, 10, "20 percent processed."), Done()],
        [Rows((Column("a", "int"),), [(1,)]), Done(1)],
        [Rows((Column("a", "int"),), []), Done(0), Done(3), Message(0, 1, 0, "printed")],
    ],
    ids=["at once", "behind messages", "behind rows", "behind everything"],
)
def test_an_error_behind_other_results_is_not_missed(scripted: Start, scheme: str, before: list[Answer]) -> None:
    place = scripted({"BACKUP": [*before, TERMINATING, Done()]})
    with (
        place.writer(scheme=scheme, TrustServerCertificate="yes") as writer,
        pytest.raises(ReadFailed, match="terminating abnormally"),
    ):
        writer.run("BACKUP DATABASE x TO DISK = N'y'")


def test_what_is_behind_the_rows_is_carried_out_and_the_rows_are_the_first(scripted: Start) -> None:
    done: list[str] = []

    def batch(_session: ScriptedSession) -> Iterator[Answer]:
        yield Message(3211, 1, 10, "10 percent processed.")
        yield Done()
        yield from rows((7,), a="int")
        yield from rows((8,), b="int")
        done.append("all of it")

    with scripted({"BATCH": batch}).reader() as reader:
        assert reader.dicts("BATCH") == [{"a": 7}]
    assert done == ["all of it"]


REASONS = {
    208: ("not_supported_version", ReadFailed, "Invalid object name 'sys.x'."),
    229: ("no_permission", NotPermitted, "The SELECT permission was denied on the object 'x'."),
    300: ("no_permission", NotPermitted, "VIEW SERVER STATE permission was denied on object 'server'."),
    916: ("no_permission", NotPermitted, "The server principal \"a\" is not able to access the database \"b\"."),
    911: ("unknown_database", Unreachable, "Database 'x' does not exist."),
    1222: ("lock_timeout", ReadFailed, "Lock request time out period exceeded."),
    1205: ("deadlock", ReadFailed, "Transaction (Process ID 51) was deadlocked."),
    3201: ("query_failed", ReadFailed, "Cannot open backup device 'x'. Operating system error 3."),
}  # fmt: skip


@pytest.mark.parametrize("number", REASONS)
def test_the_number_of_a_message_says_what_went_wrong(scripted: Start, number: int) -> None:
    reason, kind, said = REASONS[number]
    place = scripted({"WRONG": [Message(number, 1, 13 if number == 1205 else 16, said)]})
    with place.reader() as reader, pytest.raises(kind, match=rf"/: {re.escape(said)} \({number}\)(\n|$)") as caught:
        reader.tuples("WRONG")
    assert isinstance(caught.value, DbopsError)
    assert caught.value.reason == reason


def heard(place: Place) -> list[str]:
    return [sql for sql, _ in place.engine.heard]


def test_a_reader_gives_way_and_a_writer_s_transaction_is_whole(scripted: Start) -> None:
    place = scripted({"^GRANT": [Done()], "^WRONG": [Message(15151, 1, 16, "Cannot find the login 'x'.")]})
    with place.reader() as reader:
        reader.tuples("GRANT 0")
    [settings, _] = heard(place)
    assert "LOCK_TIMEOUT 1000" in settings
    assert "DEADLOCK_PRIORITY LOW" in settings
    assert "LANGUAGE us_english" in settings
    place.engine.heard.clear()
    with place.writer() as writer:
        with writer.transaction():
            writer.run("GRANT 1")
        with pytest.raises(NotPermitted), writer.transaction():
            writer.run("WRONG")
    [settings, *rest] = heard(place)
    assert "XACT_ABORT ON" in settings
    assert "LOCK_TIMEOUT 30000" in settings
    rollback = "IF @@TRANCOUNT > 0 ROLLBACK TRANSACTION"
    assert rest == ["BEGIN TRANSACTION", "GRANT 1", "COMMIT", "BEGIN TRANSACTION", "WRONG", rollback]


def test_an_engine_that_is_handed_in(mssql: MssqlServer) -> None:
    from sqlalchemy import URL, create_engine

    address = mssql.endpoint()
    assert address.password
    url = URL.create(
        "mssql+pyodbc",
        username=address.user,
        password=Secrets().resolve(address.password),
        host=address.host,
        port=address.port,
        database="master",
        query={"driver": choose().name, **address.options},
    )
    engine = create_engine(url, pool_size=1, max_overflow=0)
    with from_engine(backend, engine) as reader:
        assert reader.scalar("SELECT DB_NAME()") == "master"
    with engine.connect() as own:
        assert own.exec_driver_sql("SELECT @@LOCK_TIMEOUT").scalar() == -1
    engine.dispose()


def test_a_driver_that_cannot_be_opened_says_so(scripted: Start, tmp_path: Path) -> None:
    library = tmp_path / "libmsodbcsql.so"
    with pytest.raises(ConfigError, match="Can't open lib") as caught, scripted(ONE).reader(driver=str(library)):
        pass
    assert (caught.value.code, caught.value.reason) == (78, "driver_missing")
    assert "ldd" in caught.value.hint


def test_a_certificate_for_another_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = certificate.make(tmp_path, "other.example")
    monkeypatch.setenv("SSL_CERT_FILE", str(other.file))
    with Server(Scripted(dict(ONE)), other, Manners()) as server:
        place = Place(Scripted(), server)
        with pytest.raises(Unreachable, match="does not match host name"), place.reader(host="localhost", x=""):
            pass
