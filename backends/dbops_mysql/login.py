"""How the client programs of MySQL and MariaDB are told where a server is and who we are: by an option file of our own.

``--defaults-file`` must be their first argument. A password in ``argv`` or in the environment can be read by others of
this machine; the file is private, and goes with the directory that it is in. The programs of both families read the
group ``client``, the copying ones too.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from dbops.model.server import Endpoint
from dbops.spi import Runtime
from dbops_mysql.installation import Family
from dbops_mysql.session import DEFAULTS_FILE

__all__ = ["option_file", "option_text"]

ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t", "\b": "\\b"}
# What MySQL's programs call by one word, MariaDB's have two switches for.
TLS: Mapping[Family, Mapping[str, Mapping[str, str]]] = {
    "mysql": {
        mode: {"ssl-mode": mode} for mode in ("DISABLED", "PREFERRED", "REQUIRED", "VERIFY_CA", "VERIFY_IDENTITY")
    },
    "mariadb": {
        "DISABLED": {"ssl": "0"},
        "PREFERRED": {"loose-ssl-verify-server-cert": "0"},
        "REQUIRED": {"ssl": "1", "ssl-verify-server-cert": "0"},
        "VERIFY_CA": {"ssl": "1", "ssl-verify-server-cert": "1"},
        "VERIFY_IDENTITY": {"ssl": "1", "ssl-verify-server-cert": "1"},
    },
}
OWN = ("user", "password", "host", "port", "socket", "ssl-ca", "ssl-cert", "ssl-key", "ssl-capath", "ssl-cipher")
FILES = ("ssl-ca", "ssl-cert", "ssl-key", "ssl-capath", "ssl-cipher", "tls-version")


def option_file(endpoint: Endpoint, runtime: Runtime, family: Family) -> Path:
    """Written into a private directory of this execution, readable by ourselves alone."""
    secret = runtime.secret(endpoint.password) if endpoint.password else ""
    descriptor, path = tempfile.mkstemp(prefix="client-", suffix=".cnf", dir=runtime.workdir())
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(option_text(endpoint, secret, family))
    return Path(path)


def option_text(endpoint: Endpoint, password: str, family: Family) -> str:
    """What the endpoint leaves out comes from ``~/.my.cnf``, as in a session, as long as no host is named. Nothing but
    its group ``client``: what somebody wrote there for ``mysqldump`` could leave tables out of a backup."""
    file = Path(endpoint.options.get("read_default_file", "" if endpoint.host else DEFAULTS_FILE)).expanduser()
    options = {**_own(file), **dict(_options(endpoint, password, family))}
    lines = [f'{name}="{_escaped(value)}"' for name, value in options.items()]
    return "\n".join(["[client]", *lines]) + "\n"


def _own(file: Path) -> dict[str, str]:
    """The options of the operator's file that a session takes, read as the driver reads them."""
    from pymysql.optionfile import Parser

    parser = Parser(strict=False)
    parser.read(file)
    return {name: str(parser.get("client", name)) for name in OWN if parser.has_option("client", name)}


def _options(endpoint: Endpoint, password: str, family: Family) -> Iterator[tuple[str, str]]:
    yield from _place(endpoint)
    if endpoint.user:
        yield "user", endpoint.user
    if password:
        yield "password", password
    given = {name.replace("_", "-"): value for name, value in endpoint.options.items()}
    mode = given.get("ssl-mode", "PREFERRED").upper()
    yield from TLS[family].get(mode, {}).items()
    yield from ((name, given[name]) for name in FILES if name in given)


def _place(endpoint: Endpoint) -> Iterator[tuple[str, str]]:
    socket = endpoint.options.get("unix_socket", "")
    if endpoint.host and endpoint.host.startswith("/"):
        socket = endpoint.host
    if socket:
        yield from (("socket", socket), ("protocol", "socket"))
        return
    if endpoint.host:
        # Their "localhost" is a socket of their own choice, that of the session a port.
        yield from (("host", endpoint.host), ("protocol", "tcp"))
    if endpoint.port:
        yield "port", str(endpoint.port)


def _escaped(value: str) -> str:
    return "".join(ESCAPES.get(letter, letter) for letter in value)
