"""GRANT, DENY, REVOKE and the members of roles as changes, for "what if"; what is not understood whole is refused."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from dbops.access.naming import find, find_principal, spell
from dbops.access.tokens import Item, Lexicon, Tokens, words
from dbops.errors import UsageError
from dbops.model.access import AccessSnapshot
from dbops.model.change import AddGrant, AddMembership, Change, ObjectName, RemoveGrant, RemoveMembership
from dbops_mssql.access.people import account_name
from dbops_mssql.access.sql import ON

__all__ = ["parse"]

_VERBS = ("GRANT", "DENY", "REVOKE")
_CLASSES = {sql: tuple(kind for kind, other in ON.items() if other == sql) for sql in dict.fromkeys(ON.values())}
_IN_SCHEMA = ("OBJECT", "TYPE", "XML SCHEMA COLLECTION")
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
    for statement in _statements(sql):
        if _names_database(statement):
            database = _unquoted(statement[1])
        else:
            found += _Statement(Tokens(statement, _LEXICON), snapshot, database).changes()
    if not found:
        raise UsageError("there is no statement to suppose", hint=_LEXICON.forms)
    return tuple(found)


def _statements(sql: str) -> Iterator[list[str]]:
    tokens: list[str] = []
    for text in words(sql, _LEXICON):
        ends = text == ";" or text.upper() == "GO"
        if ends or _names_database(tokens):
            yield from [tokens] if tokens else []
            tokens = []
        if not ends:
            tokens.append(text)
    yield from [tokens] if tokens else []


def _names_database(tokens: Sequence[str]) -> bool:
    return len(tokens) == 2 and tokens[0].upper() == "USE"


class _Statement:
    def __init__(self, tokens: Tokens, snapshot: AccessSnapshot, database: str) -> None:
        self._words, self._snapshot, self._database = tokens, snapshot, database

    def changes(self) -> list[Change]:
        """All that the statement changes."""
        verb = self._words.next().upper()
        if verb == "ALTER":
            return self._member()
        if verb not in _VERBS:
            raise self._words.refused()
        return self._permissions(verb)

    # -- permissions --------------------------------------------------------------------------------------------------

    def _permissions(self, verb: str) -> list[Change]:
        option = verb == "REVOKE" and self._words.accept("GRANT", "OPTION", "FOR")
        items = self._words.items()
        place = self._object() if self._words.accept("ON") else None
        after = self._words.columns()
        where = self._home(self._place(place, items[0]))
        names = self._people("FROM" if verb == "REVOKE" and self._words.peek() == "FROM" else "TO", where)
        grantable = verb == "GRANT" and self._words.accept("WITH", "GRANT", "OPTION")
        if verb != "GRANT":
            self._words.accept("CASCADE")
        grantor = self._named(where, self._words.name()) if self._words.accept("AS") else ""
        self._words.end()
        found: list[Change] = []
        for item in items:
            for target in self._targets(self._place(place, item), item.columns or after):
                actions = self._actions(item.text, target.kind)
                more = grantable or option, grantor
                found += [_change(verb, name, target, actions, more) for name in names]
        return found

    def _place(self, place: int | None, item: Item) -> int:
        """What a permission without ON is about: the server has it, or else the database."""
        if place is not None:
            return place
        kinds = self._snapshot.rules.kinds
        server = item.text in kinds["server"].actions and item.text not in kinds["database"].actions
        return find(self._snapshot, "server" if server else spell(self._snapshot.rules, "database", (self._database,)))

    def _targets(self, place: int, columns: Sequence[str]) -> list[ObjectName]:
        one = self._snapshot.objects[place]
        if not columns:
            return [ObjectName(one.kind, one.path)]
        return [ObjectName("column", (*one.path, column)) for column in columns]

    def _actions(self, text: str, kind: str) -> tuple[str, ...]:
        known = self._snapshot.rules.kinds[kind].actions
        if text in ("ALL", "ALL PRIVILEGES"):
            return tuple(one for one in _ALL.get(kind, known) if one in known)
        if text not in known:
            raise UsageError(f"{text} is no permission on a {kind}", hint=f"There is: {', '.join(known)}.")
        return (text,)

    def _object(self) -> int:
        class_ = self._class()
        parts = [self._words.name()]
        while self._words.accept("."):
            parts.append(self._words.name())
        if class_ == "DATABASE":
            return find(self._snapshot, spell(self._snapshot.rules, "database", parts))
        if class_ == "SERVER":
            return find(self._snapshot, "server")
        return self._found(class_, self._path(class_, parts))

    def _class(self) -> str:
        for class_ in (*_CLASSES, "DATABASE", "SERVER"):
            if self._words.accept(*class_.split(), "::"):
                return class_
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
        server = self._words.accept("SERVER")
        if not self._words.accept("ROLE"):
            raise self._words.refused()
        database = "" if server else self._database
        role = self._named(database, self._words.name())
        adding = self._words.accept("ADD", "MEMBER")
        if not adding and not self._words.accept("DROP", "MEMBER"):
            raise self._words.refused()
        member = self._named(database, self._words.name())
        self._words.end()
        return [AddMembership(member=member, group=role) if adding else RemoveMembership(member=member, group=role)]

    def _people(self, word: str, database: str) -> list[str]:
        if not self._words.accept(word):
            raise self._words.refused()
        return self._words.listed(lambda: self._named(database, self._words.name()))

    def _home(self, place: int) -> str:
        """Permissions on the server are of logins and server roles; all others are of users and roles of a database."""
        return self._database if self._snapshot.kind(self._snapshot.objects[place]).contained else ""

    def _named(self, database: str, name: str) -> str:
        return self._snapshot.principals[find_principal(self._snapshot, account_name(database, name))].name


def _unquoted(token: str) -> str:
    if token.startswith("["):
        return token[1:-1].replace("]]", "]")
    return token[1:-1].replace('""', '"') if token.startswith('"') else token


_LEXICON = Lexicon(
    word=re.compile(
        r"\s+|--[^\n]*|/\*.*?\*/|\[(?:[^\]]|\]\])*\]|\"(?:[^\"]|\"\")*\"|[^\W\d][\w@#$]*|#+[\w@#$]*|::|[().,;\\]",
        re.DOTALL,
    ),
    between=re.compile(r"\s|--|/\*"),
    quotes='["',
    signs=frozenset((*"().,;", "::")),
    read=_unquoted,
    forms=(
        "USE of a database; GRANT, DENY or REVOKE of permissions [ON class::name] TO or FROM names; "
        "ALTER [SERVER] ROLE name ADD or DROP MEMBER name; several separated by ;"
    ),
)


def _change(verb: str, name: str, target: ObjectName, actions: tuple[str, ...], more: tuple[bool, str]) -> Change:
    option, grantor = more
    if verb == "REVOKE":
        return RemoveGrant(principal=name, object=target, actions=actions, option_only=option, grantor=grantor)
    grantable = option and verb == "GRANT"
    denied = verb == "DENY"
    return AddGrant(principal=name, object=target, actions=actions, grantable=grantable, grantor=grantor, deny=denied)
