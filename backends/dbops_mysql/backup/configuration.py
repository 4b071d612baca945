"""What a copy of a server's files does not carry: how the server was set, by whom, and which plugins it had. Stored
beside the copy as one JSON document."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import msgspec

from dbops.errors import DbopsError
from dbops.model.finding import Missing
from dbops.model.server import Endpoint
from dbops.readable import Chunks
from dbops.spi import Member, Reader, Runtime
from dbops_mysql.backup.files import Plugin
from dbops_mysql.statement import text

__all__ = ["CONFIGURATION", "Configuration", "Setting", "configuration"]

CONFIGURATION = "configuration.json"
# Values that may hold a secret are named and not kept.
SECRET = re.compile(r"passw|passphrase|secret|_auth$|filekey|keyring|credential|token", re.IGNORECASE)
WITHHELD = "(not kept)"


class Setting(msgspec.Struct, frozen=True):
    """A setting that is not the compiled one; ``source`` is the server's word for where it came from, ``path`` the
    file."""

    name: str
    value: str
    source: str
    path: str


class Configuration(msgspec.Struct, frozen=True, kw_only=True):
    """The stored document."""

    version: str
    settings: tuple[Setting, ...] | Missing
    plugins: tuple[Plugin, ...]


def configuration(arguments: Mapping[str, object], endpoint: Endpoint, runtime: Runtime) -> Iterator[Member]:
    """The stream ``configuration.json``; what the login may not read is named with the reason.

    Arguments: ``family``.
    """
    with runtime.reader(endpoint) as reader:
        found = Configuration(
            version=str(reader.scalar("SELECT VERSION()")),
            settings=_settings(reader, str(arguments["family"])),
            plugins=tuple(reader.rows(text("copy_plugins"), Plugin)),
        )
    document = msgspec.json.format(msgspec.json.encode(found), indent=1)
    yield Member(CONFIGURATION, Chunks(iter((document,))))


def _settings(reader: Reader, family: str) -> tuple[Setting, ...] | Missing:
    try:
        rows = reader.rows(text(f"copy_configuration_{family}"), Setting)
    except DbopsError as error:
        return Missing(error.reason or "query_failed", error.message)
    return tuple(msgspec.structs.replace(one, value=WITHHELD) if SECRET.search(one.name) else one for one in rows)
