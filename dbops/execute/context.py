"""What carrying out a plan needs from its surroundings."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Callable, Generator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from dbops.claim import claimed, remove, sweep
from dbops.errors import InputError, Interrupted
from dbops.model.server import Endpoint
from dbops.plan import FromRepository, Json, Ref, SecretRef, ToRepository, Value
from dbops.session import connect
from dbops.spi import Backend, Host, Readable, Reader

__all__ = ["Context", "Journal", "Progress", "Provider", "Repositories"]

WORK = "dbops-run-"


class Journal(Protocol):
    """Takes what happened, in order, and never gives anything back."""

    def append(self, kind: str, facts: Mapping[str, Json]) -> None:
        """One entry; it is on disk when this returns."""
        ...


class Repositories(Protocol):
    """The bytes of backups, as transfers need them."""

    def read(self, source: FromRepository) -> Readable:
        """The clear bytes of an artifact, checked against its digests while they are read."""
        ...

    def write(self, sink: ToRepository, name: str, stream: Readable) -> Mapping[str, Value]:
        """Store a stream; gives its size and digest."""
        ...


Progress = Callable[[str, int, int | None], None]
"""``(what, bytes so far, bytes expected or None)``; called from several threads."""
Provider = Callable[[str, Mapping[str, object]], Mapping[str, Value]]
"""``(operation, arguments) -> outputs``"""


class Context:
    """The surroundings of one execution; also the Runtime that is lent to a backend's doors.

    :param endpoints: by the names that steps use; ``target`` is the server that the plan is for.
    :param providers: for Call steps, by name; ``backend`` is always there.
    :param progress: told about bytes moved; called from several threads.
    """

    def __init__(
        self,
        *,
        backend: Backend,
        endpoints: Mapping[str, Endpoint],
        resolve: Callable[[SecretRef], str],
        host: Host,
        journal: Journal,
        repositories: Repositories | None = None,
        providers: Mapping[str, Provider] | None = None,
        progress: Progress | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        scratch: Path | None = None,
    ) -> None:
        self.backend = backend
        self.endpoints: dict[str, Endpoint] = dict(endpoints)
        self._resolve = resolve
        self.host = host
        self.journal = journal
        self.repositories = repositories
        self.providers = dict(providers or {})
        self.progress: Progress = progress or _silent
        self.clock = clock
        self.outputs: dict[str, Mapping[str, Value]] = {}
        self.stop = threading.Event()
        self._scratch = scratch
        self._workdirs: list[Path] = []
        self._claims = ExitStack()
        self._cancels: list[Callable[[], None]] = []
        self._lock = threading.Lock()

    def secret(self, ref: SecretRef) -> str:
        """The secret itself: to be used at once and kept nowhere."""
        return self._resolve(ref)

    def reader(self, endpoint: Endpoint) -> AbstractContextManager[Reader]:
        """A read-only session."""
        return self._reader(endpoint)

    @contextmanager
    def _reader(self, endpoint: Endpoint) -> Generator[Reader]:
        with connect(self.backend, endpoint, resolve=self.secret) as found:
            yield found

    def workdir(self) -> Path:
        """A private directory, removed when the execution ends; the first takes away what killed runs left, since files
        with passwords may be among it."""
        into = self._scratch or Path(tempfile.gettempdir())
        with self._lock:
            if not self._workdirs:
                sweep(into, WORK)
            path = Path(tempfile.mkdtemp(prefix=WORK, dir=into))
            self._claims.enter_context(claimed(path))
            self._workdirs.append(path)
        return path

    def tidy(self) -> None:
        """Remove the private directories."""
        for path in self._workdirs:
            remove(path)
        self._claims.close()

    def value(self, value: Value | str) -> object:
        """A value of a plan, with references to earlier outputs and to secrets filled in."""
        found = self._looked_up(value)
        return self.secret(found) if isinstance(found, SecretRef) else found

    def values(self, arguments: Mapping[str, Value]) -> dict[str, object]:
        """All of a step's arguments; secrets stay references, which the doors resolve themselves."""
        return {name: self._looked_up(value) for name, value in arguments.items()}

    def _looked_up(self, value: Value | str) -> Value | str:
        if not isinstance(value, Ref):
            return value
        outputs = self.outputs.get(value.step, {})
        if value.output not in outputs:
            raise InputError(
                f"the plan refers to {value.output!r} of the step {value.step!r}, which gave no such thing"
            )
        return outputs[value.output]

    def endpoint(self, name: str) -> Endpoint:
        """The server that a step is about.

        :raises InputError: no server is known by this name now.
        """
        if name not in self.endpoints:
            raise InputError(f"the plan names the server {name!r}, which is not there")
        return self.endpoints[name]

    def note(self, step_id: str, outputs: Mapping[str, Value]) -> None:
        """Keep a step's outputs for later steps and for the outcome."""
        with self._lock:
            self.outputs[step_id] = {**self.outputs.get(step_id, {}), **outputs}

    def halt(self) -> None:
        """Stop whatever runs; may be called by any thread. Streams that wait for bytes are told so."""
        self.stop.set()
        with self._lock:
            waiting = tuple(self._cancels)
        for cancel in waiting:
            cancel()

    @contextmanager
    def cancelling(self, cancel: Callable[[], None]) -> Generator[None]:
        """While this is open, ``cancel`` is called when the run is stopped."""
        with self._lock:
            self._cancels.append(cancel)
        try:
            self.go_on()
            yield
        finally:
            with self._lock:
                self._cancels.remove(cancel)

    def go_on(self) -> None:
        """:raises Interrupted: another step failed, or the user asked to stop."""
        if self.stop.is_set():
            raise Interrupted("stopped, because another step failed or the run was interrupted")


def _silent(what: str, done: int, expected: int | None) -> None:
    pass
