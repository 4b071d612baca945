"""For whom a principal counts where rights are covered and denied: the security contexts of everybody, as sets.

A server knows accounts and roles; each of its databases knows users and roles of its own. An account stands for itself,
for the roles that it is in, and in a database for the user that it is there, with his roles; everybody stands for the
role of everybody. A user by himself stands for nothing outside of his database.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cached_property

from dbops.access.closure import Closure, each
from dbops.model.access import PUBLIC, AccessSnapshot, Covering, Membership

__all__ = ["Contexts"]

Reaching = Callable[[str], int]


class Contexts(Closure):
    """Who stands for whom. A set of principals is an integer, bit *n* for principal *n*.

    :param reaching: who gets into a database by what he holds on the server, whether he is a user there or not.
    :param invited: whether the guest of a database may come in; asked of what is there without guests.
    """

    def __init__(
        self, snapshot: AccessSnapshot, covering: Covering, reaching: Reaching, invited: Callable[[str], bool]
    ) -> None:
        self._snapshot, self._covering = snapshot, covering
        self._reaching, self._invited = reaching, invited
        self.members = [set() for _ in snapshot.principals]
        for row in snapshot.memberships:
            if row.inherit:
                self.members[row.group].add(row.member)
        self._below: dict[int, int] = {}
        self._guests: dict[str, int] = {}
        self._inside: dict[str, int] = {}

    # -- principals by their names ------------------------------------------------------------------------------------

    @cached_property
    def _named(self) -> dict[tuple[str, str], int]:
        people = enumerate(self._snapshot.principals)
        return {(one.database, one.user or one.name): number for number, one in people}

    def named(self, database: str, name: str) -> int:
        """The position of a principal of a database (empty: of the server); -1 when there is none."""
        return self._named.get((database, name), -1)

    @cached_property
    def on_server(self) -> int:
        """The principals of the server itself."""
        return self._where(lambda database: not database)

    def of(self, database: str) -> int:
        """The principals of a database."""
        return self._of.get(database, 0)

    @cached_property
    def _of(self) -> dict[str, int]:
        names = {one.database for one in self._snapshot.principals if one.database}
        found = dict.fromkeys(names, 0)
        for number, one in enumerate(self._snapshot.principals):
            if one.database:
                found[one.database] |= 1 << number
        return found

    def _where(self, fits: Callable[[str], bool]) -> int:
        return sum(1 << number for number, one in enumerate(self._snapshot.principals) if fits(one.database))

    # -- who stands for whom ------------------------------------------------------------------------------------------

    def holders(self, group: int) -> int:
        """A principal itself and everybody in whose security context it is."""
        one = self._snapshot.principals[group]
        if group == PUBLIC:
            return self.on_server
        found = self.without_guests(group)
        if not one.database:
            return found
        if one.kind == "public":
            return found | self.inside(one.database)
        guest = self.named(one.database, self._covering.guest)
        if guest >= 0 and self.without_guests(group) >> guest & 1:
            found |= self.guests(one.database)
        return found

    def without_guests(self, group: int) -> int:
        """The same as far as memberships say it; a user is in the role of everybody of his database as well."""
        found = super().holders(group)
        one = self._snapshot.principals[group]
        return found | self.of(one.database) if one.kind == "public" and one.database else found

    def inside(self, database: str) -> int:
        """Everybody who is somebody in a database."""
        known = self._inside.get(database)
        if known is None:
            known = self.of(database) | self._mapped(database) | self.guests(database) | self.unbound
            self._inside[database] = known
        return known

    def guests(self, database: str) -> int:
        """The accounts that come into a database as its guest: those that are no user there, if he is invited, and
        else those of them whom a right on the server lets in."""
        known = self._guests.get(database)
        if known is None:
            known = self._accounts & ~self._mapped(database) & ~self.unbound
            if known and not self._invited(database):
                known &= self._reaching(database)
            self._guests[database] = known
        return known

    @cached_property
    def _accounts(self) -> int:
        people = enumerate(self._snapshot.principals)
        return sum(1 << number for number, one in people if not one.database and one.kind in ("user", "group"))

    def _mapped(self, database: str) -> int:
        found = 0
        for number in each(self.of(database)):
            found |= super().holders(number)
        return found & self.on_server

    # -- to whom nothing is denied ------------------------------------------------------------------------------------

    @cached_property
    def unbound(self) -> int:
        """The members of the role to which nothing is denied."""
        number = self.named("", self._covering.unbound)
        return super().holders(number) if number >= 0 else 0

    def owning(self, database: str) -> int:
        """Those who are the owner's user in a database, and the ones who are taken for him."""
        number = self.named(database, self._covering.owner)
        return self.unbound | (self.being(number) if number >= 0 else 0)

    def being(self, number: int) -> int:
        """A principal, and the accounts that are this one in its database; members of a role are not the role."""
        found = 1 << number
        for row in self._rows.get(number, ()):
            found |= 1 << row.member
        return found

    def account(self, number: int) -> int:
        """The account of the server that is a user of a database; the principal itself when there is none."""
        for row in self._rows.get(number, ()):
            return row.member
        return number

    @cached_property
    def _rows(self) -> dict[int, list[Membership]]:
        found: dict[int, list[Membership]] = {}
        for row in self._snapshot.memberships:
            if row.implicit and row.database:
                found.setdefault(row.group, []).append(row)
        return found

    def users(self, account: int) -> Iterable[int]:
        """Whom an account is in the databases."""
        return [row.group for row in self._snapshot.memberships if row.implicit and row.member == account]
