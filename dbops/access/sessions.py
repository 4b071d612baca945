"""Sessions: which account the server takes somebody for, and the one session that stands for each account.

An account stands for sessions from many hosts. Questions about an account are answered for its *canonical* session:
from the most ordinary place that its host pattern means, that no more specific account of the same user (or of anybody)
takes away, and that as few other patterns of that user as possible mean too. An account for which there is no such
place is shadowed: nobody ever gets it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from dbops.access.accounts import account_name, split_account
from dbops.access.hosts import Origin, fits_host, host_rank, origin_of, origins
from dbops.access.patterns import wildcard
from dbops.errors import UsageError
from dbops.model.access import AccessSnapshot, Matching, Principal

__all__ = ["Accounts", "Session", "from_host"]


class Session(msgspec.Struct, frozen=True):
    """Somebody at work.

    :param account: a principal, whose name, roles and rights on the whole server the session has; -1: nobody's.
    :param shadow: the account that always comes first, so that there is no such session; -1 for none.
    :param definer: something runs in it with the rights of its definer.
    """

    account: int
    user: str
    origin: Origin
    shadow: int = -1
    definer: bool = False


class Accounts:
    """The accounts of a snapshot in the order in which the server tries them."""

    def __init__(self, principals: Iterable[Principal], matching: Matching) -> None:
        self._matching = matching
        self._by_user: dict[str, _Hosts] = {}
        for number, one in enumerate(principals):
            if one.host and one.kind in ("user", "role") and one.account < 0:
                self._by_user.setdefault(one.user, _Hosts(matching)).add(number, one.host)

    def taken_for(self, user: str, origin: Origin, *, anonymous: bool = True) -> int:
        """The account of whoever comes as ``user`` from somewhere; -1: no account lets him in.

        :param anonymous: accounts without a user are for everybody.
        """
        names = self._names(user, anonymous=anonymous)
        found = [self._by_user[name].first(origin) for name in names if name in self._by_user]
        # Of equally specific hosts the one with a user in it.
        best = max((one for one in found if one is not None), key=lambda one: one[0], default=None)
        return -1 if best is None else best[1]

    def _names(self, user: str, *, anonymous: bool) -> list[str]:
        return [user, ""] if anonymous and user else [user]

    def _fitting(self, user: str, origin: Origin) -> int:
        """How many host patterns mean a place."""
        names = self._names(user, anonymous=True)
        return sum(self._by_user[name].count(origin) for name in names if name in self._by_user)

    def canonical(self, number: int, one: Principal) -> Session:
        """The session that stands for an account."""
        resolves, first = self._matching.resolves, -2
        best: tuple[int, Origin] | None = None
        for origin in origins(one.host, resolves=resolves):
            taken = self.taken_for(one.user, origin)
            first = taken if first == -2 else first
            if taken == number:
                others = self._fitting(one.user, origin)
                if best is None or others < best[0]:
                    best = others, origin
                if others == 1:  # its own alone: no other place is better
                    break
        if best is not None:
            return Session(number, one.user, best[1])
        origin = next(origins(one.host, resolves=resolves), Origin(one.host, one.host))
        return Session(number, one.user, origin, max(first, -1))


class _Hosts:
    """The host patterns of one user."""

    def __init__(self, matching: Matching) -> None:
        self._matching = matching
        self._exact: dict[str, int] = {}
        self._patterns: list[tuple[tuple[int, int], str, int]] = []
        self._sorted = True

    def add(self, number: int, host: str) -> None:
        if wildcard(host) or "/" in host:
            self._patterns.append((self._rank(host), host, number))
            self._sorted = False
        else:
            self._exact.setdefault(host.lower(), number)

    def _rank(self, host: str) -> tuple[int, int]:
        return host_rank(host, self._matching.order, self._matching.addresses_first)

    def _texts(self, origin: Origin) -> tuple[str, str]:
        """Name and address are equally specific; which is tried first is said of neither, and seen of both."""
        both = origin.host.lower(), origin.address
        return both if self._matching.order == "fewest" else (both[1], both[0])

    def _fitting(self, origin: Origin) -> Iterator[tuple[tuple[int, int], str, int]]:
        for text in self._texts(origin):
            if text and text in self._exact:
                yield self._rank(text), text, self._exact[text]
        if not self._sorted:
            if self._matching.order == "fewest":
                self._patterns.sort(key=lambda one: one[1], reverse=True)
            self._patterns.sort(key=lambda one: (-one[0][0], -one[0][1]))
            self._sorted = True
        for one in self._patterns:
            if fits_host(one[1], origin):
                yield one

    def first(self, origin: Origin) -> tuple[tuple[int, int], int] | None:
        """The rank and the account."""
        best: tuple[tuple[int, int], int] | None = None
        for rank, _, number in self._fitting(origin):
            if best is None or rank > best[0]:
                best = rank, number
        return best

    def count(self, origin: Origin) -> int:
        return sum(1 for _ in self._fitting(origin))


def from_host(snapshot: AccessSnapshot, text: str) -> tuple[AccessSnapshot, int] | None:
    """``alice@10.1.2.3``, no account but a user at one host: the snapshot with that session as a principal at its end.

    None for what is written otherwise, and on engines without such accounts.
    :raises UsageError: nobody of that name gets in from there.
    """
    both, matching = split_account(text), snapshot.rules.matching
    if both is None or matching is None or wildcard(both[1]) or "/" in both[1] or not both[1]:
        return None
    origin = origin_of(both[1], resolves=matching.resolves)
    number = Accounts(snapshot.principals, matching).taken_for(both[0], origin)
    if number < 0:
        raise UsageError(f"no account lets {both[0]!r} in from {both[1]}", hint=_own_accounts(snapshot, both[0]))
    account = snapshot.principals[number]
    one = msgspec.structs.replace(account, name=account_name(*both), user=account.user, host=both[1], account=number)
    return msgspec.structs.replace(snapshot, principals=(*snapshot.principals, one)), len(snapshot.principals)


def _own_accounts(snapshot: AccessSnapshot, user: str) -> str:
    names = [one.name for one in snapshot.principals if one.kind == "user" and one.user == user]
    return f"Accounts of that user: {', '.join(names)}." if names else f"There is no account of a user {user!r} at all."
