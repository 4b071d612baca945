"""What every rule of an audit of MySQL and MariaDB is handed: a snapshot, its answers, and the SQL of remedies."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property

from dbops.access.closure import Closure, each
from dbops.access.effective import Effective
from dbops.access.hosts import Origin
from dbops.access.matched import Matched
from dbops.access.naming import label
from dbops.access.session_list import SessionList
from dbops.access.sessions import Session
from dbops.model.access import PUBLIC, Matching, Principal, SecuredObject
from dbops.model.change import Change, DropPrincipal, ObjectName, RemoveGrant, RemoveMembership
from dbops.model.server import Server
from dbops_mysql.access.audit_words import Words
from dbops_mysql.access.sql import MySQLStatements

__all__ = ["Audited", "account", "listed", "role"]

SHOWN = 5


class Audited:
    """One snapshot, judged with the words of its engine. The server's own accounts are not judged."""

    def __init__(self, words: Words, effective: Effective) -> None:
        self.words = words
        self.effective = effective
        self.snapshot = effective.snapshot
        self.matching = self.snapshot.rules.matching or Matching()
        self.people = self.snapshot.principals

    # -- who --------------------------------------------------------------------------------------------------------

    def judged(self) -> Iterator[tuple[int, Principal]]:
        """Accounts and roles, without the server's own and without who is gone."""
        for number, one in enumerate(self.people):
            if number != PUBLIC and not one.system and one.kind != "unknown":
                yield number, one

    def accounts(self) -> Iterator[tuple[int, Principal]]:
        """Those that somebody can log in as."""
        return ((number, one) for number, one in self.judged() if one.login)

    def administrator(self, number: int) -> bool:
        """It comes with the server, for whoever runs it."""
        one = self.people[number]
        return (one.user, one.host.lower()) in self.words.administrators

    def usable(self, sessions: int) -> Iterator[int]:
        """Of a set, the accounts that get in and are nobody's but a person's or a program's."""
        for number in each(sessions & self.effective.able):
            if not self.people[number].system and not self.administrator(number):
                yield number

    @cached_property
    def sessions(self) -> SessionList:
        """The session of each account."""
        found = self.effective
        return found.sessions if isinstance(found, Matched) else SessionList(self.snapshot, self.matching)

    def session(self, number: int) -> Session:
        """The session that stands for an account."""
        return self.sessions.all[number]

    def taken_for(self, one: Principal) -> int:
        """Whose rights something has that a definer's name stands on; -1: nobody's."""
        return self.sessions.accounts.taken_for(one.user, Origin(one.host, one.host), anonymous=not one.user)

    # -- what they may ----------------------------------------------------------------------------------------------

    def holders(self, one: SecuredObject, action: str) -> int:
        """Everybody who holds an action now, or once he chooses a role that he was granted."""
        if action not in self.snapshot.kind(one).actions:
            return 0
        found = self.effective.nominal(one, action)
        for number in each(found):
            if role(self.people[number]):
                found |= self.members(number)
        return found

    def members(self, number: int) -> int:
        """A principal itself, and everybody who was granted it, over any number of steps."""
        return self._becomes.holders(number)

    @cached_property
    def _becomes(self) -> Closure:
        return self.effective.becomes()

    @cached_property
    def server(self) -> SecuredObject:
        """The whole server."""
        return next(one for one in self.snapshot.objects if one.kind == "server")

    @cached_property
    def strong(self) -> dict[int, tuple[str, ...]]:
        """By principal, the strong privileges that it can come to, the worst first."""
        found: dict[int, list[str]] = {}
        for action in self.words.strong:
            for number in each(self.holders(self.server, action)):
                found.setdefault(number, []).append(action)
        return {number: tuple(actions) for number, actions in found.items()}

    def objects(self, *kinds: str) -> Iterator[SecuredObject]:
        """Those of some kinds that are not the server's own."""
        for one in self.snapshot.objects:
            if one.kind in kinds and "system" not in one.flags:
                yield one

    def databases(self) -> list[str]:
        """Those that are there."""
        return [one.path[0] for one in self.snapshot.objects if one.kind == "database" and "absent" not in one.flags]

    def name(self, one: SecuredObject) -> str:
        """As people write it."""
        return label(self.snapshot, one)

    # -- remedies ---------------------------------------------------------------------------------------------------

    @cached_property
    def statements(self) -> MySQLStatements:
        """SQL for the version of the snapshot."""
        version = self.snapshot.version
        settings = {"partial_revokes": "OFF" if self.matching.wildcards else "ON"}
        return self.words.statements(
            Server(
                engine=self.snapshot.engine,
                version=version,
                version_text=".".join(map(str, version)),
                role="primary",
                incarnation=self.snapshot.incarnation,
                settings=settings,
            )
        )

    def sql(self, *changes: Change) -> str:
        """Changes as statements, ready to paste."""
        return "\n".join(f"{self.statements.text(change)};" for change in changes)

    def drop(self, one: Principal) -> str:
        """The end of an account or role."""
        return self.sql(DropPrincipal(name=one.name, kind="role" if role(one) else "user"))

    def revoke(self, number: int, one: SecuredObject, actions: Iterable[str], *, option: bool = False) -> str:
        """What takes actions away from a principal: what was granted to it, and the roles by which it has the rest."""
        wanted = set(actions)
        changes: list[Change] = []
        for grant in self.snapshot.grants(one):
            mine = tuple(action for action in self.snapshot.kind(one).names(grant.actions) if action in wanted)
            if mine and grant.grantee == number:
                target = ObjectName(one.kind, one.path)
                changes.append(
                    RemoveGrant(principal=self.people[number].name, object=target, actions=mine, option_only=option)
                )
            elif mine:
                changes += self._out_of(number, grant.grantee)
        return self.sql(*dict.fromkeys(changes))

    def _out_of(self, number: int, group: int) -> list[Change]:
        return [
            RemoveMembership(member=self.people[number].name, group=self.people[row.group].name)
            for row in self.snapshot.memberships
            if row.member == number and not row.implicit and self._becomes.holders(group) >> row.group & 1
        ]


def role(one: Principal) -> bool:
    """Nobody logs in as it."""
    return one.kind == "role" and not one.login


def account(one: Principal) -> bool:
    """It stands for somebody who comes, known or not."""
    return one.kind == "user" or (one.kind == "role" and one.login)


def listed(words: Iterable[str], most: int = SHOWN) -> str:
    """The first few, and how many more there are."""
    found = list(words)
    more = len(found) - most
    return ", ".join(found[:most]) + (f" and {more} more" if more > 0 else "")
