"""Which servers there are, and whether they answer."""

from __future__ import annotations

from collections.abc import Sequence

from dbops.config import Target
from dbops.errors import DbopsError
from dbops.model.job import Failure
from dbops.model.target import Listed, Reached, ReachedTargets, Targets
from dbops.operations.side_by_side import side_by_side
from dbops.operations.workspace import Workspace

__all__ = ["chosen", "listed", "reach"]


def listed(ws: Workspace) -> Targets:
    """Every configured target; nothing is connected to."""
    return Targets(targets=tuple(_listed(target) for target in ws.config.targets.values()))


def chosen(ws: Workspace, words: Sequence[str]) -> tuple[Target, ...]:
    """Targets by name, URL, ``all`` or ``label:key=value``; no words mean every configured one.

    :raises UsageError, ConfigError: a word that fits nothing.
    """
    return ws.config.select(list(words) or "all", ws.secrets.literal)


def reach(ws: Workspace, targets: Sequence[Target], *, jobs: int = 8, timeout_s: float | None = None) -> ReachedTargets:
    """Log in to every target and ask what it is, ``jobs`` of them at a time."""
    found = tuple(side_by_side(lambda target: _reach(ws, target, timeout_s), targets, jobs))
    return ReachedTargets(code=max((one.code for one in found), default=0), targets=found)


def _listed(target: Target) -> Listed:
    password = target.endpoint.password
    return Listed(
        name=target.name,
        engine=target.endpoint.engine,
        address=str(target.endpoint),
        labels=target.labels,
        repository=target.repository or "",
        password=password.ref if password is not None else "",
    )


def _reach(ws: Workspace, target: Target, timeout_s: float | None) -> Reached:
    began, address = ws.now(), str(target.endpoint)
    try:
        with ws.open(target, timeout_s=timeout_s) as opened:
            server = opened.server
    except DbopsError as error:
        failure = Failure.of(error)
        seconds = (ws.now() - began).total_seconds()
        return Reached(target=target.name, address=address, code=error.code, seconds=seconds, error=failure)
    return Reached(
        target=target.name,
        address=address,
        code=0,
        seconds=(ws.now() - began).total_seconds(),
        version=f"{opened.backend.label} {server.version_text}",
        role=server.role,
        user=server.user,
        superuser=server.superuser,
        incarnation=server.incarnation,
    )
