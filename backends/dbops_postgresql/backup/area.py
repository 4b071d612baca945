"""Where a proof runs: server programs that fit, and a private directory that goes away whatever happens."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path

import msgspec

from dbops.model.server import Endpoint
from dbops.own_server import temporary_directory
from dbops.plan import Value
from dbops.scratch import scratch_directory
from dbops.spi import Runtime
from dbops_postgresql.backup import fit
from dbops_postgresql.installation import reachable, server_user

__all__ = ["area"]


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
    need = int(str(arguments.get("need_bytes", 0)))
    with scratch_directory(into, need_bytes=need, user=user, host=runtime.host) as path:
        outputs: dict[str, Value] = {word: str(path / word) for word in str(arguments.get("files", "")).split()}
        bindir = reachable(installation, user).bindir
        yield {**outputs, "path": str(path), "bindir": str(bindir), "programs": installation.label}, None
