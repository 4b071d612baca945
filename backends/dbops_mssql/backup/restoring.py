"""The steps of a restore: the sets in their order, all left open, then recovery; always under a new name."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from dbops.errors import InputError, UsageError
from dbops.model.backup import BackupRecord, Chain, Destination, Until
from dbops.model.recovery import ChainChoice, Nearest, Reachability
from dbops.plan import Call, Hold, Opening, Risk, Step
from dbops_mssql.backup import tsql
from dbops_mssql.backup.dial import placed, remembered
from dbops_mssql.backup.history import carried, dated
from dbops_mssql.backup.sequence import Goal, Sequenced, find
from dbops_mssql.backup.sets import KIND_WORDS, BackupSet, Kind, Restored

__all__ = ["compile_restore", "goal_of", "restored", "sequence", "sequenced"]

DESTINATION = "destination"


def sequence(records: Sequence[BackupRecord], until: Until, databases: Sequence[str]) -> ChainChoice:
    """Pure: the records that hold the sets for these databases, oldest first.

    :raises UsageError: the server's clock was never in the time zone that ``until`` names.
    """
    records = [dated(one, until.zone) for one in records]
    found = {name: sequenced(records, until, name) for name in databases}
    if not found:
        return ChainChoice(verdict=Reachability.UNREACHABLE, reason="No backup of any database is known.")
    worst = max(found.values(), key=lambda one: _BADNESS[one.verdict])
    several = len(found) > 1
    uuids = {one.uuid for answer in found.values() for one in answer.sets}
    instants = [one.recovers_to for one in found.values() if one.recovers_to is not None]
    return ChainChoice(
        verdict=worst.verdict,
        reason="; ".join(f"{name}: {one.reason}" if several else one.reason for name, one in found.items()),
        chain=_holding(records, uuids) if worst.verdict is Reachability.REACHABLE else (),
        missing=tuple(said for one in found.values() for said in one.missing),
        nearest=worst.nearest if not several else Nearest(),
        recovers_to=min(instants, default=None),
        notes=tuple(dict.fromkeys(note for one in found.values() for note in one.notes)),
    )


_BADNESS = {Reachability.REACHABLE: 0, Reachability.UNKNOWN: 1, Reachability.UNREACHABLE: 2}


def _holding(records: Iterable[BackupRecord], uuids: set[str]) -> tuple[BackupRecord, ...]:
    """Each set from one record, the catalogue's before the server's own memory of the same set."""
    chosen: list[BackupRecord] = []
    left = set(uuids)
    for record in records:
        own = {one.uuid for one in carried(record).sets} & left
        if own:
            chosen.append(record)
            left -= own
    return tuple(sorted(chosen, key=_age))


def _age(record: BackupRecord) -> tuple[datetime, int, str]:
    """Two backups may end in one second, which is as fine as msdb counts; the log counts finer."""
    return record.finished_at, max((one.last_lsn for one in carried(record).sets), default=0), record.id


def sequenced(records: Sequence[BackupRecord], until: Until, database: str) -> Sequenced:
    """Pure: the sets for one database."""
    sets, restores = _known(records, until.zone)
    if until.kind != "name":
        return find(sets, database, goal_of(until), restores)
    record = next((one for one in records if one.id == until.value), None)
    last = next((one for one in _sets(record, until.zone) if one.database == database), None) if record else None
    if last is None:
        return Sequenced(verdict=Reachability.UNREACHABLE, reason=f"There is no backup {until.value} of {database}.")
    own = [one for one in sets if one.family == last.family]
    before = [one for one in own if one.uuid == last.uuid or one.last_lsn < last.last_lsn]
    found = find([last] if last.kind is Kind.FULL else before, database, Goal(), restores)
    if found.verdict is Reachability.REACHABLE and found.sets[-1].uuid != last.uuid:
        reason = f"What {last.label} builds on is not known or not whole."
        return Sequenced(verdict=Reachability.UNREACHABLE, reason=reason, missing=("a full backup",))
    return found


def _known(records: Iterable[BackupRecord], zone: str) -> tuple[list[BackupSet], tuple[Restored, ...]]:
    sets: list[BackupSet] = []
    restores: dict[Restored, None] = {}
    for record in records:
        sets += _sets(record, zone)
        restores |= dict.fromkeys(remembered(one, zone) for one in carried(record).restores)
    return sets, tuple(restores)


def _sets(record: BackupRecord, zone: str) -> list[BackupSet]:
    return [placed(one, zone) for one in carried(record).sets]


def goal_of(until: Until) -> Goal:
    """:raises InputError: a position that is no log sequence number."""
    if until.kind == "time":
        return Goal(time=until.time)
    if until.kind == "position":
        return Goal(lsn=_lsn(until.value))
    return Goal()


def _lsn(text: str) -> int:
    """25 digits, or the three hexadecimal numbers that fn_dblog shows: file, block, slot."""
    if text.isdigit():
        return int(text)
    parts = text.split(":")
    if len(parts) != 3:
        raise InputError(f"{text} is no log sequence number of SQL Server", hint="Write it as 0000001a:00000140:0001.")
    file, block, slot = (int(part, 16) for part in parts)
    return (file * 10**10 + block) * 10**5 + slot


def compile_restore(chain: Chain, destination: Destination, until: Until) -> tuple[Step, ...]:
    """Pure.

    :raises UsageError: it goes elsewhere than into one new database of an instance.
    """
    if destination.kind != "instance" or len(destination.only) != 1 or not destination.database:
        raise UsageError(
            "a backup of SQL Server goes into a new database of an instance",
            hint="Say --database NAME and --into mssql://host/NEW_NAME.",
        )
    target = tsql.into(destination.database, destination.paths, destination.data, destination.log)
    found = sequenced(chain.records, until, destination.only[0])
    steps = restored(found, target, DESTINATION, "restore")
    return (held("new", destination.database, DESTINATION, steps, keep=True),)


def restored(found: Sequenced, target: tsql.Target, endpoint: str, prefix: str) -> tuple[Step, ...]:
    """The sets, then recovery.

    :raises InputError: there is no sequence.
    """
    if not found.sets:
        raise InputError(found.reason)
    steps: list[Step] = [
        Call(
            id=f"{prefix}-{number}",
            summary=f"restore {one.label} and leave the database open for more",
            risk=Risk.WRITE,
            provider="backend",
            operation="restore.run",
            arguments={
                "sql": tsql.restore(one, target, found.stop),
                "bytes": one.bytes,
                "what": f"{KIND_WORDS[one.kind]} {number}",
            },
            endpoint=endpoint,
        )
        for number, one in enumerate(found.sets, 1)
    ]
    steps.append(
        Call(
            id=f"{prefix}-recover",
            summary=f"bring {target.database} online",
            risk=Risk.WRITE,
            provider="backend",
            operation="restore.run",
            arguments={"sql": tsql.recover(target.database), "what": "recovery"},
            endpoint=endpoint,
        )
    )
    return tuple(steps)


def held(step: str, database: str, endpoint: str, steps: Sequence[Step], *, keep: bool) -> Hold:
    """Steps that make and use a database whose name is free."""
    return Hold(
        id=step,
        summary=f"make sure that nothing is called {database}",
        risk=Risk.WRITE,
        opening=Opening(what="new_database", arguments={"database": database, "keep": keep}, endpoint=endpoint),
        steps=tuple(steps),
        close="" if keep else f"drop {database}",
    )
