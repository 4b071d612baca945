"""What PostgreSQL's words of access mean, as data: kinds of objects, their actions, gates, defaults, predefined roles.

Sources: the documentation's chapter on privileges (table "Summary of access privileges"), the chapter on predefined
roles, and acldefault() of the server.
"""

from __future__ import annotations

from functools import cache

from dbops.model.access import Everywhere, Gate, Implied, Kind, Rules, Word

__all__ = ["ATTRIBUTES", "LETTERS", "TABLE_LIKE", "rules"]

LETTERS = {
    "r": "SELECT", "a": "INSERT", "w": "UPDATE", "d": "DELETE", "D": "TRUNCATE", "x": "REFERENCES", "t": "TRIGGER",
    "m": "MAINTAIN", "X": "EXECUTE", "U": "USAGE", "C": "CREATE", "T": "TEMPORARY", "c": "CONNECT", "s": "SET",
    "A": "ALTER SYSTEM",
}  # fmt: skip
ATTRIBUTES = ("SUPERUSER", "INHERIT", "CREATEROLE", "CREATEDB", "LOGIN", "REPLICATION", "BYPASSRLS")
TABLE_LIKE = ("table", "view", "matview", "foreign_table")

_DATABASE = Gate("database", "CONNECT")
_SCHEMA = Gate("schema", "USAGE")
_COLUMN = ("SELECT", "INSERT", "UPDATE", "REFERENCES")
_MAINTAIN_SINCE = 17
_PARAMETERS_SINCE = 15


@cache
def rules(major: int) -> Rules:
    """The rules of one major version."""
    kinds = [*_outside(major), *_relations(major), *_inside()]
    return Rules(
        kinds={kind.name: kind for kind in kinds},
        everywhere=_everywhere(major),
        bypass=("SUPERUSER",),
        row_bypass=("SUPERUSER", "BYPASSRLS"),
        login="LOGIN",
        assumed=("INHERIT",),
        membership_options=major >= 16,
    )


def _words(**meaning: str) -> tuple[Word, ...]:
    return tuple(Word(word, tuple(actions.split())) for word, actions in meaning.items())


def _outside(major: int) -> list[Kind]:
    database = Kind(
        name="database",
        actions=("CREATE", "CONNECT", "TEMPORARY"),
        gates=(_DATABASE,),
        public_actions=("CONNECT", "TEMPORARY"),
        words=_words(read="CONNECT", write="CONNECT TEMPORARY", ddl="CREATE", admin="CREATE CONNECT TEMPORARY"),
    )
    tablespace = Kind(name="tablespace", actions=("CREATE",), contained=False, words=_words(ddl="CREATE"))
    parameter = Kind(
        name="parameter",
        actions=("SET", "ALTER SYSTEM"),
        contained=False,
        words=(Word("write", ("SET",)), Word("admin", ("SET", "ALTER SYSTEM"))),
    )
    return [database, tablespace, *([parameter] if major >= _PARAMETERS_SINCE else [])]


def _relations(major: int) -> list[Kind]:
    maintain = ("MAINTAIN",) if major >= _MAINTAIN_SINCE else ()
    actions = ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER", *maintain)
    words = (
        *_words(read="SELECT", write="INSERT UPDATE DELETE"),
        Word("ddl", ("TRUNCATE", "REFERENCES", "TRIGGER", *maintain)),
        Word("admin", actions),
    )
    found = [
        Kind(
            name=name,
            actions=actions,
            family="table",
            depth=3,
            gates=(_SCHEMA, _DATABASE),
            admin_only=("INSERT", "UPDATE", "DELETE", "TRUNCATE") if name == "table" else (),
            words=words,
        )
        for name in TABLE_LIKE
    ]
    return [*found, _column(), _sequence()]


def _column() -> Kind:
    return Kind(
        name="column",
        actions=_COLUMN,
        depth=4,
        gates=(_SCHEMA, _DATABASE),
        implied=tuple(Implied(action, "table", action) for action in _COLUMN),
        words=_words(read="SELECT", write="INSERT UPDATE", ddl="REFERENCES", admin=" ".join(_COLUMN)),
    )


def _sequence() -> Kind:
    return Kind(
        name="sequence",
        actions=("SELECT", "USAGE", "UPDATE"),
        depth=3,
        gates=(_SCHEMA, _DATABASE),
        words=_words(read="SELECT", write="USAGE UPDATE", execute="USAGE", admin="SELECT USAGE UPDATE"),
    )


def _inside() -> list[Kind]:
    usage = _words(read="USAGE", execute="USAGE", admin="USAGE")
    return [
        Kind(
            name="schema",
            actions=("CREATE", "USAGE"),
            depth=2,
            gates=(_DATABASE,),
            words=_words(read="USAGE", write="USAGE", execute="USAGE", ddl="CREATE USAGE", admin="CREATE USAGE"),
        ),
        Kind(
            name="function",
            actions=("EXECUTE",),
            depth=3,
            signature=True,
            gates=(_SCHEMA, _DATABASE),
            public_actions=("EXECUTE",),
            words=_words(execute="EXECUTE", admin="EXECUTE"),
        ),
        Kind(
            name="type",
            actions=("USAGE",),
            depth=3,
            gates=(_SCHEMA, _DATABASE),
            public_actions=("USAGE",),
            words=usage,
        ),
        Kind(name="language", actions=("USAGE",), depth=2, gates=(_DATABASE,), public_actions=("USAGE",), words=usage),
        Kind(name="fdw", actions=("USAGE",), depth=2, gates=(_DATABASE,), words=usage),
        Kind(name="foreign_server", actions=("USAGE",), depth=2, gates=(_DATABASE,), words=usage),
        Kind(
            name="large_object",
            actions=("SELECT", "UPDATE"),
            depth=2,
            gates=(_DATABASE,),
            words=_words(read="SELECT", write="UPDATE", admin="SELECT UPDATE"),
        ),
    ]


def _everywhere(major: int) -> tuple[Everywhere, ...]:
    relations = (*TABLE_LIKE, "sequence")
    since_14 = (
        Everywhere("pg_read_all_data", relations, ("SELECT",)),
        Everywhere("pg_read_all_data", ("schema",), ("USAGE",)),
        Everywhere("pg_write_all_data", TABLE_LIKE, ("INSERT", "UPDATE", "DELETE")),
        # The server asks no kind of relation here, so a sequence can be advanced.
        Everywhere("pg_write_all_data", ("sequence",), ("UPDATE",)),
        Everywhere("pg_write_all_data", ("schema",), ("USAGE",)),
    )
    since_17 = (Everywhere("pg_maintain", TABLE_LIKE, ("MAINTAIN",)),)
    return (*(since_14 if major >= 14 else ()), *(since_17 if major >= _MAINTAIN_SINCE else ()))
