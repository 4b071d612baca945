"""The elementary values of TDS: little-endian numbers, and text in UTF-16 behind its length ([MS-TDS] 2.2.5.1)."""

from __future__ import annotations

import struct


class Malformed(Exception):
    """A client sent what the protocol does not allow."""


class Source:
    """Reads values off a message, one after the other."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def left(self) -> int:
        return len(self._data) - self._at

    def take(self, count: int) -> bytes:
        if count > self.left:
            raise Malformed(f"{count} bytes are wanted and {self.left} are left")
        self._at += count
        return self._data[self._at - count : self._at]

    def peek(self) -> int:
        return self._data[self._at] if self.left else -1

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size), "little")

    def signed(self, size: int) -> int:
        return int.from_bytes(self.take(size), "little", signed=True)

    def double(self, size: int) -> float:
        return float(struct.unpack("<d" if size == 8 else "<f", self.take(size))[0])

    def text(self, length_size: int) -> str:
        """B_VARCHAR and US_VARCHAR: the length counts characters."""
        return self.take(2 * self.number(length_size)).decode("utf-16-le")


def number(value: int, size: int) -> bytes:
    return value.to_bytes(size, "little")


def signed(value: int, size: int) -> bytes:
    return value.to_bytes(size, "little", signed=True)


def text(value: str, length_size: int) -> bytes:
    encoded = value.encode("utf-16-le")
    return number(len(encoded) // 2, length_size) + encoded
