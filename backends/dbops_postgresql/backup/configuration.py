"""What a physical copy does not carry: settings, access rules and user maps, which may lie outside of the data
directory (Debian: ``/etc/postgresql``). Stored beside the copy as one JSON document."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from dbops.errors import DbopsError
from dbops.model.finding import Missing
from dbops.model.server import Endpoint
from dbops.readable import Chunks
from dbops.spi import Member, Reader, Runtime
from dbops_postgresql.statement import text

__all__ = ["Configuration", "Setting", "configuration"]

FILES = {"pg_hba.conf": "hba_file", "pg_ident.conf": "ident_file", "postgresql.conf": "config_file"}


class Setting(msgspec.Struct, frozen=True):
    """A setting that somebody set; ``source`` is the server's word for where."""

    name: str
    value: str
    unit: str
    source: str


class Configuration(msgspec.Struct, frozen=True, kw_only=True):
    """``files`` are the texts, where the login may read them; ``hba`` and ``ident`` the rules, as JSON objects."""

    settings: tuple[Setting, ...] | Missing
    files: dict[str, str | Missing]
    hba: tuple[str, ...] | Missing
    ident: tuple[str, ...] | Missing


def configuration(_arguments: Mapping[str, object], endpoint: Endpoint, runtime: Runtime) -> Iterator[Member]:
    """The stream ``configuration.json``; what the login may not read is named with the reason."""
    with runtime.reader(endpoint) as reader:
        found = Configuration(
            settings=_settings(reader),
            files={name: _file(reader, setting) for name, setting in FILES.items()},
            hba=_rules(reader, "configuration_hba"),
            ident=_rules(reader, "configuration_ident"),
        )
    document = msgspec.json.format(msgspec.json.encode(found), indent=1)
    yield Member("configuration.json", Chunks(iter((document,))))


def _settings(reader: Reader) -> tuple[Setting, ...] | Missing:
    try:
        return tuple(reader.rows(text("configuration_settings"), Setting))
    except DbopsError as error:
        return _missing(error)


def _file(reader: Reader, setting: str) -> str | Missing:
    try:
        return str(reader.scalar(text("configuration_file"), {"setting": setting}))
    except DbopsError as error:
        return _missing(error)


def _rules(reader: Reader, name: str) -> tuple[str, ...] | Missing:
    try:
        return tuple(str(row[0]) for row in reader.tuples(text(name)))
    except DbopsError as error:
        return _missing(error)


def _missing(error: DbopsError) -> Missing:
    return Missing(error.reason or "query_failed", error.message)
