"""Giving what runs with the rights of one account to another.

Views and events can be altered in one statement that keeps the rights granted on them. Routines and triggers would have
to be dropped and made again, and in between whoever calls them fails, or a row is written without its trigger: they are
left. A text with a backslash is left as well: the server prints it in a way that it reads otherwise when
``NO_BACKSLASH_ESCAPES`` is set, as it is in our sessions.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

from dbops.model.access import SecuredObject
from dbops.spi import Reader
from dbops_mysql.access.sql import MySQLStatements
from dbops_mysql.quoting import identifier
from dbops_mysql.statement import text

__all__ = ["Handing", "handing_over", "view_statement"]

_NAME = r"`(?:[^`]|``)*`"
_VIEW = re.compile(
    rf"CREATE (ALGORITHM=\w+) DEFINER={_NAME}@{_NAME} (SQL SECURITY \w+) VIEW (?:{_NAME}\.)?{_NAME} (.*)\Z", re.DOTALL
)
_STATES = {"ENABLED": "ENABLE", "DISABLED": "DISABLE"}


class Handing(msgspec.Struct, frozen=True):
    """Statements with their databases and what they are about, and what cannot be given to another."""

    statements: tuple[tuple[str, str, SecuredObject], ...] = ()
    left: tuple[SecuredObject, ...] = ()


def handing_over(reader: Reader, objects: Sequence[SecuredObject], heir: str, to: MySQLStatements) -> Handing:
    """For each object one statement that makes ``heir`` its definer, as far as there is one."""
    found: list[tuple[str, str, SecuredObject]] = []
    left: list[SecuredObject] = []
    for one in objects:
        statement = _statement(reader, one, to.principal(heir))
        if statement:
            found.append((statement, one.database, one))
        else:
            left.append(one)
    return Handing(tuple(found), tuple(left))


def _statement(reader: Reader, one: SecuredObject, heir: str) -> str:
    name = ".".join(identifier(part) for part in one.path)
    if one.kind == "view":
        with reader.database(one.database) as inside:
            return view_statement(str(inside.tuples(f"SHOW CREATE VIEW {name}")[0][1]), name, heir)
    if one.kind == "event":
        state = reader.scalar(text("access_event_state"), {"database": one.path[0], "event": one.path[1]})
        word = _STATES.get(str(state))
        return f"ALTER DEFINER={heir} EVENT {name} {word}" if word else ""
    return ""


def view_statement(created: str, name: str, heir: str) -> str:
    """The ALTER VIEW that changes nothing but the definer, empty when it would change more."""
    found = _VIEW.match(created)
    if found is None or "\\" in created:
        return ""
    algorithm, security, body = found.groups()
    return f"ALTER {algorithm} DEFINER={heir} {security} VIEW {name} {body}"
