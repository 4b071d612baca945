"""What the drivers raise, as errors of ours: by the backend's reading of them, and in words for a person."""

from __future__ import annotations

import re
from collections.abc import Generator
from contextlib import contextmanager

from dbops.errors import ConfigError, DbopsError, NotPermitted, ReadFailed, Unreachable
from dbops.extras import how_to_install
from dbops.model.server import Session
from dbops.spi import Backend

__all__ = ["said", "translated", "understood"]

_LOST = {"connect_failed", "certificate_untrusted", "too_many_connections", "unknown_database"}
_REFUSED = {"no_permission", "auth_failed"}


@contextmanager
def translated(
    backend: Backend, where: str, session: Session | None = None, *, connecting: bool = False
) -> Generator[None]:
    """The driver's exceptions as ours, by the backend's reading of them."""
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    except DbopsError:
        raise
    except SQLAlchemyError as error:
        raise understood(backend, error, where, session, connecting=connecting) from None
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


def understood(
    backend: Backend, error: BaseException, where: str, session: Session | None = None, *, connecting: bool = False
) -> DbopsError:
    """One of the driver's exceptions as ours; the session knows what a person can do about some."""
    cause: BaseException = getattr(error, "orig", None) or error
    reason = backend.fault(cause)
    message = f"{where}: {said(cause)}"
    hint = session.hints.get(reason, "") if session else ""
    if reason in _REFUSED:
        return NotPermitted(message, hint=hint, reason=reason)
    if reason in _LOST or (connecting and reason == "timeout"):
        return Unreachable(message, hint=hint, reason=reason)
    if reason == "driver_missing":
        return ConfigError(message, hint=hint, reason=reason)
    return ReadFailed(message, hint=hint, reason=reason)


def said(cause: BaseException) -> str:
    """The driver's words on one line, without the piece of the statement that some put above a caret: it may hold what
    a secret was made into, and it is cut where it says nothing to a reader. Without the places that ODBC's words went
    through, too."""
    lines = _words(cause).splitlines()
    marked = [number for number, line in enumerate(lines) if line.strip() == "^"]
    kept = [line for number, line in enumerate(lines) if number not in marked and number + 1 not in marked]
    return " ".join(" ".join(kept).split())


# [SQLSTATE] [vendor][driver][server]what happened (number) (function); more of it
_PLACES = r"(?:\[[^\]]*\])+"
_THROUGH = re.compile(rf"^(?:\[\w{{5}}\] )?{_PLACES}|(?<=; )\[\w{{5}}\] {_PLACES}|(?: \(0\))? \(SQL\w+\)")


def _words(cause: BaseException) -> str:
    """PyMySQL's exceptions have a number and a text; pyodbc's two texts, the SQLSTATE and the words, in either order.
    Others speak for themselves."""
    match cause.args:
        case (int(number), str(words)):
            return f"{words} (error {number})"
        case (str(), str(words)) if words.startswith("["):
            return _THROUGH.sub("", words)
        case (str(words), str(state)) if len(state) == 5:
            return words
        case _:
            return str(cause)
