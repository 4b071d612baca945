"""What only the engine at hand can do, found by the word of a step in the tables of its backend."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeVar

from dbops.errors import UsageError
from dbops.execute.context import Context
from dbops.plan import Call, FromServer, Opening, Probe, Seal, Value
from dbops.spi import Door, Held, Member

__all__ = ["call", "hold", "probe", "seal", "streams"]

T = TypeVar("T")


def streams(source: FromServer, context: Context) -> Iterator[Member]:
    """The streams of a source, one after the other.

    :raises UsageError: here as in every function of this module: the engine has no such thing.
    """
    return _through(_door(context, context.backend.doors.streams, source.stream, "stream"), source, context)


def hold(opening: Opening, context: Context) -> Held:
    """Something to be kept open."""
    return _through(_door(context, context.backend.doors.holds, opening.what, "opening"), opening, context)


def call(step: Call, context: Context) -> Mapping[str, Value]:
    """An operation of the engine's own; gives the outputs."""
    return _through(_door(context, context.backend.doors.calls, step.operation, "operation"), step, context)


def probe(asked: Probe, context: Context) -> bool:
    """One asking."""
    return _through(_door(context, context.backend.doors.probes, asked.what, "probe"), asked, context)


def seal(secret: Seal, context: Context) -> str:
    """A complete SQL literal of what the server stores for a secret."""
    door = context.backend.doors.seal
    if door is None:
        raise _other(context, f"stores no secret such as {secret.seal!r}")
    return door(secret, context)


def _door(context: Context, table: Mapping[str, Door[T]], word: str, kind: str) -> Door[T]:
    if word not in table:
        raise _other(context, f"has no {kind} called {word!r}")
    return table[word]


def _through(door: Door[T], named: FromServer | Opening | Call | Probe, context: Context) -> T:
    return door(context.values(named.arguments), context.endpoint(named.endpoint), context)


def _other(context: Context, what: str) -> UsageError:
    return UsageError(f"{context.backend.label} {what}", hint="The plan was made by another version.")
