"""What is there to be lost: objects counted by kind and database, and accounts.

They are counted before a copy is made and after; what both times were there must be in it. A login that sees a part
expects a part: what it did not see is not missed.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress

import msgspec

from dbops.errors import DbopsError
from dbops.model.server import Endpoint
from dbops.spi import Reader, Runtime
from dbops_mysql.statement import text

__all__ = ["Counts", "count", "decode", "encode", "least", "read", "said"]

Counts = Mapping[str, Mapping[str, int]]
"""How many, by kind and database; accounts stand under the empty name."""


def read(endpoint: Endpoint, runtime: Runtime) -> Counts:
    """As far as the login sees, and as the server tells in time: nothing is missed that nobody saw."""
    with runtime.reader(endpoint) as reader:
        try:
            return count(reader)
        except DbopsError:
            return {}


def count(reader: Reader) -> Counts:
    """In one session."""
    found: dict[str, dict[str, int]] = {}
    for kind, name, number in reader.tuples(text("copy_objects")):
        found.setdefault(str(kind), {})[str(name)] = int(number)
    with suppress(DbopsError):  # not every login may
        found["accounts"] = {"": len(reader.tuples(text("copy_accounts")))}
    return found


def least(one: Counts, other: Counts) -> Counts:
    """What both have."""
    return {
        kind: {name: min(number, other[kind][name]) for name, number in names.items() if name in other[kind]}
        for kind, names in one.items()
        if kind in other
    }


def encode(counts: Counts) -> str:
    """As a step's output."""
    return msgspec.json.encode(counts, order="sorted").decode()


def decode(counts: object) -> Counts:
    """Of :func:`encode`; empty for nothing."""
    return msgspec.json.decode(str(counts), type=dict[str, dict[str, int]]) if counts else {}


def said(counts: Counts) -> str:
    """``12 tables, 3 views``: over all databases."""
    return ", ".join(f"{sum(names.values())} {kind}" for kind, names in sorted(counts.items())) or "nothing"
