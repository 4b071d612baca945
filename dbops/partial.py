"""The directory that a restore makes: it is not there before, has another name meanwhile, and appears when it is whole.

A failure removes it; what a killed run left is removed by the next one.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from dbops.claim import claimed, remove, take_over
from dbops.errors import DbopsError, DestinationExists, OutputError
from dbops.model.finding import Missing
from dbops.spi import Host

__all__ = ["partial_directory", "refuse_full", "refuse_taken"]

PARTIAL = ".dbops-partial"


def refuse_taken(*paths: Path) -> None:
    """:raises DestinationExists: one of them is there, be it a link that leads nowhere."""
    for path in paths:
        if path.exists() or path.is_symlink():
            raise DestinationExists(f"{path} is there already", hint="Restore into a directory that is not there yet.")


def refuse_full(path: Path, need_bytes: int, host: Host) -> None:
    """:raises OutputError: ``path`` would have too little room; where nobody can tell, it is tried."""
    free = host.free_bytes(path.parent)
    if not isinstance(free, Missing) and free < need_bytes:
        raise OutputError(
            f"{path.parent} has {free:,} bytes free, and the copy needs {need_bytes:,}",
            hint="Restore to another place.",
            reason="no_space",
        )


@contextmanager
def partial_directory(path: Path) -> Generator[Path]:
    """A private directory beside ``path``, which is gone at the end: what is whole is moved out of it before.

    :raises Locked: another run restores to ``path``.
    :raises OutputError: it cannot be made.
    """
    root = path.with_name(f"{path.name}{PARTIAL}")
    take_over(root)
    try:
        root.mkdir(mode=0o700, parents=True)
    except OSError as error:
        raise OutputError(f"{root} cannot be made: {error.strerror}") from None
    with claimed(root):
        try:
            yield root
        except DbopsError as error:
            error.hint = " ".join(filter(None, (error.hint, "What had been restored was removed.")))
            raise
        finally:
            remove(root)
