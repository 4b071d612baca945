"""A reader of the modelled instance without a wire in between, and what it says it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from dbops.errors import NotPermitted
from dbops.model.server import Server
from tests.simulators.mssql.answers import Failed
from tests.simulators.mssql.instance import Instance

__all__ = ["Direct", "server_of"]


class Direct:
    """A reader."""

    def __init__(self, instance: Instance, where: str = "master") -> None:
        self._instance, self._where = instance, where

    def tuples(self, sql: str, parameters: Mapping[str, object] | None = None) -> list[tuple[Any, ...]]:
        assert not parameters
        try:
            return self._instance.execute(sql.replace("%%", "%"), database=self._where)
        except Failed as wrong:
            raise NotPermitted(str(wrong), reason="no_permission") from wrong

    def scalar(self, sql: str, parameters: Mapping[str, object] | None = None) -> object:
        return self.tuples(sql, parameters)[0][0]

    @contextmanager
    def database(self, name: str) -> Iterator[Direct]:
        yield Direct(self._instance, name)


def server_of(instance: Instance) -> Server:
    return Server(
        engine="mssql",
        version=(16, 0, 4135, 4),
        version_text=instance.version,
        role="primary",
        incarnation="own",
        database="shop",
    )
