"""Where the parts of the simulator register themselves: statements, views, functions that give rows, and functions.

Each topic lives in its own module below ``statements``, ``catalog`` or ``functions`` and is imported with all the
others by ``load``; adding one touches no other file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from tests.simulators.mssql.answers import Answer
    from tests.simulators.mssql.lexer import Cursor
    from tests.simulators.mssql.scope import Scope
    from tests.simulators.mssql.session import Session

HERE = Path(__file__).parent
TOPICS = ("catalog", "functions", "statements")


@dataclass(frozen=True, slots=True)
class Field:
    """``since`` is the major version that brought the column: 16 is SQL Server 2022."""

    name: str
    type: str
    nullable: bool = False
    since: int = 0


@dataclass(frozen=True, slots=True)
class View:
    """A catalog view, DMV or system table, by its two-part name: ``sys.databases``, ``dbo.backupset``."""

    name: str
    fields: tuple[Field, ...]
    rows: Callable[[Scope], Iterable[Mapping[str, object]]]
    database: str = ""
    """The only database that has it (``msdb``); empty: every one."""
    per_database: bool = False
    needs: tuple[str, str] = ("", "")
    """The server permission that reading it takes, until 2019 and since 2022."""
    since: int = 0


@dataclass(frozen=True, slots=True)
class TableFunction:
    """A function that gives rows. ``rows`` gets the values of its arguments where they are constants.

    Keyed by columns (``CROSS APPLY sys.dm_exec_sql_text(r.sql_handle)``) it gets no arguments: it gives the rows for
    all of them, with the argument each belongs to under ``_1``, ``_2`` …
    """

    name: str
    fields: tuple[Field, ...]
    rows: Callable[..., Iterable[Mapping[str, object]]]
    keys: tuple[str, ...] = ()
    """T-SQL types of the arguments of a keyed function."""
    needs: tuple[str, str] = ("", "")
    since: int = 0


@dataclass(frozen=True, slots=True)
class Function:
    """A scalar function, by its name in capitals. ``call`` gets the session and Python values, NULL as None."""

    name: str
    call: Callable[..., object]
    parameters: tuple[str, ...]
    returns: str


class Handler(Protocol):
    """Reads its statement from the cursor (its first words are taken already) and carries it out."""

    def __call__(self, session: Session, cursor: Cursor, /) -> Iterator[Answer]: ...


STATEMENTS: dict[tuple[str, ...], Handler] = {}
VIEWS: dict[str, View] = {}
TABLE_FUNCTIONS: dict[str, TableFunction] = {}
FUNCTIONS: dict[str, Function] = {}


Key = TypeVar("Key")
Value = TypeVar("Value")


def _once(table: dict[Key, Value], key: Key, value: Value) -> None:
    """Two modules that define the same thing would each believe in their own."""
    if key in table:
        raise KeyError(f"{key} is defined twice")
    table[key] = value


def fields(text: str) -> tuple[Field, ...]:
    """One column a line: ``name type``, ``?`` after the type where it can be NULL, ``16+`` for the version."""
    return tuple(_field(line.split()) for line in text.splitlines() if line.strip())


def _field(words: list[str]) -> Field:
    name, kind, *since = words
    return Field(name, kind.rstrip("?"), kind.endswith("?"), int(since[0].rstrip("+")) if since else 0)


def statement(words: str) -> Callable[[Handler], Handler]:
    """``@statement("ALTER SERVER ROLE")``: the longest beginning that matches wins."""

    def register(handler: Handler) -> Handler:
        _once(STATEMENTS, tuple(words.split()), handler)
        return handler

    return register


Rows = Callable[["Scope"], Iterable[Mapping[str, object]]]


def view(
    name: str,
    columns: str,
    *,
    database: str = "",
    per_database: bool = False,
    needs: tuple[str, str] = ("", ""),
    since: int = 0,
) -> Callable[[Rows], Rows]:
    """Rows are mappings by column; a column left out is NULL, a name that is no column is a mistake of the model."""

    def register(rows: Rows) -> Rows:
        _once(VIEWS, name.lower(), View(name, fields(columns), rows, database, per_database, needs, since))
        return rows

    return register


def table_function(
    name: str,
    columns: str,
    *,
    keys: tuple[str, ...] = (),
    needs: tuple[str, str] = ("", ""),
    since: int = 0,
) -> Callable[[Callable[..., Iterable[Mapping[str, object]]]], Callable[..., Iterable[Mapping[str, object]]]]:
    def register(rows: Callable[..., Iterable[Mapping[str, object]]]) -> Callable[..., Iterable[Mapping[str, object]]]:
        _once(TABLE_FUNCTIONS, name.lower(), TableFunction(name, fields(columns), rows, keys, needs, since))
        return rows

    return register


def function(name: str, returns: str, *parameters: str) -> Callable[[Callable[..., object]], Callable[..., object]]:
    """``parameters`` are T-SQL types; one that ends with ``?`` may be left out."""

    def register(call: Callable[..., object]) -> Callable[..., object]:
        _once(FUNCTIONS, name, Function(name, call, parameters, returns))
        return call

    return register


def load() -> None:
    """Import every topic; registering happens while they are imported."""
    for topic in TOPICS:
        for path in sorted((HERE / topic).glob("*.py")):
            import_module(f"tests.simulators.mssql.{topic}.{path.stem}")
