"""``dbops.toml`` read once into frozen structs; what is wrong is named with file and key path."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TypeVar

import msgspec

from dbops.conversion import Plain, known, nearest, struct, table
from dbops.durations import duration, keep
from dbops.errors import ConfigError, UsageError
from dbops.model.backup import Depot, Keep, Objective, VerifyLevel
from dbops.model.server import Endpoint
from dbops.plan import SecretRef
from dbops.url import Keeper, is_url, parse_url

__all__ = [
    "BackupConfig",
    "Config",
    "JobConfig",
    "RepositoryConfig",
    "StateConfig",
    "Target",
    "VerifyConfig",
    "Waiver",
    "find",
    "load",
]

T = TypeVar("T", bound=msgspec.Struct)


class RepositoryConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where backups are kept. ``encrypt_to`` are age public keys; ``identity`` is only needed to restore."""

    url: str
    encrypt_to: tuple[str, ...] = ()
    identity: str | None = None
    name: str = ""


class VerifyConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where proofs run: a directory, or the URL of an instance that can read what the server wrote.

    :param paths: how the server sees the backup files, and how that instance does.
    :param data: where that instance puts data files, ``log`` the others; as they were named when left out.
    """

    into: str = ""
    password: str | None = None
    paths: dict[str, str] = {}
    data: str = ""
    log: str = ""
    tools: str = ""


class BackupConfig(Depot, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How backups of a target are made. ``staging``: a directory on the server's machine, for methods that must write
    there before they can store. The rest is for servers that keep their backups themselves."""

    staging: str = ""

    @property
    def depot(self) -> Depot:
        """What the server is told."""
        return Depot(to=self.to, owns_chain=self.owns_chain, certificate=self.certificate)


class _VerifyRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    every: str = "7d"
    level: VerifyLevel = "full"


class _Objective(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    rpo: str | None = None
    rto: str | None = None
    keep: str | dict[str, int | str] | None = None
    verify: _VerifyRule | None = None


class Waiver(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A finding or check that somebody accepted. ``id`` may hold ``*``; ``fingerprint`` narrows it to one finding."""

    id: str
    reason: str
    by: str = ""
    until: str = ""
    fingerprint: str = ""


class _Health(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    thresholds: dict[str, dict[str, float]] = {}
    skip: tuple[str, ...] = ()


class _Target(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    url: str
    password: str | None = None
    labels: dict[str, str] = {}
    repository: str | None = None
    objective: _Objective = _Objective()
    backup: BackupConfig = BackupConfig()
    verify: VerifyConfig = VerifyConfig()
    members: tuple[str, ...] = ()
    health: _Health = _Health()
    waivers: tuple[Waiver, ...] = ()
    timeout: str | None = None


class JobConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Something to do unattended. ``at`` is a five-field cron line in UTC unless ``timezone`` says otherwise."""

    do: str
    targets: str | tuple[str, ...]
    at: str
    timezone: str = "UTC"
    method: str | None = None
    level: str | None = None
    fail_on: str | None = None
    timeout: str | None = None
    notify: tuple[str, ...] = ()
    name: str = ""


class StateConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The state database: history, journal index and locks. SQLite in the user's state directory by default."""

    url: str | None = None
    password: str | None = None


class _Defaults(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    repository: str | None = None
    timeout: str = "5s"


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """A server that dbops answers for."""

    name: str
    endpoint: Endpoint
    repository: str | None = None
    objective: Objective = Objective()
    verify_every_s: int | None = None
    verify_level: VerifyLevel = "full"
    backup: BackupConfig = BackupConfig()
    verify: VerifyConfig = VerifyConfig()
    labels: dict[str, str] = {}
    members: tuple[str, ...] = ()
    thresholds: dict[str, dict[str, float]] = {}
    skip: tuple[str, ...] = ()
    waivers: tuple[Waiver, ...] = ()
    timeout_s: float = 5.0


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that is configured. ``path`` is where it was read, empty when there is no file."""

    path: str = ""
    repositories: dict[str, RepositoryConfig] = {}
    targets: dict[str, Target] = {}
    jobs: dict[str, JobConfig] = {}
    state: StateConfig = StateConfig()
    default_repository: str | None = None
    default_timeout_s: float = 5.0

    def target(self, name_or_url: str, keeper: Keeper) -> Target:
        """A configured target, or one made of a URL; ``keeper`` takes a password that the URL carries.

        :raises UsageError: neither.
        """
        if name_or_url in self.targets:
            return self.targets[name_or_url]
        if is_url(name_or_url):
            endpoint, _ = parse_url(name_or_url, keeper)
            return Target(
                name=_url_name(endpoint),
                endpoint=endpoint,
                repository=self.default_repository,
                timeout_s=self.default_timeout_s,
            )
        close = nearest(name_or_url, self.targets)
        raise UsageError(
            f"there is no target {name_or_url!r} in {self.path or 'the configuration (no dbops.toml was found)'}",
            hint=close or "Give a name from dbops.toml or a URL such as postgresql://user@host/database.",
        )

    def select(self, selector: str | Iterable[str], keeper: Keeper) -> tuple[Target, ...]:
        """Targets by ``all``, ``label:key=value``, a name, or several of them.

        :raises ConfigError: the selector fits nothing.
        """
        words = [selector] if isinstance(selector, str) else list(selector)
        found = [target for word in words for target in self._by_word(word, keeper)]
        return tuple({target.name: target for target in found}.values())

    def _by_word(self, word: str, keeper: Keeper) -> list[Target]:
        if word == "all":
            return list(self.targets.values())
        if not word.startswith("label:"):
            return [self.target(word, keeper)]
        key, _, value = word.removeprefix("label:").partition("=")
        found = [target for target in self.targets.values() if target.labels.get(key) == value]
        if not found:
            there = {f"{name}={one}" for target in self.targets.values() for name, one in target.labels.items()}
            close = nearest(f"{key}={value}", there)
            raise ConfigError(f"{self.path}: no target has the label {key}={value}", hint=close)
        return found

    def repository(self, name: str | None) -> RepositoryConfig:
        """A repository by name, or the default one.

        :raises ConfigError: there is none.
        """
        wanted = name or self.default_repository
        if wanted is None and len(self.repositories) == 1:
            return next(iter(self.repositories.values()))
        if wanted is None:
            raise ConfigError("no repository is configured", hint="Add [repositories.main] with a url to dbops.toml.")
        if wanted not in self.repositories:
            raise ConfigError(
                f"{self.path}: there is no repository {wanted!r}", hint=nearest(wanted, self.repositories)
            )
        return self.repositories[wanted]


def find(explicit: str | None = None, env: Mapping[str, str] | None = None, cwd: Path | None = None) -> Config:
    """The first configuration found: ``--config``, ``DBOPS_CONFIG``, ``./dbops.toml``, the user's, the system's.

    :raises ConfigError: one that was named is not there, or one that is there is wrong.
    """
    variables = os.environ if env is None else env
    named = explicit or variables.get("DBOPS_CONFIG")
    if named:
        return load(Path(named))
    home = Path(variables.get("XDG_CONFIG_HOME") or Path(variables.get("HOME", "~")).expanduser() / ".config")
    for path in ((cwd or Path.cwd()) / "dbops.toml", home / "dbops" / "dbops.toml", Path("/etc/dbops/dbops.toml")):
        if path.is_file():
            return load(path)
    return Config()


def load(path: Path) -> Config:
    """Read and check one file.

    :raises ConfigError: with file and key path.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: not UTF-8 text") from None
    return parse(text, str(path))


def parse(text: str, path: str = "dbops.toml") -> Config:
    """The configuration in ``text``; ``path`` is for messages."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: {error}") from None
    known(document, ("defaults", "repositories", "targets", "jobs", "state"), path, "")
    try:
        config = _config(document, path)
    except UsageError as error:  # the same readers serve the command line, where the class is another
        raise ConfigError(error.message, hint=error.hint) from None
    _check_repositories(config)
    return config


def _config(document: Plain, path: str) -> Config:
    defaults = struct(document.get("defaults", {}), _Defaults, path, "defaults")
    timeout_s = duration(defaults.timeout, f"{path}: defaults.timeout")
    state = struct(document.get("state", {}), StateConfig, path, "state")
    if state.url is not None:
        _endpoint(state.url, f"{path}: state.url")
    if state.password is not None:
        SecretRef.parse(state.password, f"{path}: state.password")
    return Config(
        path=path,
        repositories=_named(document, "repositories", RepositoryConfig, path),
        jobs=_named(document, "jobs", JobConfig, path),
        state=state,
        default_repository=defaults.repository,
        default_timeout_s=timeout_s,
        targets={
            name: _target(name, raw, defaults, path) for name, raw in _named(document, "targets", _Target, path).items()
        },
    )


def _target(name: str, raw: _Target, defaults: _Defaults, path: str) -> Target:
    where = f"{path}: targets.{name}"
    endpoint = _endpoint(raw.url, f"{where}.url")
    if raw.password is not None:
        reference = SecretRef.parse(raw.password, f"{where}.password")
        endpoint = msgspec.structs.replace(endpoint, password=reference)
    for number, member in enumerate(raw.members):
        _endpoint(member, f"{where}.members[{number}]")
    _check_verify(raw.verify, f"{where}.verify")
    rule = raw.objective.verify
    return Target(
        name=name,
        endpoint=endpoint,
        repository=raw.repository or defaults.repository,
        objective=_objective(raw.objective, f"{where}.objective"),
        verify_every_s=duration(rule.every, f"{where}.objective.verify.every") if rule else None,
        verify_level=rule.level if rule else "full",
        backup=raw.backup,
        verify=raw.verify,
        labels=raw.labels,
        members=raw.members,
        thresholds=raw.health.thresholds,
        skip=raw.health.skip,
        waivers=raw.waivers,
        timeout_s=duration(raw.timeout or defaults.timeout, f"{where}.timeout"),
    )


def _check_verify(raw: VerifyConfig, where: str) -> None:
    if is_url(raw.into):
        _endpoint(raw.into, f"{where}.into")
    if raw.password is not None:
        SecretRef.parse(raw.password, f"{where}.password")


def _endpoint(url: str, where: str) -> Endpoint:
    endpoint, password = parse_url(url, None, where)
    if password:
        raise ConfigError(f"{where} holds a password", hint='Write password = "env:NAME" beside the url instead.')
    return endpoint


def _objective(raw: _Objective, where: str) -> Objective:
    return Objective(
        rpo_s=duration(raw.rpo, f"{where}.rpo") if raw.rpo is not None else None,
        rto_s=duration(raw.rto, f"{where}.rto") if raw.rto is not None else None,
        keep=keep(raw.keep, f"{where}.keep") if raw.keep is not None else Keep(),
    )


def _check_repositories(config: Config) -> None:
    wanted = [(f"targets.{name}", target.repository) for name, target in config.targets.items()]
    for where, name in [("defaults", config.default_repository), *wanted]:
        if name is not None and name not in config.repositories:
            raise ConfigError(
                f"{config.path}: {where}.repository names {name!r}, which is not there",
                hint=nearest(name, config.repositories) or f"Add [repositories.{name}] with a url.",
            )


def _named(document: Plain, key: str, into: type[T], path: str) -> dict[str, T]:
    found: dict[str, T] = {}
    for name, value in table(document.get(key, {}), path, key).items():
        one = struct(value, into, path, f"{key}.{name}")
        found[name] = msgspec.structs.replace(one, name=name) if hasattr(one, "name") else one
    return found


def _url_name(endpoint: Endpoint) -> str:
    host = endpoint.host or "local"
    safe = "".join(letter if letter.isalnum() or letter in ".-_" else "-" for letter in host).strip("-")
    return f"{safe}-{endpoint.port}" if endpoint.port else safe
