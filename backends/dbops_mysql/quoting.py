"""Names and texts as they stand in SQL. Never doubled for a driver's placeholders: statements are run without any."""

from __future__ import annotations

import re

__all__ = ["account", "identifier", "literal", "named", "pattern", "split_account"]

_QUOTED = re.compile(r"'((?:[^'\\]|''|\\.)*)'@'((?:[^'\\]|''|\\.)*)'\Z", re.DOTALL)
_PLAIN = re.compile(r"[\w$-]+")
_ESCAPED = re.compile(r"\\(.)|''", re.DOTALL)


def identifier(name: str) -> str:
    """Always in backticks: they mean the same with and without ``ANSI_QUOTES`` and ``NO_BACKSLASH_ESCAPES``."""
    return "`" + name.replace("`", "``") + "`"


def named(kind: str, *parts: str) -> str:
    """``table:shop.orders`` as people write it: a part is quoted only where it would be unclear."""
    return f"{kind}:{'.'.join(part if _PLAIN.fullmatch(part) else identifier(part) for part in parts)}"


def literal(text: str) -> str:
    """A text constant that means the same whatever ``sql_mode`` says of backslashes.

    A constant in hexadecimal is told its character set, else it would be a number or bytes.
    """
    if "\\" in text:
        return f"_utf8mb4 0x{text.encode().hex()}"
    return "'" + text.replace("'", "''") + "'"


def account(user: str, host: str) -> str:
    """An account as a statement names it. Both parts may be quoted like identifiers, which no ``sql_mode`` changes."""
    return f"{identifier(user)}@{identifier(host)}"


def pattern(database: str, *, literal_wildcards: bool) -> str:
    """A database as GRANT names it: ``_`` and ``%`` would stand for any letter and any letters.

    :param literal_wildcards: the server takes them literally (``partial_revokes`` is on), and an escape as well.
    """
    plain = database if literal_wildcards else re.sub(r"([\\_%])", r"\\\1", database)
    return identifier(plain)


def split_account(name: str) -> tuple[str, str] | None:
    """``'alice'@'10.%'`` in its two parts; None for what is not written so (a role of MariaDB)."""
    found = _QUOTED.match(name)
    if found is None:
        return None
    user, host = (_ESCAPED.sub(lambda one: one[1] or "'", part) for part in found.groups())
    return user, host
