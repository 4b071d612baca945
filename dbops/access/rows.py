"""Rows of rights on databases: which of them are for a database, and which one counts for whom.

Sources: ``acl_get`` and ``Security_context::db_acl`` of MySQL, ``find_by_username_or_anon`` and the merging of roles of
MariaDB; each is checked against the servers by a differential test.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from dbops.access.ground import Ground
from dbops.access.hosts import Origin, fits_host, host_rank
from dbops.access.patterns import plain, row_text, specificity, wild_match, wildcard
from dbops.model.access import SecuredObject

__all__ = ["UNKNOWN", "DatabaseRows", "Row", "by_bytes", "give", "unsure"]

LONGEST_DATABASE = 64
UNKNOWN = 1 << 62
"""The turn of a row that has none: after the others, by its text."""
Rank = tuple[tuple[int, int], int, bool]


class Row(msgspec.Struct, frozen=True, gc=False):
    """Rights of one principal on the databases that ``text`` means; ``turn`` is its place among equals."""

    principal: int
    text: str
    actions: int
    object: int
    turn: tuple[int, bytes]
    rank: Rank


class DatabaseRows:
    """All rows of a snapshot that are about databases."""

    def __init__(self, ground: Ground) -> None:
        snapshot, matching, actives = ground.snapshot, ground.matching, ground.actives
        self._snapshot, self._matching = snapshot, matching
        self._matches, self._actives = ground.matches, actives
        self.replacing = actives.any_role() if matching.roles == "replace" else 0
        self._exact: dict[str, list[Row]] = {}
        self._patterns: dict[str, list[Row]] = {}
        self._turns = {(one.principal, one.text): one.place for one in snapshot.row_order}
        for number, one in enumerate(snapshot.objects):
            if one.kind in ("database", "pattern") and snapshot.acls[one.acl]:
                self._index(number, one)

    def fold(self, name: str) -> str:
        """A name of a database as it is compared."""
        return name.lower() if self._matching.fold else name

    def _index(self, number: int, one: SecuredObject) -> None:
        wildcards = self._matching.wildcards
        text = self.fold(one.path[0] if one.kind == "pattern" else row_text(one.path[0], wildcards=wildcards))
        means_one = not wildcards or not wildcard(text)
        into = self._exact if means_one else self._patterns
        key = plain(text) if wildcards and means_one else text
        for grant in self._snapshot.acls[one.acl]:
            if grant.actions:
                turn, rank = self._turn(grant.grantee, text), self._rank(grant.grantee, text)
                row = Row(grant.grantee, text, grant.actions, number, turn, rank)
                into.setdefault(key, []).append(row)

    def _turn(self, principal: int, text: str) -> tuple[int, bytes]:
        return self._turns.get((principal, text), UNKNOWN), text.encode()

    def _rank(self, principal: int, text: str) -> Rank:
        one, matching = self._snapshot.principals[principal], self._matching
        host = host_rank(one.host, matching.order, matching.addresses_first)
        return host, specificity(text, matching.order, LONGEST_DATABASE), bool(one.user)

    def fitting(self, name: str) -> list[Row]:
        """The rows that mean a database, the most specific first."""
        found = list(self._exact.get(name, ()))
        for text, rows in self._patterns.items():
            if wild_match(text, name):
                found += rows
        return sorted(found, key=_first)

    # -- who has what -----------------------------------------------------------------------------------------------

    def allowed(self, name: str, width: int) -> list[int]:
        """For each action of a database, the sessions that have it by a row.

        :param width: how many actions there are.
        """
        allowed = [0] * width
        rows = self.fitting(self.fold(name))
        self._matched(rows, allowed)
        if self._matching.roles == "replace":
            self._replaced(self.fold(name), rows, allowed)
        else:
            self._added(rows, allowed)
        return allowed

    def _matched(self, rows: Sequence[Row], allowed: list[int]) -> None:
        """One row alone counts for a session: the first one that matches it."""
        done = self.replacing
        for row in rows:
            targets = self._matches.of(row.principal, anonymous=True) & ~done
            if targets:
                done |= targets
                give(allowed, row.actions, targets)

    def _replaced(self, name: str, rows: Sequence[Row], allowed: list[int]) -> None:
        """With a role active: rows of the account and its roles; an exact name, else the first pattern by its bytes."""
        open_ = self.replacing
        for text in by_bytes(name, rows):
            same = [(row, self._actives.holders(row.principal) & open_) for row in rows if row.text == text]
            for row, targets in same:
                give(allowed, row.actions, targets)
                open_ &= ~targets

    def _added(self, rows: Sequence[Row], allowed: list[int]) -> None:
        """What active roles have is added; a role and all that it was granted are one, and one of its rows counts."""
        for role, sessions in self._actives.begun.items():
            give(allowed, self.of_role(role, rows), sessions)

    def of_role(self, role: int, rows: Sequence[Row]) -> int:
        """The actions that a role has by rows that mean one database."""
        counting = self.rows_of_role(role, rows)
        return _joined(counting)

    def rows_of_role(self, role: int, rows: Sequence[Row]) -> list[Row]:
        """Those that count, all of the same text; equals in the turn of the role, whoever was granted them."""
        leads = self._actives.leads(role)
        mine = [row for row in rows if row.principal in leads]
        if mine:
            best = [row for row in mine if row.rank == mine[0].rank]
            text = min((row.text for row in best), key=lambda text: self._turn(role, text))
            return [row for row in best if row.text == text]
        return [row for row in rows if self._for_nowhere(row, role)][:1]

    def _for_nowhere(self, row: Row, role: int) -> bool:
        """Looked up like an account at no host, a role without a row also finds those of accounts of its name, and of
        nobody, that are for every host."""
        one = self._snapshot.principals[row.principal]
        name = self._snapshot.principals[role].name
        return bool(one.host) and one.user in ("", name) and fits_host(one.host, Origin())


def _first(row: Row) -> tuple[tuple[int, int], int, bool, tuple[int, bytes]]:
    host, database, user = row.rank
    return (-host[0], -host[1]), -database, not user, row.turn


def by_bytes(name: str, rows: Sequence[Row]) -> list[str]:
    """Texts in the order in which they are tried when roles are active: the exact name, then patterns.

    A text with ``_`` or ``%`` in it is among the patterns, even where these letters are escaped or taken literally.
    """
    texts = {row.text for row in rows}
    exact = [name] if name in texts and not unsure(name) else []
    return exact + sorted((text for text in texts if unsure(text)), key=str.encode)


def unsure(text: str) -> bool:
    """It has a letter in it that could be a wildcard."""
    return "_" in text or "%" in text


def give(allowed: list[int], actions: int, sessions: int) -> None:
    """Add sessions to the sets of some actions."""
    if not sessions:
        return
    at = 0
    while actions:
        if actions & 1:
            allowed[at] |= sessions
        actions >>= 1
        at += 1


def _joined(rows: Iterable[Row]) -> int:
    found = 0
    for row in rows:
        found |= row.actions
    return found
