"""One moment for several snapshots: nothing is committed while they begin.

FLUSH TABLES WITH READ LOCK waits for every running statement, and everybody else then waits behind it: on MySQL even
after it has given up, as long as the statement runs that it waited for (seen on 9.7). So it is not asked for while a
statement has been running for seconds, and then gives up soon. Where it cannot be had, the moment is looked for: when
the binary log stood still for a while before and until all snapshots had begun, they are of one moment too.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager, suppress
from enum import StrEnum

import msgspec

from dbops.backup.text import duration
from dbops.model.server import Version
from dbops_mysql.backup import position
from dbops_mysql.backup.artifacts import Position
from dbops_mysql.backup.link import Link, ask
from dbops_mysql.installation import Family
from dbops_mysql.session import fault
from dbops_mysql.statement import text

__all__ = ["STOPS_WRITING", "Frozen", "How", "frozen", "guard", "stood_still"]

# How long the lock may wait once it is asked for: everybody else waits as long.
LOCK_S = 3
PAUSE_S = 1.0
CALM_S = 0.5
TRIES = 5
# What keeps tables as they are until the dump is done; without it an altered table ends it with an error.
GUARDS: Mapping[Family, tuple[str, ...]] = {
    "mysql": ("LOCK INSTANCE FOR BACKUP",),
    "mariadb": ("BACKUP STAGE START", "BACKUP STAGE BLOCK_DDL"),
}
GUARD_RIGHTS: Mapping[Family, str] = {"mysql": "BACKUP_ADMIN", "mariadb": "RELOAD"}
# It also stops writing to tables without transactions.
STOPS_WRITING: Mapping[Family, bool] = {"mysql": False, "mariadb": True}
GUARD_S = 5


class How(StrEnum):
    """What makes several snapshots one moment."""

    LOCKED = "locked"
    STILL = "still"
    APART = "apart"


class Frozen(msgspec.Struct, frozen=True, kw_only=True):
    """:param why: why the lock could not be had, for people; :param position: None where nobody may ask."""

    how: How
    why: str = ""
    taken_at: str
    position: Position | None = None


def guard(link: Link, family: Family) -> str:
    """Keep everybody from altering tables, until ``link`` is closed. What went wrong instead, for people."""
    import pymysql

    try:
        ask(link, f"SET SESSION lock_wait_timeout = {GUARD_S}")
        for statement in GUARDS[family]:
            ask(link, statement)
    except pymysql.Error as error:
        reason = fault(error)
        if reason == "no_permission":
            return f"tables were not kept from being altered meanwhile: that needs {GUARD_RIGHTS[family]}"
        if reason == "lock_timeout":
            return f"tables were not kept from being altered meanwhile: one was being altered for more than {GUARD_S} s"
        return f"tables were not kept from being altered meanwhile: {error.args[-1]}"
    return ""


@contextmanager
def frozen(link: Link, family: Family, version: Version, patience_s: float) -> Generator[Frozen]:
    """The lock is held while this is open, when it could be had: ``how`` says so."""
    import pymysql

    why = _lock(link, patience_s)
    if why:
        yield Frozen(how=How.APART, why=why, taken_at=_clock(link))
        return
    try:
        at = None
        with suppress(pymysql.Error):
            at = position.read(link, family, version)
        yield Frozen(how=How.LOCKED, taken_at=_clock(link), position=at)
    finally:
        # A connection that broke has let go of its locks.
        with suppress(pymysql.Error):
            ask(link, "UNLOCK TABLES")


def stood_still(link: Link, family: Family, version: Version, begin: Callable[[], None]) -> Frozen | None:
    """Begin snapshots by ``begin`` as often as it takes to find no commit around it. None: there always was one, or the
    server writes no binary log, or nobody may ask."""
    import pymysql

    try:
        for _ in range(TRIES):
            first = position.read(link, family, version)
            if not first.file:
                return None
            time.sleep(CALM_S)
            if position.read(link, family, version) != first:
                continue
            taken_at = _clock(link)
            begin()
            if position.read(link, family, version) == first:
                return Frozen(how=How.STILL, taken_at=taken_at, position=first)
    except pymysql.Error:
        return None
    return None


def _lock(link: Link, patience_s: float) -> str:
    """Take the lock, or say why it could not be had."""
    import pymysql

    end = time.monotonic() + patience_s
    ask(link, f"SET SESSION lock_wait_timeout = {LOCK_S}")
    while True:
        busy = _busy(link)
        try:
            if not busy:
                ask(link, "FLUSH TABLES WITH READ LOCK")
                return ""
        except pymysql.Error as error:
            if fault(error) == "no_permission":
                return "the login may not lock all tables (RELOAD, or FLUSH_TABLES on MySQL)"
            if fault(error) != "lock_timeout":
                raise
            ask(link, "UNLOCK TABLES")
            busy = _busy(link) or f"somebody held a table for more than {LOCK_S} s"
        if time.monotonic() > end:
            return f"all tables could not be locked within {duration(patience_s)}: {busy}"
        time.sleep(PAUSE_S)


def _busy(link: Link) -> str:
    """The longest statement that runs now; its text is not told, since it may hold what is secret."""
    for number, user, host, seconds, _state in ask(link, text("backup_statements")):
        return f"the connection {number} of {user}@{host} has run a statement for {duration(float(seconds))}"
    return ""


def _clock(link: Link) -> str:
    return str(ask(link, text("backup_moment"))[0][0])
