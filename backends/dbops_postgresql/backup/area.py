"""A private directory in which a proof runs, and which goes away whatever happens; what a killed run left goes too."""

from __future__ import annotations

import tempfile
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path

import msgspec

from dbops import process
from dbops.errors import CouldNotTell, OutputError
from dbops.model.finding import Missing
from dbops.model.server import Endpoint
from dbops.plan import Value
from dbops.spi import Runtime
from dbops_postgresql.backup import fit
from dbops_postgresql.backup.claim import claimed, remove, sweep
from dbops_postgresql.installation import reachable, server_user, temporary_directory

__all__ = ["area"]

PREFIX = "dbops-scratch-"


@contextmanager
def area(
    arguments: Mapping[str, object], _endpoint: Endpoint, runtime: Runtime
) -> Generator[tuple[Mapping[str, Value], Endpoint | None]]:
    """A directory for one proof. Outputs: a path for each word of ``files``, ``bindir`` of the fitting programs, and
    ``path`` itself.

    Arguments: ``into`` (where; empty: the temporary directory), ``need_bytes``, ``files`` (words separated by a space),
    ``requires`` (JSON of :class:`~dbops_postgresql.backup.fit.Requirements`), ``tools``.
    :raises CouldNotTell: no fitting server programs, or too little room.
    """
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
    sweep(into, PREFIX)
    path = Path(tempfile.mkdtemp(prefix=PREFIX, dir=into))
    with claimed(path):
        try:
            path.chmod(0o711 if user else 0o700)
            _check_way(path, user)
            yield path
        finally:
            remove(path)


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
