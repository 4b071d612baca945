"""What every rule of an audit of SQL Server is handed: a snapshot, its answers, and the T-SQL of remedies."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property

from dbops.access.closure import each
from dbops.access.covered import Covered
from dbops.access.effective import Effective
from dbops.access.escalation import Escalation, escalations
from dbops.access.naming import label
from dbops.model.access import Principal, SecuredObject
from dbops.model.change import Change, ObjectName, RemoveGrant, RemoveMembership
from dbops.model.finding import Missing
from dbops_mssql.access.sql import script

__all__ = ["Audited", "listed"]

SHOWN = 5


class Audited:
    """One snapshot. What comes with the server is not judged, unless a rule is about it."""

    def __init__(self, effective: Effective) -> None:
        if not isinstance(effective, Covered):
            raise TypeError("not a snapshot of SQL Server")
        self.effective = effective
        self.snapshot = effective.snapshot
        self.people = self.snapshot.principals
        self.contexts = effective.contexts

    def name(self, one: SecuredObject) -> str:
        """As people write it."""
        return label(self.snapshot, one)

    # -- who ----------------------------------------------------------------------------------------------------------

    def logins(self) -> Iterator[tuple[int, Principal]]:
        """Logins and groups of Windows, enabled or not."""
        for number, one in enumerate(self.people):
            if not one.database and one.kind in ("user", "group"):
                yield number, one

    def able(self, people: int) -> Iterator[tuple[int, Principal]]:
        """Of a set, the logins that get in and did not come with the server."""
        for number in each(people & self.effective.able & self.contexts.on_server):
            if not self.people[number].system:
                yield number, self.people[number]

    def ours(self, database: str = "") -> Iterator[tuple[int, Principal]]:
        """Users and roles of databases (of one of them), without the built-in ones."""
        for number, one in enumerate(self.people):
            if one.database and database in ("", one.database) and not one.system and one.kind != "unknown":
                yield number, one

    def has(self, one: Principal, word: str) -> bool:
        """Whether it has an attribute."""
        return word in one.attributes

    def hidden(self, kind: str) -> Missing | None:
        """Why what a rule looks for may be there unseen."""
        return self.snapshot.kinds_missing.get(kind)

    # -- what they may ------------------------------------------------------------------------------------------------

    @cached_property
    def server(self) -> SecuredObject:
        """The whole server."""
        return next(one for one in self.snapshot.objects if one.kind == "server")

    def holders(self, action: str) -> int:
        """Everybody who holds an action on the server."""
        known = self.snapshot.kind(self.server).actions
        return self.effective.nominal(self.server, action) if action in known else 0

    @cached_property
    def escalations(self) -> tuple[Escalation, ...]:
        """Ways to more than is held."""
        return tuple(escalations(self.effective))

    @cached_property
    def mighty(self) -> int:
        """Those to whom nothing is denied, and those who have CONTROL SERVER."""
        return self.contexts.unbound | self.holders(self.effective.covering.strong)

    def objects(self, *kinds: str) -> Iterator[SecuredObject]:
        """Those of some kinds."""
        return (one for one in self.snapshot.objects if one.kind in kinds)

    def granted(self, one: SecuredObject, grantee: int) -> tuple[str, ...]:
        """What rows give somebody on an object itself."""
        bits = 0
        for row in self.snapshot.grants(one):
            bits |= row.actions if row.grantee == grantee else 0
        return self.snapshot.kind(one).names(bits)

    # -- remedies -----------------------------------------------------------------------------------------------------

    def sql(self, *changes: Change) -> str:
        """Changes as statements, ready to paste."""
        return "\n".join(script(change) for change in changes)

    def revoke(self, number: int, one: SecuredObject, actions: Iterable[str]) -> str:
        """What takes actions off an object again."""
        target = ObjectName(one.kind, one.path)
        return self.sql(RemoveGrant(principal=self.people[number].name, object=target, actions=tuple(actions)))

    def leave(self, number: int, role: int) -> str:
        """What takes somebody out of a role: out of the one that he is in, over which he comes to it."""
        return self.sql(
            *(
                RemoveMembership(member=self.people[number].name, group=self.people[row.group].name)
                for row in self.snapshot.memberships
                if row.member == number and not row.implicit and self.contexts.holders(role) >> row.group & 1
            )
        )


def listed(words: Iterable[str], most: int = SHOWN) -> str:
    """The first few, and how many more there are."""
    found = list(words)
    more = len(found) - most
    return ", ".join(found[:most]) + (f" and {more} more" if more > 0 else "")
