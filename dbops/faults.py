"""What the drivers raise, as errors of ours: by the backend's reading of them, and in words for a person."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from dbops.errors import ConfigError, DbopsError, NotPermitted, ReadFailed, Unreachable
from dbops.extras import how_to_install
from dbops.spi import Backend

__all__ = ["said", "translated"]

_LOST = {"connect_failed", "too_many_connections", "unknown_database"}
_REFUSED = {"no_permission", "auth_failed"}


@contextmanager
def translated(backend: Backend, where: str, *, connecting: bool = False) -> Generator[None]:
    """The driver's exceptions as ours, by the backend's reading of them."""
    from sqlalchemy.exc import PendingRollbackError, SQLAlchemyError

    try:
        yield
    except DbopsError:
        raise
    except PendingRollbackError:
        # SQLAlchemy's word for a connection that broke before: nothing more is asked over it.
        raise Unreachable(f"{where}: the connection broke", reason="connect_failed") from None
    except SQLAlchemyError as error:
        raise _understood(backend, error, where, connecting=connecting) from None
    except OSError as error:
        raise Unreachable(f"{where}: {error.strerror or error}", reason="connect_failed") from None
    except UnicodeEncodeError as error:
        # Nothing of the text itself: it may be a password out of a file that the driver read by itself.
        raise ConfigError(
            f"{where}: the driver can send no letters beyond {error.encoding} where it met one",
            hint='A password with such letters is to be named in dbops.toml: password = "env:NAME" (or file:, cmd:).',
        ) from None
    except ImportError as error:
        raise ConfigError(
            f"{where}: the driver cannot be loaded: {error}",
            hint=how_to_install(backend.name),
            reason="driver_missing",
        ) from None


def _understood(backend: Backend, error: BaseException, where: str, *, connecting: bool) -> DbopsError:
    cause: BaseException = getattr(error, "orig", None) or error
    reason = backend.fault(cause)
    message = f"{where}: {said(cause)}"
    if reason in _REFUSED:
        return NotPermitted(message, reason=reason)
    if reason in _LOST or (connecting and reason == "timeout"):
        return Unreachable(message, reason=reason)
    return ReadFailed(message, reason=reason)


def said(cause: BaseException) -> str:
    """The driver's words on one line, without the piece of the statement that some put above a caret: it may hold what
    a secret was made into, and it is cut where it says nothing to a reader."""
    lines = _words(cause).splitlines()
    marked = [number for number, line in enumerate(lines) if line.strip() == "^"]
    kept = [line for number, line in enumerate(lines) if number not in marked and number + 1 not in marked]
    return " ".join(" ".join(kept).split())


def _words(cause: BaseException) -> str:
    """Some drivers raise a number and a text, and print them as Python's pair."""
    if len(cause.args) == 2 and isinstance(cause.args[0], int) and isinstance(cause.args[1], str):
        return f"{cause.args[1]} (error {cause.args[0]})"
    return str(cause)
