"""T-SQL types and their values on the wire ([MS-TDS] 2.2.5.4 to 2.2.5.6), from server to client."""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Context, Decimal
from functools import cache
from typing import cast
from uuid import UUID

from tests.simulators.mssql.tds.bytes import number, signed

COLLATION = bytes((0x09, 0x04, 0xD0, 0x00, 0x34))
"""SQL_Latin1_General_CP1_CI_AS."""

EXACT = Context(prec=80)
"""Numbers have up to 38 digits, ten more than Python keeps by default."""

NULL_PLP = b"\xff" * 8
NULL_LENGTH = b"\xff\xff"
MAX = 0xFFFF
FIRST_DAY = date(1, 1, 1)
DAY_OF_DATETIME = date(1900, 1, 1)
_TYPE = re.compile(r"\s*(\w+)\s*(?:\(\s*(max|\d+)\s*(?:,\s*(\d+)\s*)?\))?\s*", re.IGNORECASE)
_ALIASES = {
    "sysname": "nvarchar(128)",
    "integer": "int",
    "dec": "decimal",
    "rowversion": "timestamp",
    "text": "varchar(max)",
    "ntext": "nvarchar(max)",
    "image": "varbinary(max)",
}


@dataclass(frozen=True, slots=True)
class Wire:
    """One type: its TYPE_INFO, and how a value that is not NULL is written, with its length in front.

    :param null: what stands for NULL.
    """

    info: bytes
    null: bytes
    write: Callable[[object], bytes]


@cache
def wire(name: str) -> Wire:
    """The type that T-SQL calls ``name``.

    :raises ValueError: there is no such type.
    """
    found = _TYPE.fullmatch(name)
    if found is None:
        raise ValueError(f"{name!r} is no type of T-SQL")
    base = found[1].lower()
    if base in _ALIASES:
        return wire(_ALIASES[base])
    if base not in _MAKERS:
        raise ValueError(f"{name!r} is no type that the simulator can send")
    return _MAKERS[base](found[2], int(found[3]) if found[3] else None)


def _integer(size: int) -> Callable[[str | None, int | None], Wire]:
    def write(value: object) -> bytes:
        whole = int(cast("int", value))
        return number(size, 1) + (number(whole, 1) if size == 1 else signed(whole, size))

    return lambda _length, _scale: Wire(bytes((0x26, size)), b"\0", write)


def _bit(_length: str | None, _scale: int | None) -> Wire:
    return Wire(bytes((0x68, 1)), b"\0", lambda value: bytes((1, bool(value))))


def _float(length: str | None, _scale: int | None) -> Wire:
    size = 4 if length is not None and int(length) <= 24 else 8
    form = struct.Struct("<Bf" if size == 4 else "<Bd")
    return Wire(bytes((0x6D, size)), b"\0", lambda value: form.pack(size, float(cast("float", value))))


def _money(size: int) -> Callable[[str | None, int | None], Wire]:
    def write(value: object) -> bytes:
        units = int(EXACT.scaleb(Decimal(str(value)), 4).to_integral_value())
        raw = signed(units, size)
        return number(size, 1) + (raw if size == 4 else raw[4:] + raw[:4])

    return lambda _length, _scale: Wire(bytes((0x6E, size)), b"\0", write)


def _decimal(length: str | None, scale: int | None) -> Wire:
    precision, digits = int(length or 18), scale or 0
    size = next(size for most, size in ((9, 4), (19, 8), (28, 12), (38, 16)) if precision <= most)

    def write(value: object) -> bytes:
        units = int(EXACT.scaleb(Decimal(str(value)), digits).to_integral_value())
        return bytes((size + 1, units >= 0)) + number(abs(units), size)

    return Wire(bytes((0x6C, size + 1, precision, digits)), b"\0", write)


def _characters(code: int, width: int) -> Callable[[str | None, int | None], Wire]:
    """``width`` is 2 for Unicode."""
    most = 4000 if width == 2 else 8000

    def encoded(value: object) -> bytes:
        return str(value).encode("utf-16-le" if width == 2 else "cp1252", "strict" if width == 2 else "replace")

    def make(length: str | None, _scale: int | None) -> Wire:
        if length is not None and length.lower() == "max":
            return Wire(number(code, 1) + number(MAX, 2) + COLLATION, NULL_PLP, lambda value: _plp(encoded(value)))
        count = int(length or 1)
        if not 0 < count <= most:
            raise ValueError(f"the length {count} is not allowed")
        fixed = code in (0xAF, 0xEF)

        def write(value: object) -> bytes:
            text = str(value).ljust(count) if fixed else str(value)
            raw = encoded(text)
            if len(raw) > count * width:
                raise ValueError(f"a text of {len(raw) // width} characters where {count} fit")
            return number(len(raw), 2) + raw

        return Wire(number(code, 1) + number(count * width, 2) + COLLATION, NULL_LENGTH, write)

    return make


def _binary(code: int) -> Callable[[str | None, int | None], Wire]:
    def make(length: str | None, _scale: int | None) -> Wire:
        if length is not None and length.lower() == "max":
            return Wire(number(code, 1) + number(MAX, 2), NULL_PLP, lambda value: _plp(cast("bytes", value)))
        count = int(length or 1)

        def write(value: object) -> bytes:
            raw = bytes(cast("bytes", value))
            raw = raw.ljust(count, b"\0") if code == 0xAD else raw
            if len(raw) > count:
                raise ValueError(f"{len(raw)} bytes where {count} fit")
            return number(len(raw), 2) + raw

        return Wire(number(code, 1) + number(count, 2), NULL_LENGTH, write)

    return make


def _plp(data: bytes) -> bytes:
    """A long value: its whole length, then pieces with their own, then an empty one."""
    piece = number(len(data), 4) + data if data else b""
    return number(len(data), 8) + piece + number(0, 4)


def _xml(_length: str | None, _scale: int | None) -> Wire:
    return Wire(b"\xf1\0", NULL_PLP, lambda value: _plp(str(value).encode("utf-16-le")))


def _guid(_length: str | None, _scale: int | None) -> Wire:
    return Wire(bytes((0x24, 16)), b"\0", lambda value: number(16, 1) + UUID(str(value)).bytes_le)


def _variant(_length: str | None, _scale: int | None) -> Wire:
    """A value that carries its type with it; which one follows from Python's."""
    return Wire(b"\x62" + number(8009, 4), number(0, 4), _variant_value)


def _variant_value(value: object) -> bytes:
    if isinstance(value, bool):
        body = b"\x32\0" + bytes((value,))
    elif isinstance(value, int):
        body = b"\x38\0" + signed(value, 4) if -(2**31) <= value < 2**31 else b"\x7f\0" + signed(value, 8)
    elif isinstance(value, bytes):
        body = b"\xa5\x02" + number(8000, 2) + value
    elif isinstance(value, datetime):
        body = b"\x3d\0" + _ticks(value)
    else:
        body = b"\xe7\x07" + COLLATION + number(8000, 2) + str(value).encode("utf-16-le")
    return number(len(body), 4) + body


def _moment(value: object) -> datetime:
    """Values may be the text that the engine would take, too."""
    return value if isinstance(value, datetime) else datetime.fromisoformat(str(value))


def _ticks(value: object) -> bytes:
    """``datetime``: days since 1900, and three hundredths of a second."""
    moment = _moment(value).replace(tzinfo=None)
    days = (moment.date() - DAY_OF_DATETIME).days
    seconds = (moment - datetime.combine(moment.date(), time())).total_seconds()
    ticks = math.floor(seconds * 300 + 0.5)
    return signed(days, 4) + number(min(ticks, 300 * 86400 - 1), 4)


def _datetime(_length: str | None, _scale: int | None) -> Wire:
    return Wire(bytes((0x6F, 8)), b"\0", lambda value: number(8, 1) + _ticks(value))


def _smalldatetime(_length: str | None, _scale: int | None) -> Wire:
    def write(value: object) -> bytes:
        moment = _moment(value)
        return (
            number(4, 1)
            + number((moment.date() - DAY_OF_DATETIME).days, 2)
            + number(moment.hour * 60 + moment.minute, 2)
        )

    return Wire(bytes((0x6F, 4)), b"\0", write)


def _days(day: date) -> bytes:
    return number((day - FIRST_DAY).days, 3)


def _clock(moment: datetime | time, scale: int) -> bytes:
    seconds = (moment.hour * 60 + moment.minute) * 60 + moment.second
    units = (seconds * 10**6 + moment.microsecond) * 10**scale // 10**6
    return number(units, 3 if scale <= 2 else 4 if scale <= 4 else 5)


def _date(_length: str | None, _scale: int | None) -> Wire:
    def write(value: object) -> bytes:
        day = value if isinstance(value, date) and not isinstance(value, datetime) else _moment(value).date()
        return number(3, 1) + _days(day)

    return Wire(b"\x28", b"\0", write)


def _with_scale(code: int, parts: Callable[[object, int], bytes]) -> Callable[[str | None, int | None], Wire]:
    def make(length: str | None, _scale: int | None) -> Wire:
        scale = 7 if length is None else int(length)

        def write(value: object) -> bytes:
            raw = parts(value, scale)
            return number(len(raw), 1) + raw

        return Wire(bytes((code, scale)), b"\0", write)

    return make


def _time(value: object, scale: int) -> bytes:
    return _clock(value if isinstance(value, time) else time.fromisoformat(str(value)), scale)


def _datetime2(value: object, scale: int) -> bytes:
    moment = _moment(value)
    return _clock(moment, scale) + _days(moment.date())


def _datetimeoffset(value: object, scale: int) -> bytes:
    moment = _moment(value)
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    there = aware.astimezone(UTC)
    offset = aware.utcoffset() or timedelta()
    return _clock(there, scale) + _days(there.date()) + signed(int(offset.total_seconds()) // 60, 2)


_MAKERS: dict[str, Callable[[str | None, int | None], Wire]] = {
    "tinyint": _integer(1), "smallint": _integer(2), "int": _integer(4), "bigint": _integer(8), "bit": _bit,
    "float": _float, "real": lambda _length, _scale: _float("24", None), "money": _money(8), "smallmoney": _money(4),
    "decimal": _decimal, "numeric": _decimal, "uniqueidentifier": _guid, "sql_variant": _variant, "xml": _xml,
    "char": _characters(0xAF, 1), "varchar": _characters(0xA7, 1),
    "nchar": _characters(0xEF, 2), "nvarchar": _characters(0xE7, 2),
    "binary": _binary(0xAD), "varbinary": _binary(0xA5), "timestamp": lambda _length, _scale: _binary(0xAD)("8", None),
    "date": _date, "time": _with_scale(0x29, _time), "datetime": _datetime, "smalldatetime": _smalldatetime,
    "datetime2": _with_scale(0x2A, _datetime2), "datetimeoffset": _with_scale(0x2B, _datetimeoffset),
}  # fmt: skip
