"""GRANT and REVOKE as changes, for "what if". The simple forms only: what is not understood whole is refused."""

from __future__ import annotations

import re
from collections.abc import Iterator

from dbops.access.naming import find, find_principal, spell
from dbops.errors import UsageError
from dbops.model.access import AccessSnapshot
from dbops.model.change import AddGrant, AddMembership, Change, ObjectName, RemoveGrant, RemoveMembership

__all__ = ["parse"]

_TOKEN = re.compile(r'\s+|--[^\n]*|"(?:[^"]|"")*"|[A-Za-z_\u0080-\U0010ffff][\w$]*|[().,;]', re.UNICODE)
_KINDS = {
    "TABLE": "table", "SEQUENCE": "sequence", "DATABASE": "database", "SCHEMA": "schema", "FUNCTION": "function",
    "PROCEDURE": "function", "ROUTINE": "function", "TYPE": "type", "DOMAIN": "type", "LANGUAGE": "language",
    "TABLESPACE": "tablespace", "PARAMETER": "parameter", "FOREIGN DATA WRAPPER": "fdw",
    "FOREIGN SERVER": "foreign_server",
}  # fmt: skip
_FORMS = "GRANT or REVOKE of privileges ON one object, or of roles, TO or FROM names; several separated by ;"


def parse(sql: str, snapshot: AccessSnapshot) -> tuple[Change, ...]:
    """The changes of some statements.

    :raises UsageError: anything else than the simple forms, or a name that is not in the snapshot.
    """
    found: list[Change] = []
    for statement in _statements(sql):
        found += _Statement(statement, snapshot).changes()
    if not found:
        raise UsageError("there is no statement to suppose", hint=_FORMS)
    return tuple(found)


def _statements(sql: str) -> Iterator[list[str]]:
    tokens: list[str] = []
    at = 0
    while at < len(sql):
        match = _TOKEN.match(sql, at)
        if match is None:
            raise UsageError(f"this part of the SQL is not understood: {sql[at : at + 30]!r}", hint=_FORMS)
        at = match.end()
        text = match[0]
        if text == ";":
            if tokens:
                yield tokens
            tokens = []
        elif not text.isspace() and not text.startswith("--"):
            tokens.append(text)
    if tokens:
        yield tokens


class _Statement:
    def __init__(self, tokens: list[str], snapshot: AccessSnapshot) -> None:
        self._tokens = tokens
        self._snapshot = snapshot
        self._at = 0

    def changes(self) -> list[Change]:
        """All that the statement changes."""
        verb = self._word()
        if verb not in ("GRANT", "REVOKE"):
            raise self._refused()
        option = verb == "REVOKE" and self._accept("GRANT", "OPTION", "FOR")
        items = self._items()
        if self._accept("ON"):
            return self._on_object(verb == "GRANT", items, option)
        if option or any(columns for _, columns in items):
            raise self._refused()
        return self._memberships(verb == "GRANT", [name for name, _ in items])

    def _items(self) -> list[tuple[list[str], list[str]]]:
        """Comma-separated words, each with the columns in brackets after it."""
        found: list[tuple[list[str], list[str]]] = []
        while True:
            words: list[str] = []
            while self._peek() not in (",", "ON", "TO", "FROM", "("):
                words.append(self._next())
            columns = self._columns() if self._peek() == "(" else []
            if not words:
                raise self._refused()
            found.append((words, columns))
            if not self._accept(","):
                return found

    def _columns(self) -> list[str]:
        self._next()
        found = [self._name()]
        while self._accept(","):
            found.append(self._name())
        if self._next() != ")":
            raise self._refused()
        return found

    def _on_object(self, granting: bool, items: list[tuple[list[str], list[str]]], option: bool) -> list[Change]:
        place = self._object()
        names = self._people(granting)
        grantable = granting and self._accept("WITH", "GRANT", "OPTION")
        self._end()
        found: list[Change] = []
        for words, columns in items:
            for target in self._targets(place, columns):
                actions = self._actions(words, target.kind)
                found += [_grant(granting, name, target, actions, grantable or option) for name in names]
        return found

    def _targets(self, place: int, columns: list[str]) -> list[ObjectName]:
        one = self._snapshot.objects[place]
        if not columns:
            return [ObjectName(one.kind, one.path)]
        return [ObjectName("column", (*one.path, column)) for column in columns]

    def _actions(self, words: list[str], kind: str) -> tuple[str, ...]:
        known = self._snapshot.rules.kinds[kind].actions
        text = " ".join(words).upper()
        if text in ("ALL", "ALL PRIVILEGES"):
            return known
        text = "TEMPORARY" if text == "TEMP" else text
        if text not in known:
            raise UsageError(f"{text} is no privilege of a {kind}", hint=f"There is: {', '.join(known)}.")
        return (text,)

    def _object(self) -> int:
        kind = "table"
        for words, name in _KINDS.items():
            if self._accept(*words.split()):
                kind = name
                break
        if self._accept("ALL"):
            raise self._refused()
        parts = [self._name()]
        while self._accept("."):
            parts.append(self._name())
        if kind == "function":
            parts[-1] = f"{parts[-1]}({self._arguments()})"
        if self._peek() == ",":
            raise self._refused()
        return find(self._snapshot, spell(self._snapshot.rules, kind, parts))

    def _arguments(self) -> str:
        if not self._accept("("):
            raise UsageError("a routine is named with its argument types, such as total(integer, text)")
        words: list[str] = []
        while self._peek() not in (")", ""):
            words.append(self._next())
        self._next()
        return " ".join(words).replace(" ,", ",").replace(" . ", ".")

    def _memberships(self, granting: bool, groups: list[list[str]]) -> list[Change]:
        roles = [self._principal(_unquoted(words[0])) for words in groups if len(words) == 1]
        names = self._people(granting)
        admin = granting and self._accept("WITH", "ADMIN", "OPTION")
        self._end()
        if len(roles) != len(groups):
            raise self._refused()
        return [self._membership(granting, name, role, admin) for role in roles for name in names]

    def _membership(self, granting: bool, member: str, group: str, admin: bool) -> Change:
        if not granting:
            return RemoveMembership(member=member, group=group)
        attributes = self._snapshot.principals[find_principal(self._snapshot, member)].attributes
        return AddMembership(member=member, group=group, inherit="INHERIT" in attributes, admin=admin)

    def _people(self, granting: bool) -> list[str]:
        if not self._accept("TO" if granting else "FROM"):
            raise self._refused()
        found = [self._principal(self._name())]
        while self._accept(","):
            found.append(self._principal(self._name()))
        return found

    def _principal(self, name: str) -> str:
        return self._snapshot.principals[find_principal(self._snapshot, name)].name

    def _end(self) -> None:
        if self._peek():
            raise self._refused()

    # -- tokens -----------------------------------------------------------------------------------------------------

    def _peek(self) -> str:
        if self._at >= len(self._tokens):
            return ""
        word = self._tokens[self._at]
        return word if word.startswith('"') else word.upper()

    def _next(self) -> str:
        if self._at >= len(self._tokens):
            raise self._refused()
        self._at += 1
        return self._tokens[self._at - 1]

    def _word(self) -> str:
        return self._next().upper()

    def _name(self) -> str:
        word = self._next()
        if word in "().,;":
            raise self._refused()
        return _unquoted(word)

    def _accept(self, *words: str) -> bool:
        seen = [token.upper() for token in self._tokens[self._at : self._at + len(words)]]
        if seen != list(words):
            return False
        self._at += len(words)
        return True

    def _refused(self) -> UsageError:
        return UsageError(f"not understood: {' '.join(self._tokens)}", hint=_FORMS)


def _unquoted(token: str) -> str:
    """As the server reads a name: folded to lower case unless it is quoted."""
    return token[1:-1].replace('""', '"') if token.startswith('"') else token.lower()


def _grant(granting: bool, name: str, target: ObjectName, actions: tuple[str, ...], option: bool) -> Change:
    if granting:
        return AddGrant(principal=name, object=target, actions=actions, grantable=option)
    return RemoveGrant(principal=name, object=target, actions=actions, option_only=option)
