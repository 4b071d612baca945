"""What the repository knows about getting a target back: the newest backup, the last proof."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from dbops.config import Target
from dbops.errors import ConfigError, DbopsError
from dbops.model.backup import Verdict
from dbops.model.finding import Missing
from dbops.model.health import Protection
from dbops.model.repository import Event, Manifest
from dbops.operations.workspace import Workspace

__all__ = ["Stored", "protection", "stored"]


class Stored(msgspec.Struct, frozen=True):
    """One target in its repository."""

    manifests: tuple[Manifest, ...]
    proofs: tuple[Event, ...]
    unreadable: int


def stored(ws: Workspace, target: Target) -> Stored | Missing:
    """Read the catalogue and the proofs. Missing says ``not_configured``, or why the repository gave no answer."""
    try:
        config = ws.repository_config(target)
    except ConfigError as error:
        return Missing("not_configured", error.message)
    try:
        repository = ws.repository(config)
        catalogue = repository.catalogue(target.name)
        proofs = repository.events(target.name, kind="proof")
    except DbopsError as error:
        return Missing(error.reason or "not_reachable", error.message)
    return Stored(catalogue.manifests, proofs, len(catalogue.unreadable))


def protection(found: Stored | Missing, incarnation: str | Missing) -> Protection | Missing:
    """Pure: what counts for this very server. Backups of an earlier incarnation (the server was made anew) do not, nor
    do proofs of backups that are gone: retention keeps the last one that was verified."""
    if isinstance(found, Missing):
        return found
    own = {one.id: one for one in found.manifests if not isinstance(incarnation, str) or one.incarnation == incarnation}
    backup = max(own.values(), key=lambda one: one.finished_at, default=None)
    proofs = [one for one in found.proofs if one.backup in own]
    proof = _newest([one for one in proofs if one.verdict is Verdict.VERIFIED])
    attempt = _newest(proofs)
    return Protection(
        backup_at=backup.finished_at if backup else None,
        backup=backup.id if backup else "",
        proof_at=proof.at if proof else None,
        proof=proof.backup if proof else "",
        attempt=attempt.verdict.value if attempt and attempt.verdict else "",
        attempt_at=attempt.at if attempt else None,
        unreadable=found.unreadable,
    )


def _newest(events: Sequence[Event]) -> Event | None:
    return max(events, key=lambda one: one.at, default=None)
