"""What questions stand on where rows are matched by pattern: the sessions, their roles, and which rows fit them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from dbops.access.actives import Actives
from dbops.access.hosts import fits_host
from dbops.access.session_list import SessionList
from dbops.access.sessions import Session
from dbops.model.access import AccessSnapshot, Matching

__all__ = ["Ground", "Matches", "ground"]


class Matches:
    """Which sessions the rows of a principal are for: by user and host, whatever their account is."""

    def __init__(self, snapshot: AccessSnapshot, sessions: Sequence[Session]) -> None:
        self._principals = snapshot.principals
        self._sessions = sessions
        self._by_user: dict[str, list[int]] = {}
        for number, session in enumerate(sessions):
            self._by_user.setdefault(session.user, []).append(number)
        self._known: dict[tuple[int, bool], int] = {}

    def of(self, principal: int, *, anonymous: bool) -> int:
        """:param anonymous: a row without a user is for everybody; else for sessions without a user alone."""
        found = self._known.get((principal, anonymous))
        if found is None:
            found = self._known[principal, anonymous] = self._fitting(principal, anonymous)
        return found

    def _fitting(self, principal: int, anonymous: bool) -> int:
        one = self._principals[principal]
        if not one.host:
            return 0
        everybody = anonymous and not one.user
        numbers: Iterable[int] = range(len(self._sessions)) if everybody else self._by_user.get(one.user, ())
        found = bytearray(len(self._sessions) // 8 + 1)
        for number in numbers:
            if fits_host(one.host, self._sessions[number].origin):
                found[number >> 3] |= 1 << (number & 7)
        return int.from_bytes(found, "little")


class Ground(NamedTuple):
    """A snapshot with what follows from its accounts and roles alone."""

    snapshot: AccessSnapshot
    matching: Matching
    sessions: SessionList
    actives: Actives
    matches: Matches


def ground(snapshot: AccessSnapshot, sessions: SessionList | None = None) -> Ground:
    """:param sessions: those of another snapshot with the same principals and definers."""
    matching = snapshot.rules.matching or Matching()
    listed = sessions or SessionList(snapshot, matching)
    return Ground(snapshot, matching, listed, Actives(snapshot, listed.all), Matches(snapshot, listed.all))
