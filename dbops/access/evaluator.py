"""Which evaluator answers for a snapshot: its rules say how rights find the ones that they are for."""

from __future__ import annotations

from datetime import datetime

from dbops.access.covered import Covered
from dbops.access.effective import Effective
from dbops.access.matched import Matched
from dbops.model.access import AccessSnapshot

__all__ = ["evaluator"]


def evaluator(snapshot: AccessSnapshot, now: datetime) -> Effective:
    """The evaluator of a snapshot.

    :param now: decides which accounts have expired.
    """
    if snapshot.rules.covering is not None:
        return Covered(snapshot, now)
    return Effective(snapshot, now) if snapshot.rules.matching is None else Matched(snapshot, now)
