"""One client from its first message to its last: login, requests one after the other, attention in between.

One thread reads, so that an attention is heard while the other one still answers.
"""

from __future__ import annotations

import contextlib
import queue
import struct
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from tests.simulators.mssql.answers import Answer, Drop, Message, Refused
from tests.simulators.mssql.tds import calls, driver_questions, login7, prelogin, tokens
from tests.simulators.mssql.tds.bytes import Malformed, Source
from tests.simulators.mssql.tds.channel import CLIENT_HELLO, Channel, Gone
from tests.simulators.mssql.tds.login7 import Login
from tests.simulators.mssql.tds.packets import Kind, Outgoing
from tests.simulators.mssql.tds.packets import Message as Request
from tests.simulators.mssql.tds.prelogin import Encryption, Option
from tests.simulators.mssql.tds.procedures import Procedures
from tests.simulators.mssql.tds.response import Response
from tests.simulators.mssql.tds.tokens import Change, Status

DEFAULT_PACKET = 4096
SMALLEST_PACKET = 512
LANGUAGE = "us_english"
BEGIN, COMMIT, ROLLBACK = 5, 7, 8
TRANSACTION = {
    BEGIN: ("BEGIN TRANSACTION", Change.BEGIN),
    COMMIT: ("COMMIT TRANSACTION", Change.COMMIT),
    ROLLBACK: ("ROLLBACK TRANSACTION", Change.ROLLBACK),
}
UNTRUSTED_DOMAIN = (
    "Login failed. The login is from an untrusted domain and cannot be used with Integrated authentication."
)
_ISOLATION = {
    1: "READ UNCOMMITTED",
    2: "READ COMMITTED",
    3: "REPEATABLE READ",
    4: "SERIALIZABLE",
    5: "SNAPSHOT",
}


class Session(Protocol):
    """The engine's side of a login."""

    @property
    def database(self) -> str: ...
    @property
    def spid(self) -> int: ...
    def run(self, sql: str, parameters: Mapping[str, object] = ...) -> Iterable[Answer]: ...
    def cancel(self) -> None: ...
    def close(self) -> None: ...


class Engine(Protocol):
    """What stands behind the wire."""

    def login(
        self, user: str, password: str, database: str = "", *, application: str = "", host: str = ""
    ) -> Session: ...


@runtime_checkable
class TakesTokens(Protocol):
    """An engine that takes a token of Entra where others take a password."""

    def login_by_token(self, token: str, database: str = "", *, application: str = "", host: str = "") -> Session: ...


@dataclass(frozen=True, slots=True)
class Manners:
    """How a server speaks.

    :param silent: takes connections and says nothing, like a machine that hangs.
    :param version: major, minor, build: what a login is told.
    """

    encryption: Encryption = Encryption.ON
    name: str = "SIMULATOR"
    version: tuple[int, int, int] = (16, 0, 4135)
    silent: bool = False


class Conversation:
    """:param engine: asked for a session at login.
    :param tell: told, of a login that was let in, whether what follows is encrypted."""

    def __init__(self, channel: Channel, engine: Engine, manners: Manners, tell: Callable[[bool], None]) -> None:
        self._tell = tell
        self._channel = channel
        self._engine = engine
        self._manners = manners
        self._size = DEFAULT_PACKET
        self._session: Session | None = None
        self._lock = threading.Lock()
        self._answering = False
        self._attention = False

    def hold(self) -> None:
        """Until one of the two sides ends it."""
        try:
            login = self._greet()
            if login is not None and self._log_in(login):
                self._serve()
        except (Gone, OSError):
            pass
        except Malformed as error:
            with contextlib.suppress(Gone):
                self._refuse(Message(4002, 1, 16, f"The incoming tabular data stream is incorrect: {error}."))
        finally:
            self._channel.close()
            if self._session is not None:
                self._session.close()

    def _greet(self) -> Login | None:
        packets = self._channel.packets
        if self._manners.silent:
            while packets.message() is not None:
                pass
            return None
        if packets.starts_with(CLIENT_HELLO):
            self._channel.strict()
        hello = packets.message()
        if hello is None or hello.kind != Kind.PRELOGIN:
            return None
        asked = prelogin.parse(hello.payload)
        encryption = prelogin.agreed(asked.get(Option.ENCRYPTION, b"\2")[0], self._manners.encryption)
        self._answer_prelogin(asked, encryption)
        if not self._channel.encrypted and encryption is not Encryption.NOT_SUPPORTED:
            self._channel.handshake()
        request = packets.message()
        if request is None or request.kind != Kind.LOGIN7:
            return None
        if encryption is Encryption.OFF and self._channel.encrypted:
            self._channel.in_clear()
        return login7.parse(request.payload)

    def _answer_prelogin(self, asked: Mapping[int, bytes], encryption: Encryption) -> None:
        major, minor, build = self._manners.version
        options: dict[int, bytes] = {
            Option.VERSION: struct.pack(">BBHH", major, minor, build, 0),
            Option.ENCRYPTION: bytes([encryption]),
            Option.INSTANCE: b"\0",
            Option.THREAD: b"",
            Option.MARS: b"\0",
        }
        if asked.get(Option.FEDERATED) == b"\1":
            options[Option.FEDERATED] = b"\1"
        self._say(prelogin.build(options))

    def _log_in(self, login: Login) -> bool:
        try:
            session = self._session = self._session_for(login)
        except Refused as error:
            self._refuse(*error.messages)
            return False
        self._tell(self._channel.encrypted)
        size = min(max(login.packet_size, SMALLEST_PACKET), 32767)
        name = self._manners.name
        said = [
            tokens.environment(Change.DATABASE, session.database, "master"),
            tokens.message(Message(5701, 2, 0, f"Changed database context to '{session.database}'."), name),
            tokens.collation(),
            tokens.environment(Change.LANGUAGE, LANGUAGE, ""),
            tokens.message(Message(5703, 1, 0, f"Changed language setting to {LANGUAGE}."), name),
            tokens.login_ack(tokens.TDS_7_4, self._manners.version),
            tokens.environment(Change.PACKET_SIZE, str(size), str(DEFAULT_PACKET)),
        ]
        if login.token is not None:
            said.append(tokens.feature_ack({login7.FEDERATED: b""}))
        self._say(b"".join([*said, tokens.done(Status.FINAL)]))
        self._size = size
        return True

    def _session_for(self, login: Login) -> Session:
        about = {"application": login.application, "host": login.host}
        if login.token is not None:
            if not isinstance(self._engine, TakesTokens):
                raise Refused(Message(18456, 1, 14, "Login failed for user '<token-identified principal>'."))
            return self._engine.login_by_token(login.token, login.database, **about)
        if login.integrated:
            raise Refused(Message(18452, 1, 14, UNTRUSTED_DOMAIN))
        return self._engine.login(login.user, login.password, login.database, **about)

    def _serve(self) -> None:
        requests: queue.SimpleQueue[Request | None] = queue.SimpleQueue()
        worker = threading.Thread(target=self._answer_all, args=(requests,), daemon=True)
        worker.start()
        try:
            while (request := self._channel.packets.message()) is not None:
                if request.kind == Kind.ATTENTION:
                    self._heed()
                elif not request.ignored:
                    with self._lock:
                        self._answering = True
                    requests.put(request)
        finally:
            requests.put(None)
            with self._lock:
                answering = self._answering
            if answering and self._session is not None:
                self._session.cancel()
            worker.join()

    def _heed(self) -> None:
        """An attention is answered by whoever speaks: the request that it ends, or nobody's."""
        with self._lock:
            answering, self._attention = self._answering, self._answering
        if not answering:
            self._say(tokens.done(Status.ATTENTION))
        elif self._session is not None:
            self._session.cancel()

    def _answer_all(self, requests: queue.SimpleQueue[Request | None]) -> None:
        assert self._session is not None
        procedures = Procedures(self._session, self._manners.name)
        with contextlib.suppress(Gone):
            while (request := requests.get()) is not None:
                outgoing = self._outgoing()
                try:
                    self._answer(request, outgoing, procedures)
                except Drop:
                    self._channel.close(rudely=True)
                    return
                with self._lock:
                    if self._attention:
                        outgoing.add(tokens.done(Status.ATTENTION))
                    self._answering = self._attention = False
                    outgoing.end()

    def _answer(self, request: Request, outgoing: Outgoing, procedures: Procedures) -> None:
        try:
            if request.kind == Kind.BATCH:
                source = calls.after_headers(Source(request.payload))
                self._batch(source.take(source.left).decode("utf-16-le"), outgoing)
            elif request.kind == Kind.RPC:
                procedures.answer(request.payload, outgoing.add)
            elif request.kind == Kind.TRANSACTION:
                self._transaction(request.payload, outgoing)
            else:
                raise Malformed(f"a message of type {request.kind}")
        except (Drop, Gone):
            raise
        except Exception as error:  # a mistake of the simulator: its client must not wait for ever
            self._complain(f"{type(error).__name__}: {error}", outgoing)

    def _batch(self, sql: str, outgoing: Outgoing) -> None:
        assert self._session is not None
        response = Response(outgoing.add, self._manners.name, self._session.database)
        response.write(driver_questions.answers(sql) or self._session.run(sql))
        response.finish()

    def _transaction(self, payload: bytes, outgoing: Outgoing) -> None:
        """What drivers send in place of BEGIN, COMMIT and ROLLBACK."""
        assert self._session is not None
        source = calls.after_headers(Source(payload))
        kind = source.number(2)
        if kind not in TRANSACTION:
            raise Malformed(f"a request {kind} about transactions")
        sql, change = TRANSACTION[kind]
        if kind == BEGIN and (isolation := _ISOLATION.get(source.number(1))):
            sql = f"SET TRANSACTION ISOLATION LEVEL {isolation}; {sql}"
        response = Response(outgoing.add, self._manners.name, self._session.database)
        response.write(one for one in self._session.run(sql) if isinstance(one, Message))
        if response.failed:
            outgoing.add(tokens.done(Status.ERROR))
            return
        descriptor = struct.pack("<Q", self._session.spid)
        new, old = (descriptor, b"") if kind == BEGIN else (b"", descriptor)
        outgoing.add(tokens.environment(change, new, old))
        outgoing.add(tokens.done(Status.FINAL))

    def _complain(self, text: str, outgoing: Outgoing) -> None:
        """A value that does not fit its column is a mistake in the simulator, and is to be seen."""
        outgoing.add(tokens.message(Message(50000, 1, 16, f"the simulator: {text}"), self._manners.name))
        outgoing.add(tokens.done(Status.ERROR))

    def _refuse(self, *messages: Message) -> None:
        said = b"".join(tokens.message(one, self._manners.name) for one in messages)
        self._say(said + tokens.done(Status.ERROR))

    def _say(self, payload: bytes) -> None:
        outgoing = self._outgoing()
        outgoing.add(payload)
        outgoing.end()

    def _outgoing(self) -> Outgoing:
        return Outgoing(self._channel.send, Kind.RESPONSE, self._size, self._session.spid if self._session else 0)
