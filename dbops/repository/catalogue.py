"""Reading what is there: backups by their manifests, and what happened to them by their events."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

import msgspec

from dbops.errors import Damaged, InputError, Locked
from dbops.model.repository import Catalogue, Event, EventKind, Manifest, Unreadable
from dbops.repository.layout import BACKUPS, CANARY, EVENTS, LEASES, Place, plain
from dbops.repository.sealed import seal, unseal
from dbops.storage.base import NoSuchObject, Storage

__all__ = [
    "add_event",
    "catalogue",
    "events",
    "find",
    "homes",
    "pinned",
    "places",
    "read_manifest",
    "refuse_needed",
    "write_manifest",
]

MANIFEST_SCHEMA = "dbops.manifest/1"
EVENT_SCHEMA = "dbops.event/1"


def places(storage: Storage, target: str | None = None) -> Iterator[Place]:
    """Every folder of a backup, finished or not."""
    for home in homes(storage, target):
        for backup_id in storage.folders(f"{home.home}/{BACKUPS}"):
            yield Place(home.target, home.incarnation, backup_id)


def catalogue(storage: Storage, target: str | None = None) -> Catalogue:
    """Every published backup. One that cannot be read hides no other."""
    manifests: list[Manifest] = []
    unreadable: list[Unreadable] = []
    for place in places(storage, target):
        try:
            with suppress(NoSuchObject):
                manifests.append(read_manifest(storage, place))
        except (Damaged, InputError) as error:
            bad = Unreadable(id=place.id, target=place.target, key=place.manifest, reason=error.message)
            unreadable.append(bad)
    return Catalogue(manifests=tuple(sorted(manifests, key=_age)), unreadable=tuple(unreadable))


def find(storage: Storage, backup_id: str) -> Place:
    """Where a published backup is.

    :raises InputError: no such backup.
    """
    for home in homes(storage):
        place = Place(home.target, home.incarnation, backup_id)
        with suppress(NoSuchObject):
            if storage.stat(place.manifest).size:
                return place
    raise InputError(f"there is no backup {backup_id} in {storage.url}", hint="`dbops backup list` shows the ids.")


def read_manifest(storage: Storage, place: Place) -> Manifest:
    """:raises NoSuchObject: not published.
    :raises Damaged: altered, or of another backup.
    :raises InputError: of a newer dbops."""
    name = f"the manifest {storage.url}/{place.manifest}"
    data = storage.get(place.manifest)
    if not data:  # a store without links shows it empty for a moment
        raise NoSuchObject(f"{name} is empty")
    manifest, digest = unseal(data, Manifest, MANIFEST_SCHEMA, name)
    if Place(manifest.target, manifest.incarnation, manifest.id) != place:
        raise Damaged(
            f"{name} describes another backup, {manifest.id} of {manifest.target}",
            hint="Somebody moved files inside the repository: move them back.",
        )
    return msgspec.structs.replace(manifest, digest=digest)


def write_manifest(storage: Storage, place: Place, manifest: Manifest) -> Manifest:
    """Publish. :raises ObjectExists: published before."""
    data, digest = seal(manifest, MANIFEST_SCHEMA, leave_out=("digest",))
    storage.create(place.manifest, data)
    return msgspec.structs.replace(manifest, digest=digest)


def add_event(storage: Storage, place: Place, event: Event) -> None:
    """Store an event beside the backups of the same incarnation."""
    storage.create(f"{place.home}/{EVENTS}/{event.id}", seal(event, EVENT_SCHEMA)[0])


def events(
    storage: Storage, target: str | None = None, backup_id: str | None = None, kind: EventKind | None = None
) -> tuple[Event, ...]:
    """What happened, oldest first.

    :raises Damaged: one of them was altered; a lost pin or proof is nothing to pass over.
    """
    found = [
        _event(storage, one.key)
        for home in homes(storage, target)
        for one in storage.list(f"{home.home}/{EVENTS}")
        if one.size
    ]
    wanted = (one for one in found if backup_id in (None, one.backup) and kind in (None, one.kind))
    return tuple(sorted(wanted, key=lambda one: (one.at, one.id)))


def pinned(history: tuple[Event, ...]) -> frozenset[str]:
    """The backups whose last word is a pin. ``history`` is oldest first."""
    state = {one.backup: one.kind == "pin" for one in history if one.kind in ("pin", "unpin")}
    return frozenset(backup for backup, held in state.items() if held)


def refuse_needed(storage: Storage, place: Place) -> None:
    """:raises Locked: the backup is pinned, or another one builds on it."""
    if place.id in pinned(events(storage, place.target, place.id)):
        raise Locked(f"the backup {place.id} is pinned", hint=f"`dbops backup unpin {place.id}` lets it go.")
    needed_by = [one.id for one in catalogue(storage, place.target).manifests if one.parent == place.id]
    if needed_by:
        raise Locked(f"the backup {place.id} is needed to restore {', '.join(needed_by)}", hint="Delete those first.")


def homes(storage: Storage, target: str | None = None) -> Iterator[Place]:
    """Every incarnation of every target, as a place without a backup."""
    for top in storage.folders(""):
        name = plain(top)
        if top not in (LEASES, CANARY) and target in (None, name):
            for incarnation in storage.folders(top):
                yield Place(name, plain(incarnation), "")


def _event(storage: Storage, key: str) -> Event:
    try:
        return unseal(storage.get(key), Event, EVENT_SCHEMA, f"the event {storage.url}/{key}")[0]
    except Damaged as error:
        hint = "Bring it back from a copy, or move it away: then the pin, proof or deletion that it recorded is lost."
        raise Damaged(error.message, hint=hint) from None


def _age(manifest: Manifest) -> tuple[object, ...]:
    return manifest.started_at, manifest.id
