"""What a server says, as tokens ([MS-TDS] 2.2.7)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import IntEnum, IntFlag

from tests.simulators.mssql.answers import Column, Message
from tests.simulators.mssql.tds.bytes import number, signed, text
from tests.simulators.mssql.tds.types import COLLATION, Wire, wire

TDS_7_4 = 0x74000004
NO_METADATA = 0xFFFF
NULLABLE = 0x01
PROGRAM = "Microsoft SQL Server"


class Change(IntEnum):
    """What ENVCHANGE is about."""

    DATABASE = 1
    LANGUAGE = 2
    PACKET_SIZE = 4
    COLLATION = 7
    BEGIN = 8
    COMMIT = 9
    ROLLBACK = 10


class Status(IntFlag):
    """Of DONE, DONEPROC and DONEINPROC."""

    FINAL = 0
    MORE = 0x1
    ERROR = 0x2
    IN_TRANSACTION = 0x4
    COUNT = 0x10
    ATTENTION = 0x20


DONE, DONEPROC, DONEINPROC = 0xFD, 0xFE, 0xFF


def done(status: Status, count: int = 0, token: int = DONE) -> bytes:
    return number(token, 1) + number(status, 2) + number(0, 2) + number(count, 8)


def environment(change: Change, new: str | bytes, old: str | bytes = "") -> bytes:
    body = number(change, 1) + _changed(new) + _changed(old)
    return b"\xe3" + number(len(body), 2) + body


def _changed(value: str | bytes) -> bytes:
    return text(value, 1) if isinstance(value, str) else number(len(value), 1) + value


def collation() -> bytes:
    return environment(Change.COLLATION, COLLATION, b"")


def login_ack(version: int, program: tuple[int, int, int]) -> bytes:
    """:param version: of TDS. :param program: major, minor and build of the server."""
    major, minor, build = program
    body = number(1, 1) + version.to_bytes(4, "big") + text(PROGRAM, 1)
    body += bytes((major, minor)) + build.to_bytes(2, "big")
    return b"\xad" + number(len(body), 2) + body


def feature_ack(features: Mapping[int, bytes]) -> bytes:
    body = b"".join(number(one, 1) + number(len(data), 4) + data for one, data in features.items())
    return b"\xae" + body + b"\xff"


def message(said: Message, server: str) -> bytes:
    """ERROR, or INFO up to severity 10."""
    body = signed(said.number, 4) + bytes((said.state, said.severity)) + text(said.text, 2)
    body += text(server, 1) + text(said.procedure, 1) + number(said.line, 4)
    return (b"\xaa" if said.severity > 10 else b"\xab") + number(len(body), 2) + body


def columns(described: Sequence[Column]) -> bytes:
    body = b"".join(
        number(0, 4) + number(NULLABLE if one.nullable else 0, 2) + wire(one.type).info + text(one.name, 1)
        for one in described
    )
    return b"\x81" + number(len(described), 2) + body


def rows(described: Sequence[Column], values: Iterable[tuple[object, ...]]) -> Iterable[bytes]:
    """ROW, or NBCROW where something is NULL.

    :raises ValueError: a value does not fit into its column; a row has too many or too few.
    """
    types = tuple(wire(one.type) for one in described)
    for row in values:
        if len(row) != len(types):
            raise ValueError(f"a row of {len(row)} values in {len(types)} columns")
        if None in row:
            yield b"\xd2" + _nulls(row) + b"".join(_each(described, types, row))
        else:
            yield b"\xd1" + b"".join(_each(described, types, row))


def _nulls(row: tuple[object, ...]) -> bytes:
    bits = sum(1 << place for place, value in enumerate(row) if value is None)
    return number(bits, (len(row) + 7) // 8)


def _each(named: Sequence[Column], types: tuple[Wire, ...], row: tuple[object, ...]) -> Iterable[bytes]:
    for column, one, value in zip(named, types, row, strict=True):
        if value is None:
            if not column.nullable:
                raise ValueError(f"{column.name} is never NULL, and is here")
            continue
        try:
            yield one.write(value)
        except (ValueError, ArithmeticError, TypeError, AttributeError) as error:
            raise ValueError(f"{column.name} {column.type} cannot hold {value!r}: {error}") from error


def return_status(value: int = 0) -> bytes:
    return b"\x79" + signed(value, 4)


def return_value(ordinal: int, name: str, type_: str, value: object) -> bytes:
    """An output parameter."""
    one = wire(type_)
    head = b"\xac" + number(ordinal, 2) + text(name, 1) + number(1, 1) + number(0, 4) + number(0, 2)
    return head + one.info + (one.null if value is None else one.write(value))
