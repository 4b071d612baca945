"""Principals and memberships of a snapshot, numbered as they are met."""

from __future__ import annotations

from collections.abc import Iterable

from dbops.access.accounts import account_name
from dbops.model.access import PUBLIC, Membership, Principal
from dbops_mysql.access.catalogue import Account, Member

__all__ = ["SKIPPED", "People"]

SKIPPED = "skip-grant-tables"
""":attr:`~dbops.model.access.Principal.settings` of the public, where rights do not count."""


class People:
    """Principal 0 is the public: MariaDB's role PUBLIC; on MySQL nobody grants to it.

    :param skipped: the server asks nobody who he is, which is a setting of the public's.
    """

    def __init__(self, accounts: Iterable[Account], *, skipped: bool = False) -> None:
        facts = (SKIPPED,) if skipped else ()
        self.principals: list[Principal] = [Principal(name="PUBLIC", kind="public", system=True, settings=facts)]
        self._numbers: dict[tuple[str, str], int] = {("PUBLIC", ""): PUBLIC}
        for one in accounts:
            if (one.user, one.host) == ("PUBLIC", ""):
                self.principals[PUBLIC] = Principal(
                    name="PUBLIC", kind="public", system=True, settings=("exists", *facts)
                )
            if (one.user, one.host) not in self._numbers:
                self._numbers[one.user, one.host] = len(self.principals)
                self.principals.append(_principal(one))

    def names(self) -> list[tuple[str, str]]:
        """Users and hosts of all that were met."""
        return list(self._numbers)

    def number(self, user: str, host: str) -> int:
        """Somebody whom a row speaks of. One that no account is belongs to an account that is gone, and still counts
        for sessions of others that it matches."""
        found = self._numbers.get((user, host))
        if found is None:
            found = self._numbers[user, host] = len(self.principals)
            self.principals.append(
                Principal(name=_name(user, host), kind="unknown", user=user if host else "", host=host)
            )
        return found

    def membership(self, one: Member) -> Membership:
        """A granted role."""
        return Membership(
            member=self.number(one.user, one.host),
            group=self.number(one.role, one.role_host),
            inherit=one.active,
            admin=one.admin,
            implicit=one.implicit,
            defining=one.defining,
        )


def _name(user: str, host: str) -> str:
    """A role of MariaDB has no host, and a name instead."""
    return account_name(user, host) if host else user


def _principal(one: Account) -> Principal:
    return Principal(
        name=_name(one.user, one.host),
        kind="role" if one.role else "user",
        attributes=one.attributes,
        connection_limit=one.connection_limit,
        password=one.password,
        system=one.system,
        settings=one.settings,
        user=one.user if one.host else "",
        host=one.host,
    )
