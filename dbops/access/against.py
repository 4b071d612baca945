"""What is said of a column against what its table says to the same grantee, as undoing it must know.

There is a row for a column where it is unlike its table, and a REVOKE leaves one too: the column then has nothing of
what its table says. To be like the table again it has to be said of the column what is said of the table.
https://learn.microsoft.com/sql/relational-databases/system-catalog-views/sys-database-permissions-transact-sql
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from dbops.access.simulate import Simulation
from dbops.model.access import AccessSnapshot
from dbops.model.change import AddGrant, Change

__all__ = ["against_tables"]


def against_tables(snapshot: AccessSnapshot, changes: Sequence[Change]) -> tuple[Change, ...]:
    """The same changes in the same order, those of columns parted into what their tables say the opposite of and the
    rest."""
    if snapshot.rules.covering is None or not any(_of_column(change) for change in changes):
        return tuple(changes)
    working, found = Simulation(snapshot), list[Change]()
    for change in changes:
        found += _parted(working, change) if isinstance(change, AddGrant) and _of_column(change) else [change]
        working.apply(change)
    return tuple(found)


def _of_column(change: Change) -> bool:
    return isinstance(change, AddGrant) and change.object.kind == "column"


def _parted(working: Simulation, change: AddGrant) -> Iterator[AddGrant]:
    opposite = _opposite(working, change)
    for against in (True, False):
        actions = tuple(action for action in change.actions if (action in opposite) is against)
        if actions:
            yield msgspec.structs.replace(change, actions=actions, against=against)


def _opposite(working: Simulation, change: AddGrant) -> set[str]:
    """The actions that the table denies to the grantee of a grant, or grants to whom the column is denied."""
    table = working.objects[working.place(change.object)].parent
    kind, grantee = working.kind(table), working.numbers[change.principal]
    return {
        action
        for row in working.entries(table).values()
        if row.grantee == grantee
        for action in kind.names(row.actions if change.deny else row.denied)
    }
