"""Bad days on demand, and sessions beside each other."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from tests.simulators.mssql.answers import Answer, Drop, Failed, Message, Rows, error
from tests.simulators.mssql.instance import Instance
from tests.simulators.mssql.session import Session

PATIENCE = 60


@pytest.fixture
def instance() -> Instance:
    return Instance()


class Aside:
    """A batch that runs in a thread of its own."""

    def __init__(self, session: Session, sql: str) -> None:
        self.answers: list[Answer] = []
        self.dropped = False
        self._thread = threading.Thread(target=self._run, args=(session, sql), daemon=True)
        self._thread.start()

    def _run(self, session: Session, sql: str) -> None:
        try:
            self.answers += session.run(sql)
        except Drop:
            self.dropped = True

    def ended(self) -> bool:
        self._thread.join(PATIENCE)
        return not self._thread.is_alive()

    @property
    def running(self) -> bool:
        return self._thread.is_alive()


def until(met: Callable[[], bool]) -> None:
    pause = threading.Event()
    for _ in range(PATIENCE * 100):
        if met():
            return
        pause.wait(0.01)
    raise AssertionError("it never came so far")


def test_a_statement_fails_as_it_was_told_to_and_only_once(instance: Instance) -> None:
    instance.faults.fail("sys.databases", error(3013, "BACKUP DATABASE is terminating abnormally."))
    with pytest.raises(Failed, match="terminating abnormally"):
        instance.execute("SELECT COUNT(*) FROM sys.databases")
    assert instance.execute("SELECT COUNT(*) FROM sys.databases") == [(4,)]


def test_a_right_is_refused_for_one_statement(instance: Instance) -> None:
    instance.faults.refuse("dm_exec_sessions", "VIEW SERVER STATE")
    with pytest.raises(Failed, match="VIEW SERVER STATE permission was denied on object 'server', database 'master'"):
        instance.execute("SELECT session_id FROM sys.dm_exec_sessions")


def test_a_connection_is_cut(instance: Instance) -> None:
    instance.faults.drop("@@VERSION")
    with pytest.raises(Drop):
        list(instance.session().run("SELECT @@VERSION"))


def test_a_batch_hangs_until_it_is_cancelled(instance: Instance) -> None:
    session = instance.session()
    instance.faults.hang("SELECT 42")
    aside = Aside(session, "SELECT 42")
    until(lambda: not instance.faults.waiting)
    assert aside.running
    session.cancel()
    assert aside.ended()
    assert aside.answers == []
    assert [one.rows for one in session.run("SELECT 43") if isinstance(one, Rows)] == [[(43,)]]


def test_waitfor_lets_others_work_and_ends_by_kill(instance: Instance) -> None:
    """WAITFOR; KILL."""
    session = instance.session()
    aside = Aside(session, "WAITFOR DELAY '01:00:00'")
    seen = f"SELECT wait_type FROM sys.dm_exec_requests WHERE session_id = {session.spid}"
    until(lambda: instance.execute(seen) == [("WAITFOR",)])
    instance.execute(f"KILL {session.spid}")
    assert aside.ended()
    assert aside.dropped


def test_a_change_waits_for_the_transaction_of_another_session(instance: Instance) -> None:
    """Transaction locking: the second writer waits, is shown as blocked, and goes on after the commit."""
    first, second = instance.session(), instance.session()
    list(first.run("BEGIN TRAN; CREATE LOGIN alice WITH PASSWORD = N'Secret-1234'"))
    aside = Aside(second, "CREATE LOGIN bob WITH PASSWORD = N'Secret-1234'")
    blocked = f"SELECT blocking_session_id FROM sys.dm_exec_requests WHERE session_id = {second.spid}"
    until(lambda: instance.execute(blocked) == [(first.spid,)])
    list(first.run("ROLLBACK"))
    assert aside.ended()
    assert instance.execute("SELECT name FROM sys.sql_logins WHERE name IN ('alice', 'bob')") == [("bob",)]


def test_a_lock_timeout_ends_the_wait(instance: Instance) -> None:
    """SET LOCK_TIMEOUT: error 1222."""
    first, second = instance.session(), instance.session()
    list(first.run("BEGIN TRAN; CREATE LOGIN alice WITH PASSWORD = N'Secret-1234'"))
    answers = list(second.run("SET LOCK_TIMEOUT 0; CREATE LOGIN bob WITH PASSWORD = N'Secret-1234'"))
    assert [one.number for one in answers if isinstance(one, Message)] == [1222]


def test_a_closed_connection_gives_its_transaction_up(instance: Instance) -> None:
    session = instance.session()
    list(session.run("BEGIN TRAN; CREATE LOGIN alice WITH PASSWORD = N'Secret-1234'"))
    session.close()
    assert instance.execute("SELECT SUSER_ID('alice')") == [(None,)]


def test_an_option_is_configured_and_then_in_use(instance: Instance) -> None:
    """sp_configure; RECONFIGURE."""
    shown = "SELECT value, value_in_use FROM sys.configurations WHERE name = N'contained database authentication'"
    instance.execute("EXEC sp_configure 'contained database authentication', 1")
    assert instance.execute(shown) == [("1", "0")]
    instance.execute("RECONFIGURE")
    assert instance.execute(shown) == [("1", "1")]
    with pytest.raises(Failed, match="may be an advanced option"):
        instance.execute("EXEC sp_configure 'xp_cmdshell', 1")
    instance.execute("CREATE LOGIN alice WITH PASSWORD = N'Secret-1234'")
    with pytest.raises(Failed, match="does not have permission"):
        instance.execute("EXEC sp_configure 'clr enabled', 1", user="alice")


def test_azure_sql_database_keeps_to_one_database() -> None:
    """USE: Azure SQL Database does not switch (40508) and reads no other database (40515)."""
    instance = Instance(engine_edition=5)
    instance.execute("CREATE DATABASE shop")
    for sql, number in (("USE shop", 40508), ("SELECT 1 FROM shop.sys.objects", 40515)):
        with pytest.raises(Failed) as caught:
            instance.execute(sql)
        assert caught.value.messages[0].number == number
