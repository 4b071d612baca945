"""Databases that cannot be used, and settings under which damage goes unseen or work is done over and over."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec

from dbops.health.answers import Answers
from dbops.model.finding import Missing, Remedy
from dbops.model.health import Check, Observation, Status, Threshold
from dbops_mssql.health.checks.catalogue import Database, catalogue
from dbops_mssql.health.checks.rule import DATABASES, ENGINE, OWN, Context, Rule, hidden_databases
from dbops_mssql.health.pages import PAGES
from dbops_mssql.quoting import identifier, named

__all__ = ["RULES"]

PRIVILEGE = "VIEW ANY DATABASE, which public has unless it was revoked"
# Words of sys.databases.state_desc, and what each means to whoever needs the database.
STATES: dict[str, tuple[Status, str]] = {
    "SUSPECT": (Status.CRITICAL, "its recovery failed, nobody can use it"),
    "RECOVERY_PENDING": (Status.CRITICAL, "files or room that recovery needs are not there, nobody can use it"),
    "EMERGENCY": (Status.CRITICAL, "somebody opened it for rescue: read only, for administrators alone"),
    "RECOVERING": (Status.WARNING, "recovery is at work, nobody can use it yet"),
    "RESTORING": (Status.WARNING, "it waits for more of its backup, nobody can use it"),
    "OFFLINE": (Status.SKIPPED, "somebody took it offline"),
    "COPYING": (Status.SKIPPED, "it is being copied"),
    "OFFLINE_SECONDARY": (Status.SKIPPED, "a copy that is not open"),
}


def _check(identity: str, title: str, remedy: Remedy, source: str = OWN) -> Check:
    return Check(
        id=identity,
        title=title,
        engine=ENGINE,
        unit="",
        needs=("rights", "catalogue"),
        threshold=Threshold(),
        source=source,
        privilege=PRIVILEGE,
        grants=(DATABASES,),
        remedy=remedy,
    )


STATE_CHECK = _check(
    "ms.db.state",
    "Databases that can be used",
    Remedy(
        text="Read the error log first: it names the file or page. SUSPECT: back up the tail of the log (BACKUP LOG "
        "… WITH "
        "NO_TRUNCATE), then restore; repair loses data. RECOVERY_PENDING: bring back the files, then SET ONLINE. "
        "RESTORING that nobody goes on with: RESTORE DATABASE … WITH RECOVERY.",
        risk="data-loss",
        url=PAGES["state"],
    ),
)
VERIFY_CHECK = _check(
    "ms.page_verify",
    "Damage to pages is noticed",
    Remedy(
        text="Turn checksums on. A page has one from the next time it is written: rebuild the indexes to give it to "
        "all.",
        url=PAGES["page_verify"],
    ),
    "sp_Blitz and dbachecks: anything but CHECKSUM",
)
AUTO_CHECK = _check(
    "ms.db.auto",
    "Databases are not closed and shrunk by themselves",
    Remedy(
        text="Turn it off. AUTO_CLOSE throws away the cache and opens the database anew for each first user; "
        "AUTO_SHRINK takes room that is needed again, and fragments indexes.",
        url=PAGES["options"],
    ),
    "sp_Blitz and dbachecks: on",
)


def _states(answers: Answers, _context: Context) -> Iterator[Observation]:
    found = catalogue(answers)
    for one in found:
        # A copy is RESTORING by its nature; the checks of availability groups look at it.
        if one.state == "ONLINE" or (one.state == "RESTORING" and one.in_group):
            if one.user_access == "SINGLE_USER":
                yield _seen(one, Status.WARNING, "one session has it for itself (SINGLE_USER)", _everybody(one))
            continue
        known = STATES.get(one.state)
        if known is None:
            missing = Missing("null_value", f"its state is {one.state}")
            yield Observation(object=_object(one), summary=f"{one.name}: not known how it is", missing=missing)
            continue
        yield _seen(one, known[0], f"{one.state}: {known[1]}")
    yield from _rest(answers, f"{sum(one.online for one in found)} databases are online")


def _verified(answers: Answers, _context: Context) -> Iterator[Observation]:
    for one in _settable(answers):
        if one.page_verify is None:
            yield _untold(one)
        elif one.page_verify != "CHECKSUM":
            sql = f"ALTER DATABASE {identifier(one.name)} SET PAGE_VERIFY CHECKSUM WITH NO_WAIT;"
            yield _seen(
                one, Status.WARNING, f"PAGE_VERIFY is {one.page_verify}: what storage damages is not noticed", sql
            )
    yield from _rest(answers, "pages have checksums")


def _automatic(answers: Answers, _context: Context) -> Iterator[Observation]:
    for one in _settable(answers):
        if one.auto_close is None or one.auto_shrink is None:
            yield _untold(one)
            continue
        on = [word for word, value in (("AUTO_CLOSE", one.auto_close), ("AUTO_SHRINK", one.auto_shrink)) if value]
        if on:
            sql = "\n".join(f"ALTER DATABASE {identifier(one.name)} SET {word} OFF WITH NO_WAIT;" for word in on)
            yield _seen(one, Status.WARNING, f"{' and '.join(on)} on", sql)
    yield from _rest(answers, "no database is closed or shrunk by itself")


def _settable(answers: Answers) -> list[Database]:
    return [one for one in catalogue(answers) if one.kept and not one.is_read_only]


def _rest(answers: Answers, well: str) -> Iterator[Observation]:
    """Databases without a line of their own are well, unless there may be some that were not shown."""
    missing = hidden_databases(answers)
    if missing:
        yield Observation(summary="there may be other databases", missing=missing)
    else:
        yield Observation(summary=well, state=Status.OK)


def _seen(one: Database, state: Status, what: str, sql: str = "") -> Observation:
    return Observation(
        object=_object(one), summary=f"{one.name}: {what}", state=state, sql=sql, evidence=msgspec.to_builtins(one)
    )


def _untold(one: Database) -> Observation:
    missing = Missing("null_value", "the server does not tell")
    return Observation(object=_object(one), summary=f"{one.name}: not known how it is set", missing=missing)


def _everybody(one: Database) -> str:
    return f"ALTER DATABASE {identifier(one.name)} SET MULTI_USER;"


def _object(one: Database) -> str:
    return named("database", one.name)


_MEASURES: tuple[tuple[Check, Callable[[Answers, Context], Iterator[Observation]]], ...] = (
    (STATE_CHECK, _states),
    (VERIFY_CHECK, _verified),
    (AUTO_CHECK, _automatic),
)
RULES = tuple(Rule(check, measure) for check, measure in _MEASURES)
