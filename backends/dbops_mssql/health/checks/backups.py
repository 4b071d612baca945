"""Backups as this server's msdb remembers them, whoever made them: how old, of what worth.

What another replica of a group made is in its own msdb, and what went from there nobody knows: msdb is a memory of what
was done, not of what is still there. That a backup can be restored is for ``dbops backup verify``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from dbops.health.answers import Answers
from dbops.health.thresholds import compare
from dbops.health.words import seconds
from dbops.model.finding import Missing, Remedy
from dbops.model.health import Check, Observation, Row, Status, Threshold
from dbops_mssql.health.checks.catalogue import Database, catalogue
from dbops_mssql.health.checks.rule import DATABASES, ENGINE, Context, Rule, hidden_databases, select_in_msdb
from dbops_mssql.health.pages import PAGES
from dbops_mssql.quoting import identifier, named

__all__ = ["RULES"]

DAY = 86_400.0
LOOKED_BACK_S = 60 * DAY
KINDS = {"D": "full backup", "I": "differential backup", "L": "log backup"}
GRANTS = (DATABASES, *select_in_msdb("backupset", "backupmediafamily"))
PRIVILEGE = "SELECT on backupset and backupmediafamily in msdb, and VIEW ANY DATABASE"
NEEDS = ("rights", "catalogue", "backups")

AGE_CHECK = Check(
    id="ms.backup.age",
    title="Age of the newest full or differential backup",
    engine=ENGINE,
    unit="seconds",
    needs=NEEDS,
    cost="medium",
    threshold=Threshold(warning=1.5 * DAY, critical=7 * DAY),
    source="sp_Blitz and dbachecks: 7 days; dbops warns when a night was left out",
    privilege=PRIVILEGE,
    grants=GRANTS,
    remedy=Remedy(
        text="See why the job did not run (ms.jobs.failed). Meanwhile make one that disturbs no other plan: "
        "COPY_ONLY; a name without a path goes into the server's own directory for backups.",
        url=PAGES["backup"],
    ),
)
LOG_CHECK = Check(
    id="ms.backup.log_age",
    title="Age of the newest log backup",
    engine=ENGINE,
    unit="seconds",
    needs=NEEDS,
    cost="medium",
    threshold=Threshold(warning=1800, critical=7200),
    source="dbachecks: 15 minutes",
    privilege=PRIVILEGE,
    grants=GRANTS,
    remedy=Remedy(
        text="Let whatever owns the log chain back it up again: a log backup made beside it splits the chain. Where "
        "nobody needs a point in time, the recovery model SIMPLE says so and keeps the log small.",
        risk="a log backup by somebody else splits the chain",
        url=PAGES["log_backup"],
    ),
)
WORTH_CHECK = Check(
    id="ms.backup.damaged",
    title="The newest backups are worth something",
    engine=ENGINE,
    unit="",
    needs=NEEDS,
    cost="medium",
    threshold=Threshold(),
    source="sp_Blitz and sp_BlitzBackups: damaged, without checksums, to NUL",
    privilege=PRIVILEGE,
    grants=GRANTS,
    remedy=Remedy(
        text="Damaged: run DBCC CHECKDB and restore what it finds from an older backup; keep that one. To NUL: make "
        "a full backup at once, the chain begins anew with it. Without checksums: add CHECKSUM to the job.",
        url=PAGES["damaged"],
    ),
)


class _Backup(msgspec.Struct, frozen=True):
    """The newest of its kind. ``has_base``: 0 for a differential whose full backup is unknown or worth nothing."""

    name: str
    type: str
    age_min: int
    family: str | None = None
    is_damaged: int | None = None
    is_copy_only: int | None = None
    is_snapshot: int | None = None
    has_checksums: int | None = None
    thrown_away: int = 0
    has_base: int = 1

    @property
    def good(self) -> bool:
        """Something can be restored from it."""
        return not self.is_damaged and not self.thrown_away and self.has_base == 1

    @property
    def age_s(self) -> float:
        """At least 0: clocks differ."""
        return max(0.0, self.age_min * 60.0)

    def of(self, database: Database) -> bool:
        """Whether it is of this very database and not of an earlier one that had its name."""
        same = self.family is None or database.family is None or self.family.lower() == database.family.lower()
        return self.name == database.name and same


def _ages(answers: Answers, context: Context) -> Iterator[Observation]:
    made = answers.rows("backups", _Backup)
    for one in _kept(answers):
        newest = _newest([backup for backup in made if backup.of(one) and backup.type in "DI" and backup.good])
        yield _judged(one, newest, context, "no full backup", _copy_only(one))
    yield from _rest(answers)


def _log_ages(answers: Answers, context: Context) -> Iterator[Observation]:
    made = answers.rows("backups", _Backup)
    logged = [one for one in _kept(answers) if one.recovery_model != "SIMPLE" and one.name != "model"]
    for one in logged:
        if one.recovery_model is None:
            missing = Missing("null_value", "the server does not tell its recovery model")
            yield Observation(object=_object(one), summary=f"{one.name}: not known", missing=missing)
            continue
        if one.family is not None and one.log_backup_lsn is None:
            yield _without_chain(one)
            continue
        newest = _newest([backup for backup in made if backup.of(one) and backup.type == "L" and backup.good])
        yield _judged(one, newest, context, "no log backup")
    if not logged:
        yield Observation(summary="every database is in SIMPLE, without log backups", value=0.0)
    yield from _rest(answers)


def _worth(answers: Answers, _context: Context) -> Iterator[Observation]:
    made = answers.rows("backups", _Backup)
    looked = 0
    for one in _kept(answers):
        own = [backup for backup in made if backup.of(one)]
        looked += len(own)
        for kind in KINDS:
            yield from _of_kind(one, [backup for backup in own if backup.type == kind])
    missing = hidden_databases(answers)
    if missing:
        yield Observation(summary="there may be other databases", missing=missing)
    elif not looked:
        none = Missing("no_rows", "msdb remembers none of the last 60 days; see ms.backup.age")
        yield Observation(summary="there is no backup to look at", missing=none, state=Status.SKIPPED)
    else:
        yield Observation(summary="the newest backups are whole and have checksums", state=Status.OK)


def _of_kind(one: Database, own: Sequence[_Backup]) -> Iterator[Observation]:
    good = _newest([backup for backup in own if backup.good])
    # A copy to NUL is how one measures how fast a database can be read; it breaks nothing.
    bad = _newest([backup for backup in own if not backup.good and not (backup.thrown_away and backup.is_copy_only)])
    if bad is not None and (good is None or bad.age_min <= good.age_min):
        yield _seen(one, bad, Status.CRITICAL, _why_bad(bad))
    elif good is not None and not good.has_checksums:
        yield _seen(one, good, Status.WARNING, "has no checksums: damage on the way to it is not noticed")


def _why_bad(backup: _Backup) -> str:
    if backup.is_damaged:
        return "is damaged: bad pages were found and left as they are"
    if backup.thrown_away:
        return "went to NUL: it is nowhere, and those after it need it"
    return "needs a full backup that this server does not remember, or that is worth nothing"


def _seen(one: Database, backup: _Backup, state: Status, what: str) -> Observation:
    return Observation(
        object=_object(one),
        summary=f"{one.name}: the newest {KINDS[backup.type]} {what}",
        state=state,
        evidence=msgspec.to_builtins(backup),
    )


def _judged(one: Database, newest: _Backup | None, context: Context, none: str, sql: str = "") -> Observation:
    age_s = newest.age_s if newest else _since_made(one)
    evidence: Row = {"recovery_model": one.recovery_model, **(msgspec.to_builtins(newest) if newest else {})}
    if newest is None:
        summary = f"{one.name}: {none} in 60 days" if age_s >= LOOKED_BACK_S else f"{one.name}: {none} yet"
    else:
        # What another program made through VSS is where that program put it.
        by = ", made by another program" if newest.is_snapshot else ""
        summary = f"{one.name}: the newest {KINDS[newest.type]} is {seconds(age_s)} old{by}"
    if one.in_group and compare(age_s, context.threshold) is not Status.OK:
        missing = Missing("hidden_rows", "what other replicas of its group made is in their own msdb")
        return Observation(
            object=_object(one), summary=f"{summary} on this replica", missing=missing, evidence=evidence
        )
    return Observation(object=_object(one), summary=summary, value=age_s, sql=sql, evidence=evidence)


def _without_chain(one: Database) -> Observation:
    return Observation(
        object=_object(one),
        summary=f"{one.name} is in {one.recovery_model} but has no log chain: without a full backup it is as in SIMPLE",
        value=_since_made(one),
        state=Status.WARNING,
        sql="" if one.in_group else _copy_only(one).replace("COPY_ONLY, ", ""),
        evidence={"recovery_model": one.recovery_model, "created_min": one.created_min},
    )


def _kept(answers: Answers) -> list[Database]:
    return [one for one in catalogue(answers) if one.kept]


def _rest(answers: Answers) -> Iterator[Observation]:
    missing = hidden_databases(answers)
    if missing:
        yield Observation(summary="there may be other databases", missing=missing)


def _newest(backups: Sequence[_Backup]) -> _Backup | None:
    return min(backups, key=lambda one: one.age_min, default=None)


def _since_made(one: Database) -> float:
    """How long it has been without a backup, as far as anybody looked."""
    return LOOKED_BACK_S if one.created_min is None else min(LOOKED_BACK_S, max(0.0, one.created_min * 60.0))


def _copy_only(one: Database) -> str:
    return f"BACKUP DATABASE {identifier(one.name)} TO DISK = N'dbops_{one.id}.bak' WITH COPY_ONLY, CHECKSUM;"


def _object(one: Database) -> str:
    return named("database", one.name)


RULES = (
    Rule(AGE_CHECK, _ages, "backups"),
    Rule(LOG_CHECK, _log_ages, "backups"),
    Rule(WORTH_CHECK, _worth, "backups"),
)
