"""Database URLs: one form for every engine, plain SQLAlchemy URLs with a driver included."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import parse_qsl, unquote, urlsplit

from dbops.errors import UsageError
from dbops.model.server import Endpoint
from dbops.plan import SecretRef

__all__ = ["Keeper", "is_url", "parse_url"]

Keeper = Callable[[str], SecretRef]
"""Takes a password that was found in a URL and gives back a reference to it."""

_SCHEME = re.compile(r"[a-z][a-z0-9]*(\+[a-z0-9_]+)?://", re.IGNORECASE)


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
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        reason = "the port is not a number from 0 to 65535" if "ort" in str(error) else "it is malformed"
        raise UsageError(f"{where}: {reason}", hint="Special characters in a name or password are %-encoded.") from None
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    # A password given as a driver option is a password all the same.
    secret = unquote(parts.password) if parts.password else options.pop("password", None)
    host = options.pop("host", None) or unquote(parts.hostname or "") or None
    endpoint = Endpoint(
        engine=parts.scheme.lower(),
        host=host,
        port=_port(options.pop("port", None), where) if port is None else port,
        user=unquote(parts.username) if parts.username else options.pop("user", None),
        database=unquote(parts.path.lstrip("/")) or None,
        password=keeper(secret) if keeper and secret else None,
        options=options,
    )
    return endpoint, bool(secret)


def _port(text: str | None, where: str) -> int | None:
    if text is None:
        return None
    if not text.isdigit():
        raise UsageError(f"{where}: the port is not a number from 0 to 65535")
    return int(text)
