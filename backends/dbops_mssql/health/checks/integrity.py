"""Damaged pages: those that are known, and for how long nobody has looked for them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from dbops.health.answers import Answers, Unanswered
from dbops.health.words import seconds
from dbops.model.finding import Missing, Remedy
from dbops.model.health import Check, Observation, Status, Threshold
from dbops.model.server import Version
from dbops_mssql.health.checks.catalogue import catalogue
from dbops_mssql.health.checks.rule import (
    DATABASES,
    DEFINITIONS,
    ENGINE,
    STATE,
    Context,
    Rule,
    hidden_databases,
    select_in_msdb,
)
from dbops_mssql.health.pages import PAGES
from dbops_mssql.quoting import identifier, named

__all__ = ["RULES"]

DAY = 86_400.0
# By major version, the first build that tells LastGoodCheckDbTime; later majors always do.
TELLS: Mapping[int, Version] = {13: (13, 0, 5026), 14: (14, 0, 3030)}
SUSPECT_EVENTS = {1: "could not be read", 2: "has a wrong checksum", 3: "was written by half"}
MENDED_EVENTS = (4, 5, 7)
# The table holds 1,000 rows; what comes after is not recorded.
NEARLY_FULL = 900
FAILED, REPAIRED = 5, 4
RECENT_MIN = 30 * 24 * 60

CHECKDB = Check(
    id="ms.checkdb.age",
    title="How long ago DBCC CHECKDB found each database whole",
    engine=ENGINE,
    unit="seconds",
    needs=("rights", "catalogue"),
    also=("checked",),
    cost="medium",
    threshold=Threshold(warning=8 * DAY, critical=15 * DAY),
    source="sp_Blitz: 14 days; dbachecks: 7 days, and dbops leaves a weekly job a day",
    privilege="VIEW ANY DATABASE and VIEW ANY DEFINITION",
    grants=(DATABASES, DEFINITIONS),
    remedy=Remedy(
        text="Run it, on a restored copy where the server has no time for it; what it finds in a copy is in the "
        "original. Without it damage goes into backup after backup until no good one is left.",
        risk="reads the whole database",
        url=PAGES["checkdb"],
    ),
)
SUSPECTS = Check(
    id="ms.corruption",
    title="Pages that are known to be damaged",
    engine=ENGINE,
    unit="",
    needs=("catalogue", "suspects"),
    also=("repairs",),
    threshold=Threshold(),
    source="sp_Blitz and dbachecks: any",
    privilege="SELECT on suspect_pages in msdb; the right to view the server's state for what replicas repaired",
    grants=(*select_in_msdb("suspect_pages"), STATE),
    remedy=Remedy(
        text="Keep every backup there is. Run DBCC CHECKDB, restore the pages from a backup (RESTORE DATABASE … "
        "PAGE), and "
        "have the storage examined: it does not stop by itself. REPAIR_ALLOW_DATA_LOSS does what its name says.",
        risk="data-loss",
        url=PAGES["suspects"],
    ),
)


class _Checked(msgspec.Struct, frozen=True):
    """``since_1900_d``: 0 for never. None in both: not told."""

    name: str
    since_1900_d: int | None = None
    age_min: int | None = None


class _Suspect(msgspec.Struct, frozen=True):
    """``name`` is None for a database that is gone."""

    id: int
    file_id: int
    page_id: int
    event_type: int
    name: str | None = None
    error_count: int | None = None
    age_min: int | None = None


class _Repair(msgspec.Struct, frozen=True):
    file_id: int
    page_id: int
    page_status: int
    name: str | None = None
    age_min: int | None = None


def _checked(answers: Answers, context: Context) -> Iterator[Observation]:
    _tells(context.server.version)
    found = {one.name: one for one in answers.rows("checked", _Checked)}
    for database in (one for one in catalogue(answers) if one.kept):
        name, told = named("database", database.name), found.get(database.name)
        if told is None or told.age_min is None:
            untold = Missing("null_value", "the server does not tell (it is not open, or this login may not see it)")
            yield Observation(object=name, summary=f"{database.name}: not known when it was checked", missing=untold)
            continue
        age_s = max(0.0, told.age_min * 60.0)
        never = not told.since_1900_d
        if never and database.created_min is not None:
            age_s = min(age_s, max(0.0, database.created_min * 60.0))
        said = "never checked" if never else f"last found whole {seconds(age_s)} ago"
        yield Observation(
            object=name,
            summary=f"{database.name}: {said}",
            value=age_s,
            sql=f"DBCC CHECKDB ({identifier(database.name)}) WITH NO_INFOMSGS, ALL_ERRORMSGS;",
            evidence={"never": never, "age_min": told.age_min},
        )
    missing = hidden_databases(answers)
    if missing:
        yield Observation(summary="there may be other databases", missing=missing)


def _tells(version: Version) -> None:
    since = TELLS.get(version[0])
    if since is not None and version < since:
        why = f"builds before {'.'.join(map(str, since))} tell it to sysadmin alone (DBCC DBINFO)"
        raise Unanswered(Missing("not_supported_version", why))


def _suspects(answers: Answers, _context: Context) -> Iterator[Observation]:
    pages = [one for one in answers.rows("suspects", _Suspect) if one.name is not None]
    bad = [one for one in pages if one.event_type not in MENDED_EVENTS]
    for one in bad:
        what = SUSPECT_EVENTS.get(one.event_type, f"failed (event {one.event_type})")
        often = f", {one.error_count} times" if one.error_count and one.error_count > 1 else ""
        yield _page(one, Status.CRITICAL, f"{what}{often}")
    if len(answers.plain("suspects")) >= NEARLY_FULL:
        full = "suspect_pages is nearly full: at 1,000 rows the server records no more"
        yield Observation(object="table:msdb.dbo.suspect_pages", summary=full, state=Status.WARNING)
    repairs = list(_repairs(answers))
    yield from repairs
    if not bad and not repairs:
        mended = f" ({len(pages)} were, and have been repaired)" if pages else ""
        yield Observation(summary=f"no page is known to be damaged{mended}", state=Status.OK)


def _repairs(answers: Answers) -> Iterator[Observation]:
    """Where they cannot be read, what is in msdb decides alone."""
    if answers.missing("repairs"):
        return
    for one in answers.rows("repairs", _Repair):
        if one.page_status == FAILED:
            yield _page(one, Status.CRITICAL, "could not be had from another replica")
        elif one.age_min is None or one.age_min <= RECENT_MIN:
            what = "was repaired from another replica" if one.page_status == REPAIRED else "is asked of another replica"
            yield _page(one, Status.WARNING, f"{what}: storage damaged it")


def _page(one: _Suspect | _Repair, state: Status, what: str) -> Observation:
    database = one.name or "?"
    return Observation(
        object=named("database", database),
        summary=f"{database}: page {one.file_id}:{one.page_id} {what}",
        state=state,
        sql=f"DBCC CHECKDB ({identifier(database)}) WITH NO_INFOMSGS, ALL_ERRORMSGS;",
        evidence=msgspec.to_builtins(one),
    )


RULES = (Rule(SUSPECTS, _suspects, "pages"), Rule(CHECKDB, _checked, "checkdb"))
