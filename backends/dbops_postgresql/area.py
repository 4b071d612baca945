"""A private directory in which a proof runs, and which goes away whatever happens.

Its owner keeps a lock on a file in it. A run that was killed has lost that lock, and the next run ends the server that
was left behind and removes the directory.
"""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from dbops import process
from dbops.errors import CouldNotTell, OutputError
from dbops.model.finding import Missing
from dbops.model.server import Endpoint
from dbops.plan import Value
from dbops.spi import Runtime
from dbops_postgresql import fit
from dbops_postgresql.installation import reachable, server_user, temporary_directory

__all__ = ["area", "sweep"]

PREFIX = "dbops-scratch-"
MARK = "owner"
END_S = 10.0


@contextmanager
def area(
    arguments: Mapping[str, object], _endpoint: Endpoint, runtime: Runtime
) -> Generator[tuple[Mapping[str, Value], Endpoint | None]]:
    """A directory for one proof. Outputs: a path for each word of ``files``, ``bindir`` of the fitting programs, and
    ``path`` itself.

    Arguments: ``into`` (where; empty: the temporary directory), ``need_bytes``, ``files`` (words separated by a space),
    ``requires`` (JSON of :class:`~dbops_postgresql.fit.Requirements`), ``tools``.
    :raises CouldNotTell: no fitting server programs, or too little room.
    """
    import msgspec

    needed = msgspec.json.decode(str(arguments["requires"]), type=fit.Requirements)
    installation = fit.choose(needed, str(arguments.get("tools", "")))
    user = server_user()
    into = Path(str(arguments["into"])) if arguments.get("into") else temporary_directory(user)
    _check_room(into, int(str(arguments.get("need_bytes", 0))), runtime)
    with _directory(into, user) as path:
        outputs: dict[str, Value] = {word: str(path / word) for word in str(arguments.get("files", "")).split()}
        bindir = reachable(installation, user).bindir
        yield {**outputs, "path": str(path), "bindir": str(bindir), "programs": installation.label}, None


@contextmanager
def _directory(into: Path, user: str | None) -> Generator[Path]:
    into.mkdir(mode=0o755, parents=True, exist_ok=True)
    sweep(into)
    path = Path(tempfile.mkdtemp(prefix=PREFIX, dir=into))
    mark = _marked(path)
    try:
        path.chmod(0o711 if user else 0o700)
        _check_way(path, user)
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)
        os.close(mark)


def sweep(into: Path) -> tuple[Path, ...]:
    """Remove what killed runs of ours left in ``into``; what a living run owns stays."""
    import fcntl

    removed: list[Path] = []
    for path in into.glob(f"{PREFIX}*"):
        with suppress(OSError):
            mark = os.open(path / MARK, os.O_RDWR | os.O_NOFOLLOW)
            try:
                if os.fstat(mark).st_uid == os.geteuid():
                    fcntl.flock(mark, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    _end_server(path)
                    shutil.rmtree(path, ignore_errors=True)
                    removed.append(path)
            finally:
                os.close(mark)
    return tuple(removed)


def _marked(path: Path) -> int:
    import fcntl

    # Locked before it has its name: nobody ever sees an owner's mark without its lock.
    draft = path / f".{MARK}"
    mark = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    fcntl.flock(mark, fcntl.LOCK_EX)
    os.write(mark, f"dbops, process {os.getpid()}\n".encode())
    draft.rename(path / MARK)
    return mark


def _end_server(path: Path) -> None:
    pid = _server_pid(path)
    if pid is None:
        return
    for number in (signal.SIGQUIT, signal.SIGKILL):
        end = time.monotonic() + END_S
        with suppress(ProcessLookupError):
            os.kill(pid, number)
            while time.monotonic() < end:
                os.kill(pid, 0)
                time.sleep(0.05)


def _server_pid(path: Path) -> int | None:
    """Of a server that runs on a directory below ``path``; the number in its file may be somebody else's by now."""
    for file in path.glob("*/postmaster.pid"):
        with suppress(OSError, ValueError, IndexError):
            pid = int(file.read_text(encoding="utf-8").splitlines()[0])
            said = process.run(["ps", "-o", "command=", "-p", str(pid)], timeout=10).stdout
            if os.fspath(path) in said:
                return pid
    return None


def _check_room(into: Path, need: int, runtime: Runtime) -> None:
    free = runtime.host.free_bytes(into)
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
            hint="PostgreSQL refuses to run as root. Open the directories above it (chmod o+x), or name another place "
            "by `verify.into`.",
            reason="environment",
        )
