"""Where the order in the server's memory decides, and nothing that was read says what it is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby

from dbops.access.matched import Matched
from dbops.access.rows import UNKNOWN
from dbops.model.access import SecuredObject

__all__ = ["undecided"]


def undecided(effective: Matched, one: SecuredObject, action: str) -> int:
    """For whom two equally specific rows say different things; whoever has the action otherwise may be among them."""
    found, at = 0, one if action in effective.snapshot.kind(one).actions else None
    while at is not None and action in effective.snapshot.kind(at).actions:
        found |= _torn(_equals(effective, at, action), effective.rows.replacing)
        at = effective.snapshot.objects[at.parent] if at.parent >= 0 else None
    return found & effective.everybody


def _equals(effective: Matched, one: SecuredObject, action: str) -> Iterator[list[tuple[int, bool]]]:
    """Groups of equally specific rows: for whom each is, and whether it gives the action."""
    number = effective.snapshot.kind(one).actions.index(action)
    if one.kind == "database":
        rows = [row for row in effective.rows.fitting(effective.rows.fold(one.path[0])) if row.turn[0] == UNKNOWN]
        for _, same in groupby(rows, key=lambda row: row.rank):
            yield [
                (effective.matches.of(row.principal, anonymous=True), bool(row.actions >> number & 1)) for row in same
            ]
    elif one.kind not in ("server", "pattern", "account"):
        giving = {row.grantee for row in effective.snapshot.grants(one) if row.actions >> number & 1}
        matches = effective.objects.matches_for(one)
        owners = sorted(effective.objects.owners(one), key=effective.objects.turn)
        for _, equal in groupby(owners, key=lambda row: effective.objects.turn(row)[:2]):
            yield [(matches.of(row, anonymous=False), row in giving) for row in equal]


def _torn(groups: Iterable[list[tuple[int, bool]]], done: int) -> int:
    """Sessions for which rows of one group differ; ``done`` are those that no row is for any more."""
    found = 0
    for group in groups:
        yes = no = 0
        for sessions, gives in group:
            yes, no = (yes | sessions, no) if gives else (yes, no | sessions)
        found |= yes & no & ~done
        done |= yes | no
    return found
