"""Names inside one query: the sources of its FROM clause, the variables of the batch, and the query around it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from tests.simulators.mssql.answers import failed
from tests.simulators.mssql.model import Database, Object
from tests.simulators.mssql.registry import Field
from tests.simulators.mssql.relations import duck_name

if TYPE_CHECKING:
    from tests.simulators.mssql.session import Session


class Typed(NamedTuple):
    """An expression in DuckDB's SQL and the T-SQL type of its value."""

    sql: str
    kind: str
    nullable: bool = True


class Variable(NamedTuple):
    kind: str
    value: object


@dataclass
class Source:
    """One entry of a FROM clause; ``used`` are the columns that were named, for rights on columns."""

    alias: str
    fields: tuple[Field, ...]
    duck_alias: str = ""
    target: tuple[Database, Object] | None = None
    used: set[str] = field(default_factory=set)
    index: dict[str, list[Field]] = field(default_factory=dict)

    def named(self, key: str, fold: Callable[[str], str]) -> list[Field]:
        """Its columns of a name, both folded as the collation says."""
        if not self.index:
            for one in self.fields:
                self.index.setdefault(fold(one.name), []).append(one)
        return self.index.get(key, [])


@dataclass
class Frame:
    session: Session
    variables: Mapping[str, Variable]
    parent: Frame | None = None
    sources: list[Source] = field(default_factory=list)
    tables: dict[str, tuple[Field, ...]] = field(default_factory=dict)
    """Common table expressions in sight, by name."""
    outputs: dict[str, Typed] = field(default_factory=dict)
    """Aliases of the select list, which ORDER BY may name."""

    def inner(self) -> Frame:
        return Frame(self.session, self.variables, self, tables=dict(self.tables))

    def same(self, one: str, other: str) -> bool:
        return self.session.same(one, other)

    def find_table(self, name: str) -> tuple[str, tuple[Field, ...]] | None:
        return next(((known, fields) for known, fields in self.tables.items() if self.same(known, name)), None)

    def column(self, name: str, qualifier: str = "") -> Typed:
        """Raises 207, 209 or 4104 as the server does."""
        frame: Frame | None = self
        while frame is not None:
            found = list(frame._candidates(name, qualifier))
            if len(found) > 1:
                raise failed(209, f"Ambiguous column name '{name}'.")
            if found:
                source, one = found[0]
                source.used.add(one.name)
                return Typed(
                    f"{duck_name(source.duck_alias or source.alias)}.{duck_name(one.name)}", one.type, one.nullable
                )
            if qualifier and frame.source(qualifier):
                raise failed(207, f"Invalid column name '{name}'.")
            frame = frame.parent
        if qualifier:
            raise failed(4104, f'The multi-part identifier "{qualifier}.{name}" could not be bound.')
        raise failed(207, f"Invalid column name '{name}'.")

    def source(self, alias: str) -> Source | None:
        return next((one for one in self.sources if self.same(one.alias, alias)), None)

    def _candidates(self, name: str, qualifier: str) -> Iterator[tuple[Source, Field]]:
        fold = str if self.session.instance.case_sensitive else str.casefold
        key = fold(name)
        for source in self.sources:
            if qualifier and not self.same(source.alias, qualifier):
                continue
            for one in source.named(key, fold):
                yield source, one

    def add(self, source: Source) -> None:
        if self.source(source.alias):
            raise failed(
                1012,
                f"The correlation name '{source.alias}' is specified multiple times in a FROM clause.",
                severity=15,
            )
        self.sources.append(source)
