"""Database URLs: one form for every engine, plain SQLAlchemy URLs with a driver included."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from dbops.errors import UsageError
from dbops.model.server import Endpoint
from dbops.plan import SecretRef

__all__ = ["Keeper", "is_url", "parse_url"]

Keeper = Callable[[str], SecretRef]
"""Takes a password that was found in a URL and gives back a reference to it."""

_SCHEME = re.compile(r"[a-z][a-z0-9]*(\+[a-z0-9_]+)?://", re.IGNORECASE)
_BAD_PORT = "the port is not a number from 0 to 65535"
_ENCODE = "Special characters in a name or password are %-encoded."
_PASSWORD_OPTIONS = {"password", "passwd", "pwd"}
# libpq's passfile names a file and is no secret itself.
_SECRET_OPTION = re.compile(r"password|passphrase|secret|token", re.IGNORECASE)


def is_url(text: str) -> bool:
    """Whether ``text`` is meant as a URL and not as a target's name."""
    return bool(_SCHEME.match(text))


def parse_url(text: str, keeper: Keeper | None, where: str = "URL") -> tuple[Endpoint, bool]:
    """The endpoint, and whether the URL carried a password (kept by ``keeper``, never in the endpoint).

    A host that starts with ``/`` (percent-encoded, or as the option ``host``) is a directory with a Unix socket.
    :raises UsageError: not a URL of a database. The text is not repeated: it may hold a password.
    """
    if not is_url(text):
        raise UsageError(f"{where}: not a database URL", hint="Write it as postgresql://user@host:5432/database.")
    parts, port = _split(text, where)
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    secret = _password(parts, options, where)
    host = options.pop("host", None) or _host(parts.netloc) or None
    option_port = options.pop("port", None)
    option_user = options.pop("user", None)
    endpoint = Endpoint(
        engine=parts.scheme.lower(),
        host=host,
        port=_port(option_port, where) if port is None else port,
        user=unquote(parts.username) if parts.username else option_user,
        database=unquote(parts.path.lstrip("/")) or None,
        password=keeper(secret) if keeper and secret else None,
        options=options,
    )
    return endpoint, bool(secret)


def _split(text: str, where: str) -> tuple[SplitResult, int | None]:
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        reason = _BAD_PORT if "Port" in str(error) else "it is malformed"
        raise UsageError(f"{where}: {reason}", hint=_ENCODE) from None
    if parts.fragment or text.endswith("#"):
        raise UsageError(f"{where}: it holds a bare '#', after which nothing would be read", hint=_ENCODE)
    return parts, port


def _host(netloc: str) -> str:
    # Not .hostname: it is in lower case, and a directory with a socket is another one then.
    address = netloc.rpartition("@")[2]
    if address.startswith("["):
        return address[1:].partition("]")[0]
    return unquote(address.partition(":")[0])


def _password(parts: SplitResult, options: dict[str, str], where: str) -> str | None:
    """A password given as a driver option is a password all the same, and no option may hide another one."""
    given = [options.pop(name) for name in list(options) if name.lower() in _PASSWORD_OPTIONS]
    for name in options:
        if _SECRET_OPTION.search(name):
            raise UsageError(
                f"{where}: the option {name} is a secret, which a URL must not carry",
                hint="Give the driver its file or service form instead.",
            )
    return unquote(parts.password) if parts.password else next(filter(None, given), None)


def _port(text: str | None, where: str) -> int | None:
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and int(text) <= 65535):
        raise UsageError(f"{where}: {_BAD_PORT}")
    return int(text)
