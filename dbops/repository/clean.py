"""Taking away what is no backup: uploads whose run is dead, and what a deletion cut short left."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta

from dbops.errors import Damaged, InputError
from dbops.model.repository import Begun, Cleaned
from dbops.repository.catalogue import homes, places
from dbops.repository.layout import CANARY, EVENTS, LEASES, Place
from dbops.repository.lease import Leases
from dbops.repository.sealed import unseal
from dbops.storage.base import NoSuchObject, Storage

__all__ = ["BEGUN_SCHEMA", "clean", "empty_folder"]

BEGUN_SCHEMA = "dbops.begun/1"
YOUNG = timedelta(hours=1)
"""How long we leave what may be the first moment of a new backup, or a live one whose mark cannot be read."""


def clean(storage: Storage, leases: Leases, now: datetime) -> Cleaned:
    """Remove every backup folder without a manifest and without a live lease. A damaged manifest is a manifest."""
    removed: list[str] = []
    in_progress: list[Begun] = []
    freed = 0
    for place in list(places(storage)):
        if _published(storage, place):
            continue
        mark = _mark(storage, place)
        if mark is not None and leases.live(mark.lease, mark.fence):
            in_progress.append(mark)
        elif mark is not None or not _young(storage, place, now):
            keys, size = empty_folder(storage, place)
            removed += keys
            freed += size
    _sweep(storage, now)
    return Cleaned(removed=tuple(removed), bytes=freed, in_progress=tuple(in_progress))


def empty_folder(storage: Storage, place: Place) -> tuple[list[str], int]:
    """Remove all of a backup. The manifest goes first: cut short at any point, what is left is no backup."""
    storage.delete(place.manifest)
    keys: list[str] = []
    size = 0
    for one in sorted(storage.list(place.folder), key=lambda one: one.key == place.begun):
        storage.delete(one.key)
        keys.append(one.key)
        size += one.size
    for upload in list(storage.unfinished(place.folder)):
        storage.discard(upload)
        keys.append(upload.key)
        size += upload.size
    return keys, size


def _published(storage: Storage, place: Place) -> bool:
    with suppress(NoSuchObject):
        return storage.stat(place.manifest).size > 0
    return False


def _mark(storage: Storage, place: Place) -> Begun | None:
    with suppress(NoSuchObject, Damaged, InputError):
        return unseal(storage.get(place.begun), Begun, BEGUN_SCHEMA, place.begun)[0]
    return None


def _young(storage: Storage, place: Place, now: datetime) -> bool:
    """Without a readable mark: a backup that is just being begun, not the rest of a deletion."""
    stored = list(storage.list(place.folder))
    if stored and all(one.key != place.begun for one in stored):
        return False
    moments = [one.modified_at for one in stored] + [one.modified_at for one in storage.unfinished(place.folder)]
    return any(now - moment < YOUNG for moment in moments)


def _sweep(storage: Storage, now: datetime) -> None:
    """What processes left that died while they wrote something small."""
    for song in list(storage.list(CANARY)):
        if now - song.modified_at > YOUNG:
            storage.delete(song.key)
    for folder in (CANARY, LEASES, *(f"{home.home}/{EVENTS}" for home in homes(storage))):
        for upload in list(storage.unfinished(folder)):
            if now - upload.modified_at > YOUNG:
                storage.discard(upload)
