"""GRANT and REVOKE as changes, for "what if". What is not understood whole is refused."""

from __future__ import annotations

from collections.abc import Sequence

from dbops.access.accounts import account_name
from dbops.access.naming import find_principal, spell
from dbops.access.patterns import row_name
from dbops.access.tokens import Item, Tokens, supposed
from dbops.errors import UsageError
from dbops.model.access import AccessSnapshot, Kind
from dbops.model.change import (
    AddGrant,
    AddMembership,
    Change,
    MemberOptions,
    ObjectName,
    RemoveGrant,
    RemoveMembership,
)
from dbops_mysql.access.lexicon import LEXICON

__all__ = ["parse"]

ANY_HOST = "%"


def parse(sql: str, snapshot: AccessSnapshot) -> tuple[Change, ...]:
    """The changes of some statements.

    :raises UsageError: anything else than the simple forms, or a name that is not in the snapshot.
    """
    return tuple(change for tokens in supposed(sql, LEXICON) for change in _Statement(tokens, snapshot).changes())


class _Statement:
    def __init__(self, words: Tokens, snapshot: AccessSnapshot) -> None:
        self._words = words
        self._snapshot = snapshot
        self._rules = snapshot.rules

    def changes(self) -> list[Change]:
        """All that the statement changes."""
        granting = self._words.accept("GRANT")
        if not granting and not self._words.accept("REVOKE"):
            raise self._words.refused()
        if not granting:
            self._words.accept("IF", "EXISTS")
            if self._words.accept("ALL", "PRIVILEGES", ",", "GRANT", "OPTION", "FROM") or self._words.accept(
                "ALL", ",", "GRANT", "OPTION", "FROM"
            ):
                return self._everything()
        admin = not granting and self._words.accept("ADMIN", "OPTION", "FOR")
        items = self._words.items()
        if not admin and self._words.accept("ON"):
            if [one.text for one in items] == ["PROXY"]:
                return self._proxy(granting)
            return self._on_level(granting, items)
        return self._memberships(granting, items, admin_only=admin)

    def _end(self, granting: bool) -> None:
        if not granting:
            self._words.accept("IGNORE", "UNKNOWN", "USER")
        self._words.end()

    # -- privileges -------------------------------------------------------------------------------------------------

    def _on_level(self, granting: bool, items: Sequence[Item]) -> list[Change]:
        target = self._level()
        people = self._people(granting)
        option = granting and self._words.accept("WITH", "GRANT", "OPTION")
        self._end(granting)
        found: list[Change] = []
        whole: list[str] = []
        for item in items:
            for column in item.columns:
                part = ObjectName("column", (*target.path, column))
                actions = self._actions(item.text, self._rules.kinds["column"])
                found += [_change(granting, name, part, actions) for name in people]
            if not item.columns:
                whole += self._actions(item.text, self._rules.kinds[target.kind])
        return [*found, *self._of_level(granting, target, tuple(whole), option, people)]

    def _of_level(
        self, granting: bool, target: ObjectName, actions: tuple[str, ...], option: bool, people: Sequence[str]
    ) -> list[Change]:
        kind = self._rules.kinds[target.kind]
        self._refuse_partial(granting, target)
        own = tuple(one for one in actions if one in kind.own_options)
        level = tuple(one for one in actions if one not in own)
        if option and (level or not own):
            level = (*level, kind.option)
        found: list[Change] = []
        for name in people:
            if level:
                found.append(_change(granting, name, target, tuple(dict.fromkeys(level))))
            if own:
                found.append(_change(granting, name, target, own, option))
        return found

    def _refuse_partial(self, granting: bool, target: ObjectName) -> None:
        matching = self._rules.matching
        if not granting and target.kind == "database" and matching is not None and not matching.wildcards:
            raise UsageError(
                "a partial revoke is not understood here: partial_revokes is on, and this may take away a part of what "
                "is granted on the whole server"
            )

    def _actions(self, text: str, kind: Kind) -> tuple[str, ...]:
        if text in ("ALL", "ALL PRIVILEGES"):
            return tuple(one for one in kind.actions if one != kind.option)
        if text == "USAGE":
            return ()
        named = next((one for one in kind.actions if one in (text, text.replace("_", " "))), None)
        if named is None:
            raise UsageError(f"{text} is no privilege of a {kind.name}", hint=f"There is: {', '.join(kind.actions)}.")
        return (named,)

    def _level(self) -> ObjectName:
        for words in ("PROCEDURE", "FUNCTION", "LIBRARY", "PACKAGE BODY", "PACKAGE"):
            kind = words.lower().replace(" ", "_")
            if kind in self._rules.kinds and self._words.accept(*words.split()):
                return self._there(kind, self._path())
        self._words.accept("TABLE")
        if self._words.accept("*", ".", "*"):
            return ObjectName("server", ())
        if self._words.accept("*"):
            return self._database(self._snapshot.database)
        first = self._words.name()
        if not self._words.accept("."):
            return self._table((self._snapshot.database, first))
        return self._database(first) if self._words.accept("*") else self._table((first, self._words.name()))

    def _path(self) -> tuple[str, str]:
        first = self._words.name()
        return (first, self._words.name()) if self._words.accept(".") else (self._snapshot.database, first)

    def _database(self, text: str) -> ObjectName:
        matching = self._rules.matching
        name = row_name(text, wildcards=matching is None or matching.wildcards)
        return ObjectName("pattern", (text,)) if name is None else self._there("database", (name,))

    def _table(self, path: tuple[str, str]) -> ObjectName:
        names = [one.name for one in self._rules.kinds.values() if one.family == "table"]
        found = next((one for one in self._snapshot.objects if one.kind in names and one.path == path), None)
        return ObjectName(found.kind, path) if found is not None else self._there("table", path)

    def _there(self, kind: str, path: tuple[str, ...]) -> ObjectName:
        if not any((one.kind, one.path) == (kind, path) for one in self._snapshot.objects):
            raise UsageError(f"there is no object {spell(self._rules, kind, path)}")
        return ObjectName(kind, path)

    def _proxy(self, granting: bool) -> list[Change]:
        target = ObjectName("account", (self._principal(),))
        people = self._people(granting)
        option = granting and self._words.accept("WITH", "GRANT", "OPTION")
        self._end(granting)
        return [_change(granting, name, target, ("PROXY",), option) for name in people]

    def _everything(self) -> list[Change]:
        people = self._words.listed(self._principal)
        self._end(granting=False)
        return [change for name in people for change in self._all_of(name)]

    def _all_of(self, name: str) -> list[Change]:
        number = find_principal(self._snapshot, name)
        found: list[Change] = []
        for one in self._snapshot.objects:
            for grant in self._snapshot.grants(one):
                actions = self._snapshot.kind(one).names(grant.actions)
                if grant.grantee == number and actions and one.kind != "account":
                    found.append(RemoveGrant(principal=name, object=ObjectName(one.kind, one.path), actions=actions))
        return found

    # -- roles ------------------------------------------------------------------------------------------------------

    def _memberships(self, granting: bool, items: Sequence[Item], *, admin_only: bool) -> list[Change]:
        if any(one.columns for one in items):
            raise self._words.refused()
        roles = [self._role(one) for one in items]
        people = self._people(granting)
        admin = granting and self._words.accept("WITH", "ADMIN", "OPTION")
        self._end(granting)
        return [
            self._membership(granting, member, role, admin, admin_only=admin_only)
            for role in roles
            for member in people
        ]

    def _membership(self, granting: bool, member: str, role: str, admin: bool, *, admin_only: bool) -> Change:
        names = self._snapshot.principals
        pair = find_principal(self._snapshot, member), find_principal(self._snapshot, role)
        rows = [row for row in self._snapshot.memberships if (row.member, row.group) == pair]
        # Granting makes no default role; what a role is in it always has.
        active = any(row.inherit for row in rows) or names[pair[0]].kind == "role"
        had = any(row.admin for row in rows)
        old = MemberOptions(inherit=active, admin=had or admin_only) if rows or admin_only else None
        if admin_only:
            return AddMembership(member=member, group=role, inherit=active, admin=False, old=old)
        if granting:
            return AddMembership(member=member, group=role, inherit=active, admin=admin or had, old=old)
        return RemoveMembership(member=member, group=role)

    def _role(self, item: Item) -> str:
        """A role is an account too: ``'app'@'%'`` is three words here."""
        words = Tokens(item.words, LEXICON)
        found = self._account(words)
        if words.peek():
            raise self._words.refused()
        return found

    # -- people -----------------------------------------------------------------------------------------------------

    def _people(self, granting: bool) -> list[str]:
        if not self._words.accept("TO" if granting else "FROM"):
            raise self._words.refused()
        return self._words.listed(self._principal)

    def _principal(self) -> str:
        return self._account(self._words)

    def _account(self, words: Tokens) -> str:
        user = words.name()
        if words.accept("@"):
            return self._known(account_name(user, words.name().lower()))
        names = {one.name for one in self._snapshot.principals if one.kind != "unknown"}
        # A role of MariaDB has no host; an account that names none is from anywhere.
        return user if user in names else self._known(account_name(user, ANY_HOST))

    def _known(self, name: str) -> str:
        return self._snapshot.principals[find_principal(self._snapshot, name)].name


def _change(granting: bool, name: str, target: ObjectName, actions: tuple[str, ...], option: bool = False) -> Change:
    if granting:
        return AddGrant(principal=name, object=target, actions=actions, grantable=option)
    return RemoveGrant(principal=name, object=target, actions=actions)
