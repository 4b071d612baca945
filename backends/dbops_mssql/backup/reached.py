"""What each backup set made it possible to bring back, for every moment of the past: full sets, and logs onto them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import pairwise

from dbops.model.backup import BackupRecord, Verdict
from dbops.model.recovery import Reached
from dbops_mssql.backup.bases import Base, bases
from dbops_mssql.backup.facts import SYSTEM
from dbops_mssql.backup.forks import Forks, Sure
from dbops_mssql.backup.history import carried
from dbops_mssql.backup.sets import BackupSet, Kind, Restored, unusable
from dbops_mssql.backup.walk import Logs, Way, walk

__all__ = ["reached"]

HOUR = timedelta(hours=1)


def reached(records: Sequence[BackupRecord], databases: Sequence[str]) -> dict[str, tuple[Reached, ...]]:
    """Pure: by database, each set that a restore can end with, the first time that it could.

    :param databases: none: all of the newest backup of the whole server, but for those that belong to the instance.
    """
    by_uuid: dict[str, tuple[BackupSet, BackupRecord]] = {}
    restores: dict[Restored, None] = {}
    failed: set[str] = set()
    for record in records:
        held = carried(record)
        restores |= dict.fromkeys(held.restores)
        for one in held.sets:
            by_uuid.setdefault(one.uuid, (one, record))
        if record.proof is not None and record.proof.verdict is Verdict.FAILED:
            failed |= {one.uuid for one in held.sets}
    by_uuid = {uuid: found for uuid, found in by_uuid.items() if uuid not in failed}
    names = tuple(databases) or _wanted(records)
    return {name: tuple(_points(name, by_uuid, tuple(restores))) for name in names}


def _wanted(records: Sequence[BackupRecord]) -> tuple[str, ...]:
    whole = max((one for one in records if one.whole), key=lambda one: one.started_at, default=None)
    every = sorted({name for one in ([whole] if whole else records) for name in one.databases})
    return tuple(name for name in every if name not in SYSTEM) or tuple(every)


def _points(
    name: str, by_uuid: dict[str, tuple[BackupSet, BackupRecord]], restores: Sequence[Restored]
) -> Iterator[Reached]:
    sets = [one for one, _ in by_uuid.values()]
    for family in {one.family for one in sets if one.database == name}:
        known = _Known([one for one in sets if one.family == family], name, restores)
        for one, published, since in known.ends():
            instant = one.reach.earliest if one.kind is Kind.LOG else one.began.earliest
            yield Reached(published=published, instant=instant, since=since, record=by_uuid[one.uuid][1])


class _Known:
    """The sets of one database through all of its restores."""

    def __init__(self, sets: Sequence[BackupSet], name: str, restores: Sequence[Restored]) -> None:
        usable = [one for one in sets if not unusable(one)]
        own = [one for one in sets if one.database == name]
        self.logs = Logs(one for one in usable if one.kind is Kind.LOG)
        self.forks = Forks(own, [one for one in restores if one.database == name])
        self.bases = bases(usable)
        self.turned = _turned(own)

    def ends(self) -> Iterator[tuple[BackupSet, datetime, datetime | None]]:
        """Sets that a restore can end with, each with the first moment at which it could, and with the instant after
        which it reaches every one."""
        found: dict[str, tuple[BackupSet, datetime, datetime | None]] = {}
        for base in self.bases:
            for one, published, since in self._onto(base):
                before = found.get(one.uuid)
                if self.forks.seen(one.last_fork) and (before is None or published < before[1]):
                    found[one.uuid] = one, published, since
        yield from found.values()

    def _onto(self, base: Base) -> Iterator[tuple[BackupSet, datetime, datetime | None]]:
        published = max(one.ended.latest for one in base.sets)
        yield base.sets[-1], published, None
        # Ways are linked from their ends: what was known before the last log is looked up by the way that it follows.
        moments: dict[int, tuple[Way, datetime]] = {}
        for way, log in walk(self.logs, base.state, lambda _: True):
            if id(way) not in moments:
                before = moments[id(way.before)][1] if way.before else published
                moments[id(way)] = way, max(before, way.log.ended.latest if way.log else published)
            yield log, max(moments[id(way)][1], log.ended.latest), self._since(base, way, log)

    def _since(self, base: Base, way: Way, log: BackupSet) -> datetime | None:
        """Where the stretch begins whose every instant this log can be stopped at: after all that comes before it."""
        since = way.log.reach.latest if way.log else base.ended.latest
        one_fork = log.first_fork == log.last_fork and self.forks.born(log.last_fork, since) is Sure.YES
        turned = any(since < later and earlier < log.reach.earliest for earlier, later in self.turned)
        sure = one_fork and not turned and not log.bulk_logged and log.zone is not None
        return since if sure and since < log.reach.earliest else None


def _turned(sets: Sequence[BackupSet]) -> list[tuple[datetime, datetime]]:
    """When the server's clock was put back or forward, and an hour before and after, which it may have shown twice."""
    known = sorted((one.began.earliest, one.zone) for one in sets if one.zone is not None)
    return [(here - HOUR, there + HOUR) for (here, zone), (there, other) in pairwise(known) if zone != other]
