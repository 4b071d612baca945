"""The first message of both sides: versions, and whether what follows is encrypted ([MS-TDS] 2.2.6.5)."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from enum import IntEnum

from tests.simulators.mssql.tds.bytes import Malformed

ENTRY = struct.Struct(">BHH")
END = 0xFF


class Option(IntEnum):
    VERSION = 0
    ENCRYPTION = 1
    INSTANCE = 2
    THREAD = 3
    MARS = 4
    TRACE = 5
    FEDERATED = 6
    NONCE = 7


class Encryption(IntEnum):
    """``OFF`` encrypts the login alone, ``ON`` and ``REQUIRED`` everything, ``NOT_SUPPORTED`` nothing."""

    OFF = 0
    ON = 1
    NOT_SUPPORTED = 2
    REQUIRED = 3


def parse(payload: bytes) -> dict[int, bytes]:
    found: dict[int, bytes] = {}
    at = 0
    while at < len(payload) and payload[at] != END:
        if at + ENTRY.size > len(payload):
            raise Malformed("PRELOGIN ends in the middle of an option")
        token, offset, length = ENTRY.unpack_from(payload, at)
        if offset + length > len(payload):
            raise Malformed(f"option {token} of PRELOGIN lies outside of it")
        found[token] = payload[offset : offset + length]
        at += ENTRY.size
    return found


def build(options: Mapping[int, bytes]) -> bytes:
    offset = len(options) * ENTRY.size + 1
    table, values = b"", b""
    for token, value in options.items():
        table += ENTRY.pack(token, offset + len(values), len(value))
        values += value
    return table + bytes([END]) + values


def agreed(client: int, server: Encryption) -> Encryption:
    """What the server answers; the table of [MS-TDS] 2.2.6.5. A client that asks for nothing is one that cannot."""
    wanted = Encryption(client & 0x0F)
    if server is Encryption.NOT_SUPPORTED:
        return Encryption.NOT_SUPPORTED
    if server is Encryption.REQUIRED:
        return Encryption.ON if wanted is Encryption.ON else Encryption.REQUIRED
    return {Encryption.ON: Encryption.ON, Encryption.REQUIRED: Encryption.ON}.get(wanted, wanted)
