"""What every operation needs, in one object: configuration, secrets, state, clock; and the doors to servers."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from weakref import WeakSet

import msgspec

from dbops import registry
from dbops.capabilities import Capability, require
from dbops.config import Config, RepositoryConfig, Target, find
from dbops.errors import InputError
from dbops.execute import Context, Outcome, execute
from dbops.execute.context import Progress, Provider
from dbops.host import LocalHost
from dbops.model.backup import Outputs
from dbops.model.server import Endpoint, Server
from dbops.operations.bytes import RepositoryBytes, repository_calls
from dbops.plan import Json, Plan, SecretRef, Value
from dbops.repository.repository import BackupWriter, Repository
from dbops.secrets import Secrets
from dbops.session import connect
from dbops.spi import Backend, Host, Reader
from dbops.state import State, default_directory
from dbops.storage.by_url import open_storage

__all__ = ["Opened", "Workspace"]


class Opened:
    """A target that answered: its final backend, what it is, and a reader of the database in its URL."""

    def __init__(self, target: Target, backend: Backend, server: Server, reader: Reader) -> None:
        self.target, self.backend, self.server, self.reader = target, backend, server, reader

    def require(self, capability: Capability) -> None:
        """:raises Unsupported: this server cannot, or dbops cannot yet; with the reason."""
        who = f"{self.target.name} ({self.backend.label} {self.server.version_text})"
        require(capability, self.backend.support(capability, self.server), who)


class Workspace:
    """The first argument of every operation.

    :param clock: now, in UTC; :param entropy: random bytes. Tests hand in their own.
    :param progress: told about bytes moved, from several threads.
    """

    def __init__(
        self,
        config: Config,
        *,
        secrets: Secrets | None = None,
        host: Host | None = None,
        state: State | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        entropy: Callable[[int], bytes] = os.urandom,
        progress: Progress | None = None,
    ) -> None:
        self.config = config
        self.secrets = secrets or Secrets()
        self.host: Host = host or LocalHost()
        self.now = clock
        self.random = entropy
        self.progress = progress
        self._contexts: WeakSet[Context] = WeakSet()
        password = self._state_password if config.state.password else None
        self.state = state or State(default_directory(), clock=clock, url=config.state.url, password=password)

    @classmethod
    def load(cls, config: str | Path | None = None) -> Workspace:
        """From the configuration file that the command line would take.

        :raises ConfigError: it is wrong, or the one that was named is not there.
        """
        return cls(find(str(config) if config is not None else None))

    def target(self, name_or_url: str | Target) -> Target:
        """A configured target, or one made of a URL.

        :raises UsageError: neither.
        """
        if isinstance(name_or_url, Target):
            return name_or_url
        return self.config.target(name_or_url, self.secrets.literal)

    def planned_target(self, plan: Plan) -> Target:
        """The target of a saved plan: by its name, or by the endpoint that the plan keeps for a URL's.

        :raises InputError: the plan keeps something else under ``endpoint``.
        """
        kept = plan.inputs.get("endpoint")
        if kept is None:
            return self.target(plan.target)
        try:
            return Target(name=plan.target, endpoint=msgspec.convert(kept, Endpoint))
        except msgspec.ValidationError as error:
            raise InputError(f"the plan for {plan.target} names no endpoint that can be read: {error}") from None

    def target_inputs(self, target: Target) -> dict[str, Json]:
        """What a plan must keep to find its target again: nothing for a configured one."""
        if target.name in self.config.targets:
            return {}
        return {"endpoint": msgspec.to_builtins(target.endpoint)}

    def backend(self, target: Target) -> Backend:
        """The backend of a target's URL; a probe may find another one behind it."""
        return registry.for_scheme(target.endpoint.engine)

    @contextmanager
    def open(self, target: Target, *, database: str | None = None, timeout_s: float | None = None) -> Generator[Opened]:
        """Connect and probe.

        :raises Unreachable, NotPermitted: no session.
        """
        backend = self.backend(target)
        endpoint = endpoint_of(target, backend, database)
        bound = timeout_s or target.timeout_s
        with connect(backend, endpoint, resolve=self.secrets.resolve, timeout_s=bound) as reader:
            server = backend.probe(reader)
            final = backend if server.engine == backend.name else registry.backend(server.engine)
            yield Opened(msgspec.structs.replace(target, endpoint=endpoint), final, server, reader)

    def repository_config(self, target: Target | None = None, name: str | None = None) -> RepositoryConfig:
        """The repository asked for, else the target's, else the default."""
        return self.config.repository(name or (target.repository if target else None))

    def repository(self, config: RepositoryConfig, *, read: bool = False) -> Repository:
        """Open a repository; ``read`` also fetches the private key, where one is configured."""
        identities: tuple[str, ...] = ()
        if read and config.identity:
            identities = (
                self.secrets.resolve(SecretRef.parse(config.identity, f"repositories.{config.name}.identity")),
            )
        return Repository(
            open_storage(config.url),
            recipients=config.encrypt_to,
            identities=identities,
            clock=self.now,
            entropy=self.random,
        )

    def execute(
        self,
        plan: Plan,
        target: Target,
        *,
        backend: Backend | None = None,
        writers: Mapping[str, BackupWriter] | None = None,
        providers: Mapping[str, Provider] | None = None,
        scratch: Path | None = None,
        endpoints: Mapping[str, Endpoint] | None = None,
        publish: Callable[[Outputs], Mapping[str, Value]] | None = None,
    ) -> Outcome:
        """Carry a plan out, with this workspace's secrets, repositories, journal and progress.

        :param writers: the backups being written, by id, for Transfer steps into a repository.
        :param scratch: where private directories are made.
        :param publish: what the step that publishes a backup does with the outputs of all steps before it.
        """
        # What the server turned out to be when the plan was made, which its URL may not say.
        used = backend or registry.backend(plan.engine)
        own = endpoint_of(target, used, None)
        context = Context(
            backend=used,
            endpoints={"target": own, **(endpoints or {})},
            resolve=self.secrets.resolve,
            host=self.host,
            journal=self.state.journal(target.name),
            repositories=RepositoryBytes(self._readable, writers),
            providers={"repository": repository_calls(self._by_name), **(providers or {})},
            progress=self.progress,
            clock=self.now,
            scratch=scratch,
        )
        if publish is not None:
            context.providers["catalogue"] = lambda _operation, _arguments: publish(context.outputs)
        self._contexts.add(context)
        return execute(plan, context)

    def stop(self) -> None:
        """Ask every execution to end, from another thread: what it holds open is closed, its plan has failed."""
        for context in tuple(self._contexts):
            context.halt()

    def _state_password(self) -> str:
        return self.secrets.resolve(SecretRef.parse(self.config.state.password or "", "state.password"))

    def _readable(self, name: str) -> Repository:
        return self.repository(self.config.repository(name), read=True)

    def _by_name(self, name: str) -> Repository:
        return self.repository(self.config.repository(name))


def endpoint_of(target: Target, backend: Backend, database: str | None) -> Endpoint:
    """The target's endpoint under its backend's name, at ``database`` when one is given."""
    return msgspec.structs.replace(target.endpoint, engine=backend.name, database=database or target.endpoint.database)
