"""GRANT and REVOKE as changes, for "what if". The simple forms only: what is not understood whole is refused."""

from __future__ import annotations

import re
from collections.abc import Sequence

from dbops.access.naming import find, find_principal, spell
from dbops.access.tokens import Item, Lexicon, Tokens, supposed
from dbops.errors import UsageError
from dbops.model.access import AccessSnapshot
from dbops.model.change import AddGrant, AddMembership, Change, ObjectName, RemoveGrant, RemoveMembership

__all__ = ["parse"]

_KINDS = {
    "TABLE": "table", "SEQUENCE": "sequence", "DATABASE": "database", "SCHEMA": "schema", "FUNCTION": "function",
    "PROCEDURE": "function", "ROUTINE": "function", "TYPE": "type", "DOMAIN": "type", "LANGUAGE": "language",
    "TABLESPACE": "tablespace", "PARAMETER": "parameter", "FOREIGN DATA WRAPPER": "fdw",
    "FOREIGN SERVER": "foreign_server",
}  # fmt: skip


def parse(sql: str, snapshot: AccessSnapshot) -> tuple[Change, ...]:
    """The changes of some statements.

    :raises UsageError: anything else than the simple forms, or a name that is not in the snapshot.
    """
    return tuple(change for tokens in supposed(sql, _LEXICON) for change in _Statement(tokens, snapshot).changes())


class _Statement:
    def __init__(self, words: Tokens, snapshot: AccessSnapshot) -> None:
        self._words = words
        self._snapshot = snapshot

    def changes(self) -> list[Change]:
        """All that the statement changes."""
        verb = self._words.next().upper()
        if verb not in ("GRANT", "REVOKE"):
            raise self._words.refused()
        option = verb == "REVOKE" and self._words.accept("GRANT", "OPTION", "FOR")
        items = self._words.items()
        if self._words.accept("ON"):
            return self._on_object(verb == "GRANT", items, option)
        if option or any(one.columns for one in items):
            raise self._words.refused()
        return self._memberships(verb == "GRANT", items)

    def _on_object(self, granting: bool, items: Sequence[Item], option: bool) -> list[Change]:
        place = self._object()
        names = self._people(granting)
        grantable = granting and self._words.accept("WITH", "GRANT", "OPTION")
        self._words.end()
        found: list[Change] = []
        for item in items:
            for target in self._targets(place, item.columns):
                actions = self._actions(item.text, target.kind)
                found += [_grant(granting, name, target, actions, grantable or option) for name in names]
        return found

    def _targets(self, place: int, columns: Sequence[str]) -> list[ObjectName]:
        one = self._snapshot.objects[place]
        if not columns:
            return [ObjectName(one.kind, one.path)]
        return [ObjectName("column", (*one.path, column)) for column in columns]

    def _actions(self, text: str, kind: str) -> tuple[str, ...]:
        known = self._snapshot.rules.kinds[kind].actions
        if text in ("ALL", "ALL PRIVILEGES"):
            return known
        text = "TEMPORARY" if text == "TEMP" else text
        if text not in known:
            raise UsageError(f"{text} is no privilege of a {kind}", hint=f"There is: {', '.join(known)}.")
        return (text,)

    def _object(self) -> int:
        kind = "table"
        for words, name in _KINDS.items():
            if self._words.accept(*words.split()):
                kind = name
                break
        if self._words.accept("ALL"):
            raise self._words.refused()
        parts = [self._words.name()]
        while self._words.accept("."):
            parts.append(self._words.name())
        if kind == "function":
            parts[-1] = f"{parts[-1]}({self._arguments()})"
        if self._words.peek() == ",":
            raise self._words.refused()
        return find(self._snapshot, spell(self._snapshot.rules, kind, parts))

    def _arguments(self) -> str:
        if not self._words.accept("("):
            raise UsageError("a routine is named with its argument types, such as total(integer, text)")
        words: list[str] = []
        while self._words.peek() not in (")", ""):
            words.append(self._words.next())
        self._words.next()
        return " ".join(words).replace(" ,", ",").replace(" . ", ".")

    def _memberships(self, granting: bool, items: Sequence[Item]) -> list[Change]:
        roles = [self._known(_unquoted(one.words[0])) for one in items if len(one.words) == 1]
        names = self._people(granting)
        admin = granting and self._words.accept("WITH", "ADMIN", "OPTION")
        self._words.end()
        if len(roles) != len(items):
            raise self._words.refused()
        return [self._membership(granting, name, role, admin) for role in roles for name in names]

    def _membership(self, granting: bool, member: str, group: str, admin: bool) -> Change:
        if not granting:
            return RemoveMembership(member=member, group=group)
        attributes = self._snapshot.principals[find_principal(self._snapshot, member)].attributes
        return AddMembership(member=member, group=group, inherit="INHERIT" in attributes, admin=admin)

    def _people(self, granting: bool) -> list[str]:
        if not self._words.accept("TO" if granting else "FROM"):
            raise self._words.refused()
        return self._words.listed(lambda: self._known(self._words.name()))

    def _known(self, name: str) -> str:
        return self._snapshot.principals[find_principal(self._snapshot, name)].name


def _unquoted(token: str) -> str:
    """As the server reads a name: folded to lower case unless it is quoted."""
    return token[1:-1].replace('""', '"') if token.startswith('"') else token.lower()


_LEXICON = Lexicon(
    word=re.compile(r'\s+|--[^\n]*|"(?:[^"]|"")*"|[A-Za-z_\u0080-\U0010ffff][\w$]*|[().,;]'),
    between=re.compile(r"\s|--"),
    quotes='"',
    signs=frozenset("().,;"),
    read=_unquoted,
    forms="GRANT or REVOKE of privileges ON one object, or of roles, TO or FROM names; several separated by ;",
)


def _grant(granting: bool, name: str, target: ObjectName, actions: tuple[str, ...], option: bool) -> Change:
    if granting:
        return AddGrant(principal=name, object=target, actions=actions, grantable=option)
    return RemoveGrant(principal=name, object=target, actions=actions, option_only=option)
