"""What the words of access mean, as data: kinds of objects and the privileges that there are on each.

A privilege is what a row of ``mysql.*`` says; which row counts for whom is :class:`~dbops.model.access.Matching`.
Sources: "Privileges Provided by MySQL" in its manual and ``GRANT`` in MariaDB's; the columns of the grant tables.
"""

from __future__ import annotations

from collections.abc import Iterable

from dbops.model.access import Implied, Kind, Word

__all__ = ["GRANT", "Levels", "kinds"]

GRANT = "GRANT OPTION"
"""The right to pass on what one has at a level: one bit of a row, an action of its own here."""


class Levels:
    """The privileges at each level, in the order of the columns of the grant tables.

    :param server: at the level of the whole server; what databases have comes first.
    :param table: for tables and views.
    :param column: for columns. :param routine: for procedures, functions and what is like them.
    """

    def __init__(
        self,
        *,
        database: tuple[str, ...],
        server: tuple[str, ...],
        table: tuple[str, ...],
        column: tuple[str, ...],
        routine: tuple[str, ...],
    ) -> None:
        self.database = database
        self.server = (*database, *server)
        self.table = table
        self.column = column
        self.routine = routine


def kinds(levels: Levels, dynamic: Iterable[str] = (), routines: Iterable[str] = ()) -> dict[str, Kind]:
    """All kinds of one engine.

    :param dynamic: privileges of the server that are registered while it runs.
    :param routines: kinds like procedures that only this engine has.
    """
    found = [_server(levels, dynamic), *_databases(levels), *_tables(levels), *_routines(levels, routines), *_others()]
    return {kind.name: kind for kind in found}


def _words(actions: tuple[str, ...], **meaning: tuple[str, ...]) -> tuple[Word, ...]:
    words = [Word(word, tuple(one for one in of if one in actions)) for word, of in meaning.items()]
    every = tuple(one for one in actions if one != GRANT)
    return (*(word for word in words if word.actions), Word("admin", every))


_READ = ("SELECT", "SHOW VIEW")
_WRITE = ("INSERT", "UPDATE", "DELETE")
_DDL = (
    "CREATE", "DROP", "REFERENCES", "INDEX", "ALTER", "CREATE VIEW", "CREATE ROUTINE", "ALTER ROUTINE", "EVENT",
    "TRIGGER",
)  # fmt: skip


def _server(levels: Levels, dynamic: Iterable[str]) -> Kind:
    actions = (*levels.server, *(one for one in sorted(set(dynamic)) if one not in levels.server))
    # What is registered while a server runs differs from one to the next: it is named one by one.
    words = _words(levels.server, read=_READ, write=_WRITE, execute=("EXECUTE",), ddl=_DDL)
    own = tuple(one for one in actions if one not in levels.server)
    return Kind(name="server", actions=actions, depth=0, contained=False, words=words, option=GRANT, own_options=own)


def _databases(levels: Levels) -> list[Kind]:
    actions = levels.database
    words = _words(
        actions, read=_READ, write=(*_WRITE, "CREATE TEMPORARY TABLES", "LOCK TABLES"), execute=("EXECUTE",), ddl=_DDL
    )
    above = tuple(Implied(action, "server", action) for action in actions)
    return [
        Kind(name="database", actions=actions, implied=above, words=words, option=GRANT),
        Kind(name="pattern", actions=actions, contained=False, implied=above, words=words, option=GRANT, latent=True),
    ]


def _tables(levels: Levels) -> list[Kind]:
    words = _words(levels.table, read=_READ, write=_WRITE, ddl=_DDL)
    above = tuple(Implied(action, "database", action) for action in levels.table)
    tables = [
        Kind(name=name, actions=levels.table, family="table", depth=2, implied=above, words=words, option=GRANT)
        for name in ("table", "view", "sequence")
    ]
    column = Kind(
        name="column",
        actions=levels.column,
        depth=3,
        implied=tuple(Implied(action, "table", action) for action in levels.column),
        words=_words(levels.column, read=_READ, write=_WRITE, ddl=_DDL),
    )
    return [*tables, column]


def _routines(levels: Levels, others: Iterable[str]) -> list[Kind]:
    words = _words(levels.routine, execute=("EXECUTE",), ddl=("ALTER ROUTINE",))
    above = tuple(Implied(action, "database", action) for action in levels.routine)
    return [
        Kind(name=name, actions=levels.routine, family="routine", depth=2, implied=above, words=words, option=GRANT)
        for name in ("procedure", "function", *others)
    ]


def _others() -> list[Kind]:
    return [
        Kind(name="account", actions=("PROXY",), contained=False, latent=True),
        Kind(name="event", actions=(), depth=2),
        Kind(name="trigger", actions=(), depth=2),
    ]
