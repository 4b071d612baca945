"""What logs are restored onto: a full set, or one with the differential that counts from it.

A differential names its base by ``differential_base_guid``, and ``differential_base_lsn`` is that base's
``checkpoint_lsn``. One with several bases (a file was backed up by itself since) names none: each of its files does.
One whose bases are files alone is not taken: which full set to put under them is left to a person.
COPY_ONLY sets are no base of a differential, and begin a chain of logs as well as any.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import NamedTuple

from dbops_mssql.backup.clock import RESOLUTION, Span, span
from dbops_mssql.backup.sets import BackupSet, Kind
from dbops_mssql.backup.walk import State

__all__ = ["Base", "bases"]


class Base(NamedTuple):
    """Sets in the order of restoring, all of them whole.

    :param inside: they are in the database already, which an earlier restore left open for more.
    :param stopped: that restore stopped at this local time inside of the last of them, a log: it holds what comes next.
    """

    sets: tuple[BackupSet, ...]
    inside: bool = False
    stopped: datetime | None = None

    @property
    def to_restore(self) -> tuple[BackupSet, ...]:
        """What is not in the database yet."""
        return () if self.inside else self.sets

    @property
    def state(self) -> State:
        """What the database is at after them."""
        last = self.sets[-1]
        return State(last.first_fork, last.first_lsn) if self.stopped else State(last.last_fork, last.last_lsn)

    @property
    def ended(self) -> Span:
        """The instant of that state, which is not before it. Times are kept to the second."""
        last = self.sets[-1]
        end = span(self.stopped, last.zone, last.where) if self.stopped else last.ended
        return Span(end.earliest, end.latest + RESOLUTION)


def bases(usable: Iterable[BackupSet]) -> tuple[Base, ...]:
    """Everything that logs can be restored onto, the newest first."""
    by_uuid = {one.uuid: one for one in usable}
    fulls = [Base((one,)) for one in by_uuid.values() if one.kind is Kind.FULL]
    differentials = [found for one in by_uuid.values() for found in _based(one, by_uuid)]
    return tuple(sorted([*fulls, *differentials], key=lambda one: (one.ended.latest, one.state.lsn), reverse=True))


def _based(one: BackupSet, by_uuid: dict[str, BackupSet]) -> Iterator[Base]:
    if one.kind is not Kind.DIFFERENTIAL:
        return
    under = [by_uuid[base] for base in one.bases if base in by_uuid]
    fulls = [base for base in under if base.kind is Kind.FULL]
    if not under or len(under) != len(one.bases) or len(fulls) != 1 or any(base.copy_only for base in under):
        return
    if len(under) == 1 and one.base_lsn is not None and fulls[0].checkpoint_lsn not in (0, one.base_lsn):
        return
    if any(base.kind not in (Kind.FULL, Kind.FILE) for base in under):
        return
    files = sorted((base for base in under if base.kind is Kind.FILE), key=lambda base: base.last_lsn)
    yield Base((*fulls, *files, one))
