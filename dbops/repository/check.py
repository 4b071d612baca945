"""Comparing what is stored with what its manifest says. No key is needed for that; what cannot be read is no pass."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from functools import partial
from typing import Literal

from dbops.errors import Damaged, DbopsError, InputError
from dbops.model.backup import Verdict
from dbops.model.repository import Artifact, BackupCheck, Content, Manifest, ObjectCheck
from dbops.repository.catalogue import read_manifest
from dbops.repository.layout import Place
from dbops.spi import Readable
from dbops.storage.base import NoSuchObject, Storage
from dbops.stream.crew import BLOCK
from dbops.stream.decode import differs
from dbops.stream.tally import Tally

__all__ = ["Checked", "check"]

Level = Literal["checksum", "content"]
Checked = Callable[[int, int], None]
"""``(bytes compared so far, bytes in all)``."""


def check(
    storage: Storage,
    manifest: Manifest,
    level: Level,
    decode: Callable[[Artifact], Readable],
    progress: Checked | None = None,
) -> BackupCheck:
    """Every object of the backup. ``content`` also decrypts and decompresses, and compares the clear bytes."""
    place = Place(manifest.target, manifest.incarnation, manifest.id)
    meter = _Meter(manifest.stored_bytes, progress)
    found = [_judged("manifest", 0, partial(_manifest, storage, place, manifest))]
    for document in manifest.documents:
        content = Content(size=document.size, sha256=document.sha256)
        key = place.artifact(document.name)
        found.append(_judged(document.name, document.size, partial(_object, storage, key, content, meter)))
    for artifact in manifest.artifacts:
        found.append(_judged(artifact.name, artifact.stored.size, partial(_stored, storage, place, artifact, meter)))
        if level == "content" and found[-1].verdict is Verdict.VERIFIED:
            found[-1] = _judged(artifact.name, artifact.clear.size, partial(_clear, decode, artifact))
    return BackupCheck(backup=manifest.id, level=level, verdict=_worst(found), objects=tuple(found))


class _Meter:
    def __init__(self, total: int, progress: Checked | None) -> None:
        self._done, self._total, self._progress = 0, total, progress

    def add(self, count: int) -> None:
        self._done += count
        if self._progress:
            self._progress(self._done, self._total)


def _judged(name: str, size: int, compare: Callable[[], str]) -> ObjectCheck:
    """``compare`` returns how the object differs, empty when it does not."""
    try:
        detail = compare()
    except (Damaged, NoSuchObject, InputError) as error:
        detail = error.message
    except (DbopsError, OSError) as error:
        reason = error.message if isinstance(error, DbopsError) else str(error)
        return ObjectCheck(name=name, verdict=Verdict.COULD_NOT_VERIFY, bytes=0, detail=reason)
    verdict = Verdict.FAILED if detail else Verdict.VERIFIED
    return ObjectCheck(name=name, verdict=verdict, bytes=size, detail=detail)


def _manifest(storage: Storage, place: Place, manifest: Manifest) -> str:
    stored = read_manifest(storage, place)
    return "" if stored.digest == manifest.digest else "the stored manifest is not the one that is being checked"


def _stored(storage: Storage, place: Place, artifact: Artifact, meter: _Meter) -> str:
    folder = place.artifact(artifact.name)
    for volume in artifact.volumes:
        content = Content(size=volume.size, sha256=volume.sha256)
        difference = _object(storage, f"{folder}/{volume.name}", content, meter)
        if difference:
            return difference
    known = {f"{folder}/{volume.name}" for volume in artifact.volumes}
    strange = [one.key for one in storage.list(folder) if one.key not in known]
    return f"{strange[0]} is not in the manifest" if strange else ""


def _object(storage: Storage, key: str, expected: Content, meter: _Meter) -> str:
    tally = Tally()
    with closing(storage.open(key)) as source:
        while block := source.read(BLOCK):
            tally.add(block)
            meter.add(len(block))
    difference = differs(tally.content(), expected)
    return f"{key} is damaged: {difference}" if difference else ""


def _clear(decode: Callable[[Artifact], Readable], artifact: Artifact) -> str:
    with closing(decode(artifact)) as source:
        while source.read(BLOCK):
            pass
    return ""


def _worst(found: list[ObjectCheck]) -> Verdict:
    for verdict in (Verdict.FAILED, Verdict.COULD_NOT_VERIFY):
        if any(one.verdict is verdict for one in found):
            return verdict
    return Verdict.VERIFIED
