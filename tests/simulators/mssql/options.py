"""``WITH NAME = value, …``, as most statements that define something take their options."""

from __future__ import annotations

from collections.abc import Mapping

from tests.simulators.mssql.answers import failed
from tests.simulators.mssql.lexer import Cursor, Kind

Options = dict[str, object]


def read(cursor: Cursor, known: Mapping[str, str]) -> Options:
    """``known`` gives each option's kind: ``name``, ``string``, ``binary``, ``switch``, ``password`` or ``flag``."""
    found: Options = {}
    while True:
        word = _option(cursor, known)
        kind = known[word]
        if kind != "flag":
            cursor.expect("=")
        if word in found:
            raise failed(1092, f"The option '{word}' has been specified more than once.", severity=15)
        found[word] = _value(cursor, kind)
        if kind == "password":
            _password_flags(cursor, found)
        if not cursor.accept(","):
            return found


def _option(cursor: Cursor, known: Mapping[str, str]) -> str:
    for word in known:
        if cursor.accept(*word.split()):
            return word
    raise cursor.wrong()


def _value(cursor: Cursor, kind: str) -> object:
    match kind:
        case "flag":
            return True
        case "switch":
            return cursor.choose("ON", "OFF") == "ON"
        case "binary":
            return cursor.binary()
        case "string":
            return cursor.string()
        case "password":
            return cursor.binary() if cursor.is_kind(Kind.BINARY) else cursor.string()
        case _:
            return None if cursor.accept("NULL") else cursor.string() if cursor.is_kind(Kind.STRING) else cursor.name()


def _password_flags(cursor: Cursor, found: Options) -> None:
    for word in ("HASHED", "MUST_CHANGE", "UNLOCK", "HASHED", "MUST_CHANGE"):
        if cursor.accept(word):
            found[word] = True
