"""Messages in packets: eight bytes of header, the last packet of a message says so ([MS-TDS] 2.2.3)."""

from __future__ import annotations

import struct
from collections.abc import Callable
from enum import IntEnum
from typing import NamedTuple

from tests.simulators.mssql.tds.bytes import Malformed

HEADER = struct.Struct(">BBHHBB")
END_OF_MESSAGE = 0x01
IGNORE = 0x02
LARGEST = 32767
Receive = Callable[[], bytes]


class Kind(IntEnum):
    """What a message is."""

    BATCH = 0x01
    RPC = 0x03
    RESPONSE = 0x04
    ATTENTION = 0x06
    BULK = 0x07
    FEDERATED_TOKEN = 0x08
    TRANSACTION = 0x0E
    LOGIN7 = 0x10
    SSPI = 0x11
    PRELOGIN = 0x12


class Packet(NamedTuple):
    kind: int
    status: int
    payload: bytes

    @property
    def last(self) -> bool:
        return bool(self.status & END_OF_MESSAGE)


class Message(NamedTuple):
    kind: int
    payload: bytes
    ignored: bool = False


class Packets:
    """Cuts the bytes of a client into packets and messages.

    :param receive: gives more bytes, ``b""`` at the end.
    """

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._waiting = bytearray()

    def packet(self) -> Packet | None:
        """The next one; None when the client is gone."""
        if not self._fill(HEADER.size):
            return None
        kind, status, length, *_ = HEADER.unpack_from(self._waiting)
        if not HEADER.size <= length <= LARGEST:
            raise Malformed(f"a packet of {length} bytes")
        if not self._fill(length):
            return None
        payload = bytes(self._waiting[HEADER.size : length])
        del self._waiting[:length]
        return Packet(kind, status, payload)

    def message(self) -> Message | None:
        """The next one, put together; None when the client is gone, also in the middle."""
        parts: list[bytes] = []
        while (one := self.packet()) is not None:
            parts.append(one.payload)
            if one.last:
                return Message(one.kind, b"".join(parts), bool(one.status & IGNORE))
        return None

    def raw(self) -> bytes:
        """What arrived and is no packet: the records of a TLS session below."""
        return self.rest() or self._receive()

    def rest(self) -> bytes:
        """What arrived already."""
        taken = bytes(self._waiting)
        self._waiting.clear()
        return taken

    def starts_with(self, byte: int) -> bool:
        """Whether this is the first byte that comes."""
        return self._fill(1) and self._waiting[0] == byte

    def _fill(self, count: int) -> bool:
        while len(self._waiting) < count:
            more = self._receive()
            if not more:
                return False
            self._waiting += more
        return True


class Outgoing:
    """Cuts what a server says into packets, and sends them together.

    A client in this very process may wait for the rest of an answer without letting another thread run (mssql-python
    does), so the rest must be on its way.

    :param size: of a packet with its header.
    """

    def __init__(self, send: Callable[[bytes], None], kind: Kind, size: int, spid: int = 0) -> None:
        self._send = send
        self._kind = kind
        self._room = size - HEADER.size
        self._spid = spid
        self._number = 0
        self._waiting = bytearray()
        self._ready = bytearray()

    def add(self, data: bytes) -> None:
        self._waiting += data
        while len(self._waiting) > self._room:
            self._packet(bytes(self._waiting[: self._room]), 0)
            del self._waiting[: self._room]

    def end(self) -> None:
        """The end of the message."""
        self._packet(bytes(self._waiting), END_OF_MESSAGE)
        self._waiting.clear()
        self._send(bytes(self._ready))
        self._ready.clear()

    def _packet(self, payload: bytes, status: int) -> None:
        self._number = (self._number + 1) % 256
        header = HEADER.pack(self._kind, status, len(payload) + HEADER.size, self._spid, self._number, 0)
        self._ready += header + payload
