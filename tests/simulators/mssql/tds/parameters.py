"""Values that a client sends with a call: TYPE_INFO and value, as Python has it ([MS-TDS] 2.2.5.4, 2.2.6.6)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from uuid import UUID

from tests.simulators.mssql.tds.bytes import Malformed, Source
from tests.simulators.mssql.tds.types import DAY_OF_DATETIME, EXACT, FIRST_DAY, MAX

UNKNOWN_PLP = 2**64 - 2
NULL_PLP = 2**64 - 1
NULL_LONG = 2**32 - 1
_FIXED = {0x30: 1, 0x34: 2, 0x38: 4, 0x7F: 8, 0x32: 1}
_LENGTH = {0x26: "int", 0x68: "int", 0x6D: "float", 0x6E: "money", 0x6F: "datetime", 0x24: "guid"}
_CHARACTERS = {0xA7, 0xAF, 0xE7, 0xEF}
_BINARY = {0xA5, 0xAD}
_SCALED = {0x29, 0x2A, 0x2B}
_LONG = {0x22, 0x23, 0x63}


def read(source: Source) -> object:
    """One value with its type in front.

    :raises Malformed: a type that no client of ours sends.
    """
    code = source.number(1)
    if code in _FIXED:
        return source.number(1) if code in (0x30, 0x32) else source.signed(_FIXED[code])
    if code in _LENGTH:
        source.take(1)
        return _short(source, _BY_LENGTH[_LENGTH[code]])
    if code in (0x6A, 0x6C):
        _, _, scale = source.take(3)
        return _short(source, lambda raw: _decimal(raw, scale))
    if code in _CHARACTERS | _BINARY:
        return _variable(source, code)
    if code == 0x28:
        return _short(source, _date)
    if code in _SCALED:
        scale = source.number(1)
        return _short(source, lambda raw: _moment(code, scale, raw))
    if code in _LONG:
        return _long(source, code)
    if code == 0x1F:
        return None
    raise Malformed(f"a value of type 0x{code:02X}")


def _short(source: Source, read_as: Callable[[bytes], object]) -> object:
    length = source.number(1)
    return read_as(source.take(length)) if length else None


def _variable(source: Source, code: int) -> object:
    most = source.number(2)
    if code in _CHARACTERS:
        source.take(5)
    if most == MAX:
        raw = _plp(source)
    else:
        length = source.number(2)
        raw = None if length == MAX else source.take(length)
    return None if raw is None else _characters(code, raw)


def _characters(code: int, raw: bytes) -> object:
    if code in _BINARY or code == 0x22:
        return raw
    return raw.decode("utf-16-le" if code in (0xE7, 0xEF, 0x63) else "cp1252")


def _long(source: Source, code: int) -> object:
    source.take(4)
    if code != 0x22:
        source.take(5)
    length = source.number(4)
    return None if length == NULL_LONG else _characters(code, source.take(length))


def _plp(source: Source) -> bytes | None:
    if source.number(8) == NULL_PLP:
        return None
    pieces = bytearray()
    while length := source.number(4):
        pieces += source.take(length)
    return bytes(pieces)


def _integer(raw: bytes) -> int:
    return raw[0] if len(raw) == 1 else int.from_bytes(raw, "little", signed=True)


def _float(raw: bytes) -> float:
    return Source(raw).double(len(raw))


def _money(raw: bytes) -> Decimal:
    units = raw if len(raw) == 4 else raw[4:] + raw[:4]
    return EXACT.scaleb(Decimal(int.from_bytes(units, "little", signed=True)), -4)


def _decimal(raw: bytes, scale: int) -> Decimal:
    units = int.from_bytes(raw[1:], "little")
    return EXACT.scaleb(Decimal(units if raw[0] else -units), -scale)


def _datetime(raw: bytes) -> datetime:
    days = int.from_bytes(raw[: len(raw) // 2], "little", signed=len(raw) == 8)
    units = int.from_bytes(raw[len(raw) // 2 :], "little")
    span = timedelta(minutes=units) if len(raw) == 4 else timedelta(milliseconds=round(units * 10 / 3))
    return datetime.combine(DAY_OF_DATETIME + timedelta(days=days), time()) + span


def _date(raw: bytes) -> date:
    return FIRST_DAY + timedelta(days=int.from_bytes(raw, "little"))


def _moment(code: int, scale: int, raw: bytes) -> object:
    size = 3 if scale <= 2 else 4 if scale <= 4 else 5
    span = timedelta(microseconds=int.from_bytes(raw[:size], "little") * 10**6 // 10**scale)
    if code == 0x29:
        return (datetime(1, 1, 1) + span).time()  # noqa: DTZ001 - a time of day
    naive = datetime.combine(_date(raw[size : size + 3]), time()) + span
    if code == 0x2A:
        return naive
    offset = timezone(timedelta(minutes=int.from_bytes(raw[size + 3 :], "little", signed=True)))
    return naive.replace(tzinfo=UTC).astimezone(offset)


_BY_LENGTH: dict[str, Callable[[bytes], object]] = {
    "int": _integer,
    "float": _float,
    "money": _money,
    "datetime": _datetime,
    "guid": lambda raw: UUID(bytes_le=raw),
}
