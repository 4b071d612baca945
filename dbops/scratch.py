"""A private directory in which a proof runs, and which goes away whatever happens; what a killed run left goes too."""

from __future__ import annotations

import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from dbops import process
from dbops.claim import claimed, remove, sweep
from dbops.errors import CouldNotTell, OutputError
from dbops.model.finding import Missing
from dbops.spi import Host

__all__ = ["PREFIX", "scratch_directory"]

PREFIX = "dbops-scratch-"


@contextmanager
def scratch_directory(into: Path, *, need_bytes: int, user: str | None, host: Host) -> Generator[Path]:
    """A new directory below ``into`` that ``user`` (None: ourselves) can pass through.

    :raises CouldNotTell: less than ``need_bytes`` are free, or nobody can tell.
    :raises OutputError: the user cannot reach it.
    """
    _check_room(into, need_bytes, host)
    into.mkdir(mode=0o755, parents=True, exist_ok=True)
    sweep(into, PREFIX)
    path = Path(tempfile.mkdtemp(prefix=PREFIX, dir=into))
    with claimed(path):
        try:
            path.chmod(0o711 if user else 0o700)
            _check_way(path, user)
            yield path
        finally:
            remove(path)


def _check_room(into: Path, need: int, host: Host) -> None:
    free = host.free_bytes(into)
    if isinstance(free, Missing):
        raise CouldNotTell(f"{into}: how much room there is cannot be told: {free.detail}", reason=free.reason)
    if free < need:
        raise CouldNotTell(
            f"{into} has {free:,} bytes free, and restoring here needs {need:,}",
            hint="Name a larger place by `verify.into`.",
            reason="no_space",
        )


def _check_way(path: Path, user: str | None) -> None:
    if user is None:
        return
    if process.run(["test", "-x", path], user=user, timeout=20).returncode != 0:
        raise OutputError(
            f"the user {user}, who must run the server, cannot reach {path}",
            hint="Database servers refuse to run as root. Open the directories above it (chmod o+x), or name another "
            "place by `verify.into`.",
            reason="environment",
        )
