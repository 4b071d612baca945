"""GRANT, DENY, REVOKE and the members of roles as changes, for "what if"; what is not understood whole is refused."""

from __future__ import annotations

import re
from collections.abc import Iterator

from dbops.access.naming import find, find_principal, spell
from dbops.errors import UsageError
from dbops.model.access import AccessSnapshot
from dbops.model.change import AddGrant, AddMembership, Change, ObjectName, RemoveGrant, RemoveMembership
from dbops_mssql.access.people import account_name
from dbops_mssql.access.sql import ON

__all__ = ["parse"]

_TOKEN = re.compile(
    r"\s+|--[^\n]*|/\*.*?\*/|\[(?:[^\]]|\]\])*\]|\"(?:[^\"]|\"\")*\"|[^\W\d][\w@#$]*|#+[\w@#$]*|::|[().,;\\]",
    re.DOTALL | re.UNICODE,
)
_SPACE = re.compile(r"\s|--|/\*")
_VERBS = ("GRANT", "DENY", "REVOKE")
_CLASSES = {sql: tuple(kind for kind, other in ON.items() if other == sql) for sql in dict.fromkeys(ON.values())}
_IN_SCHEMA = ("OBJECT", "TYPE", "XML SCHEMA COLLECTION")
_FORMS = (
    "USE of a database; GRANT, DENY or REVOKE of permissions [ON class::name] TO or FROM names; "
    "ALTER [SERVER] ROLE name ADD or DROP MEMBER name; several separated by ;"
)
# What ALL stands for: https://learn.microsoft.com/sql/t-sql/statements/grant-object-permissions-transact-sql
_ALL = {
    "function": ("EXECUTE", "REFERENCES"),
    "procedure": ("EXECUTE",),
    **dict.fromkeys(("table", "view", "table_function"), ("DELETE", "INSERT", "REFERENCES", "SELECT", "UPDATE")),
    "database": ("BACKUP DATABASE", "BACKUP LOG", "CREATE DATABASE", "CREATE DEFAULT", "CREATE FUNCTION",
                 "CREATE PROCEDURE", "CREATE RULE", "CREATE TABLE", "CREATE VIEW"),
}  # fmt: skip


def parse(sql: str, snapshot: AccessSnapshot) -> tuple[Change, ...]:
    """The changes of some statements, in the database of the snapshot until a USE says otherwise.

    :raises UsageError: anything else than the simple forms, or a name that is not in the snapshot.
    """
    found: list[Change] = []
    database = snapshot.database
    for tokens in _statements(sql):
        statement = _Statement(tokens, snapshot, database)
        database = statement.used() or database
        found += statement.changes()
    if not found:
        raise UsageError("there is no statement to suppose", hint=_FORMS)
    return tuple(found)


def _statements(sql: str) -> Iterator[list[str]]:
    tokens: list[str] = []
    for text in _tokens(sql):
        ends = text == ";" or text.upper() == "GO"
        if ends or (len(tokens) == 2 and tokens[0].upper() == "USE"):
            yield from [tokens] if tokens else []
            tokens = []
        if not ends:
            tokens.append(text)
    yield from [tokens] if tokens else []


def _tokens(sql: str) -> Iterator[str]:
    at = 0
    while at < len(sql):
        match = _TOKEN.match(sql, at)
        if match is None:
            raise UsageError(f"this part of the SQL is not understood: {sql[at : at + 30]!r}", hint=_FORMS)
        at = match.end()
        if not _SPACE.match(match[0]):
            yield match[0]


class _Statement:
    def __init__(self, tokens: list[str], snapshot: AccessSnapshot, database: str) -> None:
        self._tokens, self._snapshot, self._database = tokens, snapshot, database
        self._at = 0

    def used(self) -> str:
        """The database of a USE."""
        return _unquoted(self._tokens[1]) if self._tokens[0].upper() == "USE" and len(self._tokens) == 2 else ""

    def changes(self) -> list[Change]:
        """All that the statement changes."""
        if self.used():
            return []
        verb = self._next().upper()
        if verb == "ALTER":
            return self._member()
        if verb not in _VERBS:
            raise self._refused()
        return self._permissions(verb)

    # -- permissions --------------------------------------------------------------------------------------------------

    def _permissions(self, verb: str) -> list[Change]:
        option = verb == "REVOKE" and self._accept("GRANT", "OPTION", "FOR")
        items = self._items()
        place = self._object() if self._accept("ON") else None
        after = self._columns() if self._peek() == "(" else []
        names = self._people("FROM" if verb == "REVOKE" and self._peek() == "FROM" else "TO", place)
        grantable = verb == "GRANT" and self._accept("WITH", "GRANT", "OPTION")
        if verb != "GRANT":
            self._accept("CASCADE")
        grantor = self._principal(self._name(), place) if self._accept("AS") else ""
        self._end()
        found: list[Change] = []
        for words, columns in items:
            where = self._place(place, words)
            for target in self._targets(where, columns or after):
                for name in names:
                    actions = self._actions(words, target.kind)
                    found.append(_change(verb, name, target, actions, (grantable or option, grantor)))
        return found

    def _items(self) -> list[tuple[list[str], list[str]]]:
        """Permissions, each with the columns in brackets after it."""
        found: list[tuple[list[str], list[str]]] = []
        while True:
            words: list[str] = []
            while self._peek() not in (",", "ON", "TO", "FROM", "(", ""):
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

    def _place(self, place: int | None, words: list[str]) -> int:
        """What a permission without ON is about: the server has it, or else the database."""
        if place is not None:
            return place
        text, kinds = " ".join(words).upper(), self._snapshot.rules.kinds
        server = text in kinds["server"].actions and text not in kinds["database"].actions
        return find(self._snapshot, "server" if server else spell(self._snapshot.rules, "database", (self._database,)))

    def _targets(self, place: int, columns: list[str]) -> list[ObjectName]:
        one = self._snapshot.objects[place]
        if not columns:
            return [ObjectName(one.kind, one.path)]
        return [ObjectName("column", (*one.path, column)) for column in columns]

    def _actions(self, words: list[str], kind: str) -> tuple[str, ...]:
        known = self._snapshot.rules.kinds[kind].actions
        text = " ".join(words).upper()
        if text in ("ALL", "ALL PRIVILEGES"):
            return tuple(one for one in _ALL.get(kind, known) if one in known)
        if text not in known:
            raise UsageError(f"{text} is no permission on a {kind}", hint=f"There is: {', '.join(known)}.")
        return (text,)

    def _object(self) -> int:
        class_ = self._class()
        parts = [self._name()]
        while self._accept("."):
            parts.append(self._name())
        if class_ == "DATABASE":
            return find(self._snapshot, spell(self._snapshot.rules, "database", parts))
        if class_ == "SERVER":
            return find(self._snapshot, "server")
        return self._found(class_, self._path(class_, parts))

    def _class(self) -> str:
        for words in sorted((*_CLASSES, "DATABASE", "SERVER"), key=len, reverse=True):
            at = self._at
            if self._accept(*words.split()):
                if self._accept("::"):
                    return words
                self._at = at
        return "OBJECT"

    def _path(self, class_: str, parts: list[str]) -> tuple[str, ...]:
        if class_ in ("LOGIN", "SERVER ROLE", "ENDPOINT"):
            return tuple(parts)
        if class_ in _IN_SCHEMA and len(parts) == 1:
            return (self._database, "dbo", parts[0])
        whole = 3 if class_ in _IN_SCHEMA else 2
        return tuple(parts) if len(parts) == whole else (self._database, *parts)

    def _found(self, class_: str, path: tuple[str, ...]) -> int:
        kinds = _CLASSES[class_]
        for number, one in enumerate(self._snapshot.objects):
            if one.kind in kinds and one.kind != "column" and one.path == path:
                return number
        raise UsageError(f"there is no {class_.lower()} {'.'.join(path)}", hint=f"The database is {self._database}.")

    # -- roles --------------------------------------------------------------------------------------------------------

    def _member(self) -> list[Change]:
        server = self._accept("SERVER")
        if not self._accept("ROLE"):
            raise self._refused()
        database = "" if server else self._database
        role = self._named(database, self._name())
        adding = self._accept("ADD", "MEMBER")
        if not adding and not self._accept("DROP", "MEMBER"):
            raise self._refused()
        member = self._named(database, self._name())
        self._end()
        return [AddMembership(member=member, group=role) if adding else RemoveMembership(member=member, group=role)]

    def _people(self, word: str, place: int | None) -> list[str]:
        if not self._accept(word):
            raise self._refused()
        found = [self._principal(self._name(), place)]
        while self._accept(","):
            found.append(self._principal(self._name(), place))
        return found

    def _principal(self, name: str, place: int | None) -> str:
        """Permissions on the server are of logins and server roles; all others are of users and roles of a database."""
        if place is None:
            outside = not self._inside()
        else:
            outside = not self._snapshot.kind(self._snapshot.objects[place]).contained
        return self._named("" if outside else self._database, name)

    def _inside(self) -> bool:
        items = _Statement(self._tokens, self._snapshot, self._database)
        items._next()
        items._accept("GRANT", "OPTION", "FOR")
        (words, _), *_ = items._items()
        return self._snapshot.objects[self._place(None, words)].kind == "database"

    def _named(self, database: str, name: str) -> str:
        return self._snapshot.principals[find_principal(self._snapshot, account_name(database, name))].name

    # -- tokens -------------------------------------------------------------------------------------------------------

    def _peek(self) -> str:
        word = self._tokens[self._at] if self._at < len(self._tokens) else ""
        return word if word.startswith(("[", '"')) else word.upper()

    def _next(self) -> str:
        if self._at >= len(self._tokens):
            raise self._refused()
        self._at += 1
        return self._tokens[self._at - 1]

    def _name(self) -> str:
        word = self._next()
        if word in (*"().,;", "::"):
            raise self._refused()
        return _unquoted(word)

    def _accept(self, *words: str) -> bool:
        seen = [token.upper() for token in self._tokens[self._at : self._at + len(words)]]
        if seen != list(words):
            return False
        self._at += len(words)
        return True

    def _end(self) -> None:
        if self._peek():
            raise self._refused()

    def _refused(self) -> UsageError:
        return UsageError(f"not understood: {' '.join(self._tokens)}", hint=_FORMS)


def _unquoted(token: str) -> str:
    if token.startswith("["):
        return token[1:-1].replace("]]", "]")
    return token[1:-1].replace('""', '"') if token.startswith('"') else token


def _change(verb: str, name: str, target: ObjectName, actions: tuple[str, ...], more: tuple[bool, str]) -> Change:
    option, grantor = more
    if verb == "REVOKE":
        return RemoveGrant(principal=name, object=target, actions=actions, option_only=option, grantor=grantor)
    grantable = option and verb == "GRANT"
    denied = verb == "DENY"
    return AddGrant(principal=name, object=target, actions=actions, grantable=grantable, grantor=grantor, deny=denied)
