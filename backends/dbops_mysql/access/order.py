"""The order in which the server tries accounts and rows that are equally specific: that of its memory.

It is the order of the grant tables after a start, and that of the GRANT statements since. No table says it, but
``information_schema`` lists its privileges in it. That is asked for only where it decides something.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from dbops.access.hosts import host_rank
from dbops.access.patterns import specificity, wild_match
from dbops.model.access import Matching, RowOrder
from dbops.spi import Reader
from dbops_mysql.access.catalogue import Account, Right
from dbops_mysql.access.people import People
from dbops_mysql.statement import text

__all__ = ["in_turn", "turns"]

LONGEST_DATABASE = 64
Name = tuple[str, str]


def in_turn(reader: Reader, accounts: Sequence[Account], matching: Matching) -> list[Account]:
    """Accounts in the server's order, where some of one user have equally specific hosts."""
    equals: set[tuple[str, tuple[int, int]]] = set()
    tied = False
    for one in accounts:
        key = one.user, host_rank(one.host, matching.order, matching.addresses_first)
        tied = tied or key in equals
        equals.add(key)
    if not tied:
        return list(accounts)
    turn = {
        name: at
        for at, name in enumerate(dict.fromkeys(row[0] for row in reader.tuples(text("access_order_accounts"))))
    }
    return sorted(accounts, key=lambda one: turn.get(_grantee((one.user, one.host)), len(turn)))


def turns(
    reader: Reader, rights: Iterable[Right], databases: Sequence[str], people: People, matching: Matching
) -> tuple[RowOrder, ...]:
    """The turns of rows for databases, where two equally specific ones mean the same database."""
    rows = [one for one in rights if one.kind == "database"]
    if not matching.wildcards or not _tied(rows, databases, matching):
        return ()
    names = {_grantee(name): name for name in people.names()}
    listed = dict.fromkeys((row[0], row[1]) for row in reader.tuples(text("access_order_rows")))
    return tuple(
        RowOrder(people.number(*names[grantee]), database, at)
        for at, (grantee, database) in enumerate(listed)
        if grantee in names
    )


def _tied(rows: Iterable[Right], databases: Sequence[str], matching: Matching) -> bool:
    equals: dict[tuple[object, ...], set[Name]] = {}
    for one in rows:
        host = host_rank(one.host, matching.order, matching.addresses_first)
        key = one.user if one.host else "", host, specificity(one.path[0], matching.order, LONGEST_DATABASE)
        equals.setdefault(key, set()).add((one.host, one.path[0]))
    return any(
        sum(wild_match(pattern, name) for _, pattern in found) > 1
        for found in equals.values()
        if len(found) > 1
        for name in databases
    )


def _grantee(name: Name) -> str:
    """As ``information_schema`` writes it: quotes in a name are not doubled."""
    return f"'{name[0]}'@'{name[1]}'"
