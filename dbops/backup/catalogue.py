"""Backups as users see them: each manifest with what happened to it since (pins, proofs)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from dbops.model.backup import BackupRecord, Proof, Verdict, VerifyLevel
from dbops.model.repository import Event, Manifest, record
from dbops.plan import Json

__all__ = ["entry", "records"]


def records(manifests: Iterable[Manifest], events: Iterable[Event], location: str) -> tuple[BackupRecord, ...]:
    """Every backup, oldest first.

    :param location: the repository's name or URL.
    """
    by_backup: dict[str, list[Event]] = defaultdict(list)
    for event in sorted(events, key=lambda one: (one.at, one.id)):
        by_backup[event.backup].append(event)
    found = [entry(one, by_backup[one.id], location) for one in manifests]
    return tuple(sorted(found, key=lambda one: (one.started_at, one.id)))


def entry(manifest: Manifest, events: Sequence[Event], location: str) -> BackupRecord:
    """One backup. ``events`` are its own, oldest first; an unpin takes back every pin before it."""
    pins = [event.kind for event in events if event.kind in ("pin", "unpin")]
    proofs = [_proof(event) for event in events if event.kind == "proof" and event.verdict is not None]
    # An attempt that could not tell says nothing about the backup: the last answer stands.
    answers = [proof for proof in proofs if proof.verdict is not Verdict.COULD_NOT_VERIFY]
    proven = [one for one in proofs if one.verdict is Verdict.VERIFIED and one.level != "checksum"]
    return msgspec.structs.replace(
        record(manifest, location),
        pinned=bool(pins) and pins[-1] == "pin",
        proof=_last(answers) or _last(proofs),
        proven=_last(proven),
    )


def _last(proofs: Sequence[Proof]) -> Proof | None:
    return proofs[-1] if proofs else None


def _proof(event: Event) -> Proof:
    return Proof(
        at=event.at, verdict=event.verdict or Verdict.COULD_NOT_VERIFY, level=_level(event.evidence), event=event.id
    )


def _level(evidence: Mapping[str, Json]) -> VerifyLevel:
    match evidence.get("level"):
        case "full":
            return "full"
        case "restore":
            return "restore"
        case _:
            return "checksum"
