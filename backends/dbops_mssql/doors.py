"""Which word of a plan opens which door: byte streams, things held open, calls, probes.

Each table maps a word to a function of the module that owns it; :mod:`dbops_mssql.backend` only looks up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager

from dbops.model.server import Endpoint
from dbops.plan import Value
from dbops.spi import Member, Runtime

__all__ = ["CALLS", "HOLDS", "PROBES", "STREAMS"]

Arguments = Mapping[str, object]
Held = AbstractContextManager[tuple[Mapping[str, Value], Endpoint | None]]

STREAMS: dict[str, Callable[[Arguments, Endpoint, Runtime], Iterator[Member]]] = {}
HOLDS: dict[str, Callable[[Arguments, Endpoint, Runtime], Held]] = {}
CALLS: dict[str, Callable[[Arguments, Endpoint, Runtime], Mapping[str, Value]]] = {}
PROBES: dict[str, Callable[[Arguments, Endpoint, Runtime], bool]] = {}
