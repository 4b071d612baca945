"""Every error that dbops raises on purpose, and the exit code that each one becomes.

::

    DbopsError                 70  a bug in dbops, when nothing more precise was raised
    ├── UsageError              2  wrong option or argument; a prompt declined; --yes missing
    │   └── Unsupported         2  the engine, its version or its edition cannot do this
    ├── InputError             65  a spec, plan or manifest that cannot be accepted
    │   └── StalePlan          65  the server changed since the plan was made
    ├── Unreachable            69  server or repository not reachable
    ├── OutputError            73  the output cannot be written
    │   └── DestinationExists  73  a restore or a file would overwrite something
    ├── ToolFailed             74  a client tool failed, was killed, is missing or too old
    ├── ReadFailed             74  a question to a server failed
    ├── StorageFailed          74  repository I/O failed
    │   └── Damaged            74  stored bytes are not the bytes that were written
    ├── Locked                 75  another run holds the lock: try again
    ├── CouldNotTell           76  no answer either way; never a pass
    ├── NotPermitted           77  a right is missing on the server or on a file
    ├── ConfigError            78  dbops.toml, a SecretRef or the environment
    └── Interrupted           130  Ctrl-C or a termination signal

A message says what happened and where; ``hint`` says what to do. No secret is ever put into either.
"""

from __future__ import annotations

from collections.abc import Iterable

__all__ = [
    "ConfigError",
    "CouldNotTell",
    "Damaged",
    "DbopsError",
    "DestinationExists",
    "InputError",
    "Interrupted",
    "Locked",
    "NotPermitted",
    "OutputError",
    "ReadFailed",
    "StalePlan",
    "StorageFailed",
    "ToolFailed",
    "Unreachable",
    "Unsupported",
    "UsageError",
    "worst_code",
]


class DbopsError(Exception):
    """The root of the tree.

    :param message: what happened, and where (file and key path, target, step).
    :param hint: what the reader can do about it; empty when there is nothing to say.
    :param reason: one word for machines (``connect_failed``, ``no_permission``, ``timeout`` …), where there is one.
    """

    code: int = 70

    def __init__(self, message: str, *, hint: str = "", reason: str = "") -> None:
        super().__init__(message)
        self.hint = hint
        self.reason = reason

    @property
    def message(self) -> str:
        """What happened, and where; one place keeps it, so that what was taken out of it is nowhere else."""
        return str(self.args[0])

    @message.setter
    def message(self, text: str) -> None:
        self.args = (text,)

    def __str__(self) -> str:
        return f"{self.message}\n{self.hint}" if self.hint else self.message


class UsageError(DbopsError):
    """The caller asked for something in a wrong way."""

    code = 2


class Unsupported(UsageError):
    """The engine, its version, its edition or the managed service cannot do this; raised before any read."""


class InputError(DbopsError):
    """A file that was handed in (spec, plan, manifest) cannot be accepted."""

    code = 65


class StalePlan(InputError):
    """Planning again gave other steps than the saved plan holds."""


class Unreachable(DbopsError):
    """A server or a repository did not answer."""

    code = 69


class OutputError(DbopsError):
    """A result could not be written."""

    code = 73


class DestinationExists(OutputError):
    """Something is already there, and dbops never overwrites."""


class ToolFailed(DbopsError):
    """A program that dbops runs failed, was killed, is missing or is too old."""

    code = 74


class ReadFailed(DbopsError):
    """A question to a server failed; ``reason`` is a machine reason of :class:`~dbops.model.finding.Missing`."""

    code = 74


class StorageFailed(DbopsError):
    """The repository's storage failed: no space, no right, an I/O error."""

    code = 74


class Damaged(StorageFailed):
    """Stored bytes differ from the bytes that the manifest describes."""


class Locked(DbopsError):
    """Another run holds the lock."""

    code = 75


class CouldNotTell(DbopsError):
    """The question has no answer; the caller must not read this as a yes."""

    code = 76


class NotPermitted(DbopsError):
    """The login or the operating system user lacks a right."""

    code = 77


class ConfigError(DbopsError):
    """The configuration, a SecretRef or the environment is wrong."""

    code = 78


class Interrupted(DbopsError):
    """The user or the service manager asked to stop."""

    code = 130


def worst_code(codes: Iterable[int]) -> int:
    """One exit code for many: any 1 wins, then 76, then the highest of 64 and more, then wrong use, then 0."""
    given = set(codes)
    return next((code for code in (1, CouldNotTell.code) if code in given), max(given, default=0))
