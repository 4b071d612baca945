"""The steps of a restore: the sets in their order, all left open, then recovery; always under a new name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import cast

import msgspec

from dbops.errors import InputError, UsageError
from dbops.model.backup import BackupRecord, Chain, Destination, Until
from dbops.model.recovery import ChainChoice, Nearest, Reachability
from dbops.plan import Call, Hold, Json, Opening, Risk, Step
from dbops_mssql.backup import tsql
from dbops_mssql.backup.dial import placed, remembered
from dbops_mssql.backup.history import carried, dated
from dbops_mssql.backup.sequence import After, Goal, Sequenced, find
from dbops_mssql.backup.sets import KIND_WORDS, BackupSet, Kind, Restored

__all__ = ["compile_restore", "decided", "goal_of", "restored", "sequence", "sequenced"]

DESTINATION = "destination"


def sequence(records: Sequence[BackupRecord], until: Until, databases: Sequence[str], after: str = "") -> ChainChoice:
    """Pure: the records that hold the sets for these databases, oldest first.

    :raises UsageError: the server's clock was never in the time zone that ``until`` names.
    """
    records = [dated(one, until.zone) for one in records]
    found = {name: sequenced(records, until, name, after) for name in databases}
    if not found:
        return ChainChoice(verdict=Reachability.UNREACHABLE, reason="No backup of any database is known.")
    worst = max(found.values(), key=lambda one: _BADNESS[one.verdict])
    several = len(found) > 1
    needed = [one for answer in found.values() for one in (answer.inside, *answer.sets) if one]
    instants = [one.recovers_to for one in found.values() if one.recovers_to is not None]
    return ChainChoice(
        verdict=worst.verdict,
        reason="; ".join(f"{name}: {one.reason}" if several else one.reason for name, one in found.items()),
        chain=_holding(records, needed) if worst.verdict is Reachability.REACHABLE else (),
        missing=tuple(said for one in found.values() for said in one.missing),
        nearest=worst.nearest if not several else Nearest(),
        recovers_to=min(instants, default=None),
        notes=tuple(dict.fromkeys(note for one in found.values() for note in one.notes)),
        extra={name: _chosen(one) for name, one in found.items()},
    )


class _Chosen(msgspec.Struct, frozen=True):
    """What was decided from all sets that are known, which a chain alone would not tell again."""

    sets: tuple[str, ...]
    stop: Goal
    inside: str = ""
    recovers_to: datetime | None = None


def _chosen(found: Sequenced) -> Json:
    sets = tuple(one.uuid for one in found.sets)
    chosen = _Chosen(sets, found.stop, found.inside.uuid if found.inside else "", found.recovers_to)
    return cast(Json, msgspec.to_builtins(chosen))


def decided(chain: Chain, until: Until, database: str, after: str = "") -> Sequenced:
    """Pure: the sets of a chain for one database, as it was decided when the chain was chosen."""
    if database not in chain.extra:
        return sequenced(chain.records, until, database, after)
    chosen = msgspec.convert(chain.extra[database], _Chosen)
    by_uuid = {one.uuid: one for one in _known(chain.records, until.zone)[0]}
    return Sequenced(
        verdict=Reachability.REACHABLE,
        reason="",
        sets=tuple(by_uuid[one] for one in chosen.sets),
        stop=chosen.stop,
        inside=by_uuid.get(chosen.inside),
        recovers_to=chosen.recovers_to,
    )


_BADNESS = {Reachability.REACHABLE: 0, Reachability.UNKNOWN: 1, Reachability.UNREACHABLE: 2}


def _holding(records: Iterable[BackupRecord], needed: Sequence[BackupSet]) -> tuple[BackupRecord, ...]:
    """Each set from one record, the catalogue's before the server's own memory of the same set; the one that ends with
    the last set comes last. Two may end in one second, which is as fine as msdb counts; the log counts finer."""
    left = {one.uuid: (one.ended.latest, one.last_lsn) for one in needed}
    chosen: list[tuple[tuple[datetime, int], BackupRecord]] = []
    for record in records:
        own = [left.pop(one.uuid) for one in carried(record).sets if one.uuid in left]
        if own:
            chosen.append((max(own), record))
    return tuple(record for _, record in sorted(chosen, key=lambda one: (one[0], one[1].id)))


def sequenced(records: Sequence[BackupRecord], until: Until, database: str, after: str = "") -> Sequenced:
    """Pure: the sets for one database."""
    sets, restores = _known(records, until.zone)
    inside = msgspec.json.decode(after, type=After) if after else None
    if until.kind != "name":
        return find(sets, database, goal_of(until), restores, inside)
    record = next((one for one in records if one.id == until.value), None)
    last = next((one for one in _sets(record, until.zone) if one.database == database), None) if record else None
    if last is None:
        return Sequenced(verdict=Reachability.UNREACHABLE, reason=f"There is no backup {until.value} of {database}.")
    own = [one for one in sets if one.family == last.family]
    before = [one for one in own if one.uuid == last.uuid or one.last_lsn < last.last_lsn]
    found = find([last] if last.kind is Kind.FULL else before, database, Goal(), restores, inside)
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
    found = decided(chain, until, destination.only[0], destination.after)
    if not found.sets:
        raise InputError(found.reason)
    steps = (*_each(found, target, DESTINATION, "restore"), _last(found, target, destination))
    if destination.after:
        return (_onto(destination, steps),)
    major = found.sets[-1].version[0] if destination.standby and found.sets[-1].version else 0
    return (held("new", destination.database, DESTINATION, steps, keep=True, major=major),)


def _last(found: Sequenced, target: tsql.Target, destination: Destination) -> Call:
    if not destination.standby:
        return _recover(target, DESTINATION, "restore")
    undo = tsql.undo_file(found.sets[0], target)
    return Call(
        id="restore-standby",
        summary=f"let {target.database} be read; it takes more logs later, as long as {undo} is kept",
        risk=Risk.WRITE,
        provider="backend",
        operation="restore.run",
        arguments={"sql": tsql.standby(target.database, undo), "what": "recovery for readers"},
        endpoint=DESTINATION,
    )


def _onto(destination: Destination, steps: Sequence[Step]) -> Hold:
    return Hold(
        id="onto",
        summary=f"make sure that {destination.database} is as it was found: open for more logs",
        risk=Risk.WRITE,
        opening=Opening(
            what="open_database",
            arguments={"database": destination.database, "after": destination.after},
            endpoint=DESTINATION,
        ),
        steps=tuple(steps),
    )


def restored(found: Sequenced, target: tsql.Target, endpoint: str, prefix: str) -> tuple[Step, ...]:
    """The sets, then recovery.

    :raises InputError: there is no sequence.
    """
    if not found.sets:
        raise InputError(found.reason)
    return (*_each(found, target, endpoint, prefix), _recover(target, endpoint, prefix))


def _each(found: Sequenced, target: tsql.Target, endpoint: str, prefix: str) -> Iterator[Step]:
    made = {file.number for file in found.inside.files} if found.inside else set[int]()
    for number, one in enumerate(found.sets, 1):
        yield Call(
            id=f"{prefix}-{number}",
            summary=f"restore {one.label} and leave the database open for more",
            risk=Risk.WRITE,
            provider="backend",
            operation="restore.run",
            arguments={
                "sql": tsql.restore(one, target, found.stop, made),
                "bytes": one.bytes,
                "what": f"{KIND_WORDS[one.kind]} {number}",
            },
            endpoint=endpoint,
        )
        made |= {file.number for file in one.files}


def _recover(target: tsql.Target, endpoint: str, prefix: str) -> Call:
    return Call(
        id=f"{prefix}-recover",
        summary=f"bring {target.database} online",
        risk=Risk.WRITE,
        provider="backend",
        operation="restore.run",
        arguments={"sql": tsql.recover(target.database), "what": "recovery"},
        endpoint=endpoint,
    )


def held(step: str, database: str, endpoint: str, steps: Sequence[Step], *, keep: bool, major: int = 0) -> Hold:
    """Steps that make and use a database whose name is free.

    :param major: of the only version that can do it; 0 for any.
    """
    return Hold(
        id=step,
        summary=f"make sure that nothing is called {database}",
        risk=Risk.WRITE,
        opening=Opening(
            what="new_database", arguments={"database": database, "keep": keep, "major": major}, endpoint=endpoint
        ),
        steps=tuple(steps),
        close="" if keep else f"drop {database}",
    )
