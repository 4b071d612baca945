"""Why no sequence leads to an instant, in words that name the set which is missing or cannot be used."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from dbops_mssql.backup.bases import Base
from dbops_mssql.backup.dial import SAY
from dbops_mssql.backup.sets import BackupSet, Kind, unusable
from dbops_mssql.backup.walk import Logs, Way, walk

__all__ = ["notes", "unsure", "why"]

Why = tuple[str, tuple[str, ...]]


def why(sets: Sequence[BackupSet], bases: Sequence[Base], logs: Logs, time: datetime | None) -> Why:
    """The reason, and what is missing."""
    # Parts of a database are told of only where there is nothing else.
    kinds = (Kind.FULL, Kind.DIFFERENTIAL, Kind.LOG) if bases else tuple(Kind)
    lost = [said for one in sets if one.kind in kinds and (said := unusable(one))]
    also = f" Not usable: {'; '.join(lost[:3])}." if lost else ""
    if not bases:
        return f"No full backup of this database can be restored.{also}", ("a full backup",)
    early = [one for one in bases if time is None or one.ended.latest <= time]
    if not early:
        return f"Every full backup that can be restored ended after that instant.{also}", ("an older full backup",)
    reason, missing = _stuck(early[0], logs, time)
    return f"{reason}{_base_gone([one for one in sets if time is None or one.ended.earliest <= time])}{also}", missing


def _stuck(base: Base, logs: Logs, time: datetime | None) -> Why:
    """How far the newest base leads, and what stops it there."""
    furthest, bulk = Way(base.state), None
    for way, log in walk(logs, base.state, lambda one: time is None or one.reach.latest < time):
        if time is None or log.reach.latest < time:
            furthest = max(furthest, way.through(log), key=lambda one: one.state.lsn)
        elif log.bulk_logged:
            bulk = log
    if bulk is not None:
        return f"{_upper(bulk.label)} holds bulk-logged changes: it is restored whole or not at all.", ()
    last = furthest.log or base.sets[-1]
    beyond = logs.beyond(furthest.state)
    if beyond is None:
        return f"No log backup reaches that instant: the last is {last.label}.", (f"log from {last.last_lsn}",)
    chain = " (there a new log chain begins: the database was in the SIMPLE recovery model)" * beyond.begins_chain
    gap = f"{last.last_lsn} to {beyond.first_lsn}"
    return f"The log is missing from {gap}, between {last.label} and {beyond.label}{chain}.", (f"log {gap}",)


def _base_gone(sets: Sequence[BackupSet]) -> str:
    known = {one.uuid: one for one in sets}
    said = [why for one in sets if one.kind is Kind.DIFFERENTIAL and (why := _groundless(one, known))]
    return f" {_upper(said[-1])}." if said else ""


def _groundless(one: BackupSet, known: Mapping[str, BackupSet]) -> str:
    """Why a differential has nothing to be put onto."""
    lost = sorted(one.bases - known.keys())
    if not one.bases:
        return f"{one.label} does not say which backup it counts from"
    if one.base:
        return f"{one.label} counts from a full backup that is not known" if lost else ""
    several = f"{one.label} counts from {len(one.bases)} backups, since files were backed up by themselves"
    if lost:
        return f"{several}, and these of them are not known: {', '.join(lost)}"
    if not any(known[base].kind is Kind.FULL for base in one.bases):
        return (
            f"{several}, and none of them is of the whole database: which full backup goes under them is not recorded"
        )
    return ""


def unsure(found: Sequence[BackupSet], time: datetime | None) -> str:
    """Why a sequence is not given as one that surely leads there."""
    last = found[-1]
    for one in reversed(found):
        which = f"Which instant {one.label} was made at is not sure"
        if one.zone is None and not one.where:
            return f"{which}: the server did not say in which time zone. {SAY}"
        if one.where and one.ended.earliest != one.ended.latest:
            return f"{which}: the clock in {one.where} showed its time twice."
    if time is not None and last.reach.earliest < time:
        return (
            f"{_upper(last.label)} was being written at that instant and may end before it: "
            "a later log backup would tell."
        )
    if last.first_fork != last.last_fork:
        return f"When the restore happened that {last.label} crosses is not known: that instant may be before or after."
    return f"Whether {last.label} is of the database as it was at that instant is not known."


def notes(sets: Sequence[BackupSet], chosen: Sequence[BackupSet]) -> Iterator[str]:
    """What whoever restores should know: newer data backups that were passed over, and why."""
    ends = max(one.last_lsn for one in chosen)
    since = chosen[0].ended.latest
    for one in sets:
        if one.kind is Kind.FULL and one.ended.latest > since and one.last_lsn <= ends and (said := unusable(one)):
            yield said
    for one in chosen:
        if one.zone is None and not one.where:
            yield f"the time zone of {one.label} is not known; its place was found by log sequence numbers"
        if one.incomplete_metadata:
            yield f"{one.label} is a tail of the log whose list of files is incomplete"
        if one.encryptor:
            yield f"{one.label} needs the certificate with the thumbprint {one.encryptor} on the server that restores"


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]
