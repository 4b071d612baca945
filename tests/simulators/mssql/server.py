"""The simulator on a port of this machine: takes connections, each in a thread of its own."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from types import TracebackType
from typing import Self

from tests.simulators.mssql.certificate import Certificate
from tests.simulators.mssql.tds.channel import Channel
from tests.simulators.mssql.tds.conversation import Conversation, Engine, Manners
from tests.simulators.mssql.tds.prelogin import Encryption

HOST = "127.0.0.1"


class Server:
    """:param certificate: what it shows; another name or a signature that nobody trusts is the caller's choice.

    ``encrypted`` says of each login whether what follows it is."""

    def __init__(
        self, engine: Engine, certificate: Certificate, manners: Manners | None = None, *, port: int = 0
    ) -> None:
        self.manners = manners or Manners()
        self.encrypted: list[bool] = []
        self._engine = engine
        self._tls = None if self.manners.encryption is Encryption.NOT_SUPPORTED else _context(certificate)
        self._strict = _context(certificate, strict=True)
        self._open: set[Channel] = set()
        self._lock = threading.Lock()
        self._listener = socket.create_server((HOST, port))
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def cut(self) -> None:
        """Break every connection there is, as when the machine dies; new ones are taken."""
        with self._lock:
            there = list(self._open)
        for channel in there:
            channel.close(rudely=True)

    def close(self) -> None:
        """Take no more connections and end those that there are; twice is allowed."""
        with contextlib.suppress(OSError):
            # Closing alone would leave the thread waiting in accept.
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()
        self.cut()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._hold, args=(connection,), daemon=True).start()

    def _hold(self, connection: socket.socket) -> None:
        channel = Channel(connection, self._tls)
        with self._lock:
            self._open.add(channel)
        try:
            Conversation(channel, self._engine, self.manners, self.encrypted.append).hold()
        finally:
            with self._lock:
                self._open.discard(channel)


def _context(certificate: Certificate, *, strict: bool = False) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.file, certificate.key)
    if strict:
        context.set_alpn_protocols(["tds/8.0"])
    else:
        # With 1.3 the server would speak once more after the handshake, where packets are expected already.
        context.maximum_version = ssl.TLSVersion.TLSv1_2
    return context
