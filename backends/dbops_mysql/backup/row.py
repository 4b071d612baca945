"""What stands for one row in a fingerprint: one text that says every value, and where each begins and ends.

Numbers and times are what the server prints, which holds no comma. Texts come after their length in bytes. NULL is a
dash, which no number, time or length is. FLOAT is taken as it is printed, with six digits: a dump carries no more.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from dbops_mysql.quoting import identifier

__all__ = ["Column", "expression"]

TEXTS = frozenset({"char", "varchar", "tinytext", "text", "mediumtext", "longtext", "enum", "set"})
BYTES = frozenset({"binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob"})
# Their bytes are the value; for JSON the text, which is the same for the same value.
OTHERS = frozenset(
    {
        "geometry", "point", "linestring", "polygon", "multipoint", "multilinestring", "multipolygon", "geomcollection",
        "geometrycollection", "vector", "json",
    }
)  # fmt: skip
# A longer value is hashed by itself: putting it into a text as it is would copy it once more, and what is longer than
# max_allowed_packet would be nothing at all.
INLINE_BYTES = 1000


class Column(msgspec.Struct, frozen=True, kw_only=True):
    """One column as information_schema has it."""

    name: str
    type: str
    nullable: bool = True
    charset: str = ""
    collation: str = ""
    octets: int = 0
    period: bool = False


def expression(columns: Sequence[Column]) -> str:
    """Pure: SQL for the text of one row."""
    # What else the session puts into the text is utf8mb4: another character set may not be mixed with it.
    sorts = {(one.charset, one.collation) for one in columns if one.charset}
    mixed = len(sorts) > 1 or any(one.type in BYTES | OTHERS for one in columns)
    mixed = mixed or any(charset != "utf8mb4" for charset, _ in sorts)
    parts = [part for one in columns for part in _value(one, as_bytes=mixed)]
    return f"CONCAT_WS(',', {', '.join(parts)})" if parts else "''"


def _value(one: Column, *, as_bytes: bool) -> tuple[str, ...]:
    name = identifier(one.name)
    kind = one.type.lower()
    if kind in TEXTS:
        return _text(one, name, f"CAST({name} AS BINARY)" if as_bytes else name)
    if kind in BYTES:
        return _text(one, name, name)
    if kind in OTHERS:
        plain = "CHAR CHARACTER SET utf8mb4" if kind == "json" else "BINARY"
        return (_or_dash(one, f"SHA2(CAST({name} AS {plain}), 256)"),)
    if kind == "bit":
        return (_or_dash(one, f"{name} + 0"),)
    return (_or_dash(one, name),)


def _text(one: Column, name: str, shown: str) -> tuple[str, ...]:
    """Its length and itself, or its hash. CONCAT_WS leaves out NULL: its length has said that it is."""
    long = f"IF(LENGTH({name}) > {INLINE_BYTES}, SHA2({name}, 256), {shown})"
    return _or_dash(one, f"LENGTH({name})"), long if one.octets > INLINE_BYTES else shown


def _or_dash(one: Column, shown: str) -> str:
    return f"IFNULL({shown}, '-')" if one.nullable else shown
