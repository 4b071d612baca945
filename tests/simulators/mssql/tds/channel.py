"""The bytes of one connection, with TLS where the two sides agreed on it ([MS-TDS] 3.2.5.1, 3.3.5.1).

The handshake travels inside of PRELOGIN packets, what follows as plain records. A client that asked for no encryption
still sends its login in TLS, and both return to clear text after it.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import threading

from tests.simulators.mssql.tds.packets import Kind, Outgoing, Packets

CHUNK = 65536
CLIENT_HELLO = 0x16
"""The first byte of a TLS record with a handshake: a client of TDS 8 encrypts from the beginning."""
HANDSHAKE_PACKET = 4096


class Gone(Exception):
    """The client closed its end, or broke off the handshake."""


class Channel:
    """:param tls: None: this server cannot encrypt."""

    def __init__(self, connection: socket.socket, tls: ssl.SSLContext | None) -> None:
        self._socket = connection
        self._context = tls
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._tls: ssl.SSLObject | None = None
        # One thread reads while another one answers.
        self._lock = threading.Lock()
        self._packets = Packets(self._receive)
        self.encrypted = False

    @property
    def packets(self) -> Packets:
        return self._packets

    def send(self, data: bytes) -> None:
        try:
            if self._tls is None:
                self._socket.sendall(data)
                return
            with self._lock:
                self._tls.write(data)
                self._socket.sendall(self._outgoing.read())
        except OSError as error:
            raise Gone(str(error)) from error

    def handshake(self) -> None:
        """Inside of PRELOGIN packets; afterwards everything is in TLS."""
        assert self._context is not None
        tls = self._context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        while True:
            finished = self._step(tls)
            if self._outgoing.pending:
                said = Outgoing(self.send, Kind.PRELOGIN, HANDSHAKE_PACKET)
                said.add(self._outgoing.read())
                said.end()
            if finished:
                break
            packet = self._packets.packet()
            if packet is None:
                raise Gone("the client left in the middle of the handshake")
            self._incoming.write(packet.payload)
        # Records that came behind the handshake in one piece are no packets.
        self._incoming.write(self._packets.rest())
        self._start(tls)

    def strict(self) -> None:
        """TLS around everything, as TDS 8 has it."""
        assert self._context is not None
        tls = self._context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        while not self._step(tls):
            self._flush()
            data = self._packets.raw()
            if not data:
                raise Gone("the client left in the middle of the handshake")
            self._incoming.write(data)
        self._flush()
        self._start(tls)

    def in_clear(self) -> None:
        """After a login, where nothing else is to be encrypted."""
        self._tls = None
        self.encrypted = False

    def close(self, *, rudely: bool = False) -> None:
        """:param rudely: by a reset, as when a machine dies."""
        with contextlib.suppress(OSError):
            if rudely:
                self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            # A thread that waits for the client is woken; else it would keep the connection open.
            self._socket.shutdown(socket.SHUT_RD if rudely else socket.SHUT_RDWR)
        self._socket.close()

    def _start(self, tls: ssl.SSLObject) -> None:
        self._tls = tls
        self.encrypted = True

    def _step(self, tls: ssl.SSLObject) -> bool:
        try:
            tls.do_handshake()
        except ssl.SSLWantReadError:
            return False
        except ssl.SSLError as error:
            raise Gone(str(error)) from error
        return True

    def _flush(self) -> None:
        if self._outgoing.pending:
            self._socket.sendall(self._outgoing.read())

    def _receive(self) -> bytes:
        while True:
            if self._tls is not None:
                with self._lock:
                    try:
                        return self._tls.read(CHUNK)
                    except ssl.SSLWantReadError:
                        pass
                    except ssl.SSLError:
                        return b""
            try:
                data = self._socket.recv(CHUNK)
            except OSError:
                return b""
            if not data or self._tls is None:
                return data
            self._incoming.write(data)
