"""The object ``format``: which layout this is, and what the store was found able to do when it was first used."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime

import msgspec

from dbops.errors import ConfigError, Damaged, InputError
from dbops.model.repository import RepositoryFormat, RepositoryProbe
from dbops.repository.layout import CANARY, FORMAT
from dbops.repository.sealed import seal, unseal
from dbops.storage.base import NoSuchObject, ObjectExists, Storage

__all__ = ["VERSION", "ensure_format", "probe", "read_format"]

VERSION = 1
SCHEMA = "dbops.repository/1"


class _Version(msgspec.Struct):
    version: int = 0


def read_format(storage: Storage) -> RepositoryFormat | None:
    """None: nothing was ever stored here.

    :raises InputError: a newer layout.
    :raises ConfigError: other people's files.
    """
    try:
        data = storage.get(FORMAT)
    except NoSuchObject:
        _refuse_foreign(storage)
        return None
    name = f"{storage.url}/{FORMAT}"
    _refuse_newer(data, name)
    return unseal(data, RepositoryFormat, SCHEMA, name)[0]


def ensure_format(storage: Storage, now: datetime, entropy: Callable[[int], bytes]) -> RepositoryFormat:
    """The format, written when this is the first use."""
    found = read_format(storage)
    if found is not None:
        return found
    made = RepositoryFormat(version=VERSION, created_at=now, create_if_absent=_canary(storage, entropy))
    try:
        storage.create(FORMAT, seal(made, SCHEMA)[0])
    except ObjectExists:
        return ensure_format(storage, now, entropy)
    return made


def probe(storage: Storage, entropy: Callable[[int], bytes]) -> RepositoryProbe:
    """Write, read back, and remove something small, for ``dbops doctor``; raises what a backup would meet."""
    found = read_format(storage)
    started = time.monotonic()
    create_if_absent = _canary(storage, entropy)
    return RepositoryProbe(
        url=storage.url,
        version=found.version if found else None,
        create_if_absent=create_if_absent,
        free_bytes=storage.free_bytes(),
        round_trip_s=time.monotonic() - started,
    )


def _canary(storage: Storage, entropy: Callable[[int], bytes]) -> bool:
    """Whether a second writer of a key is turned away."""
    key, song = f"{CANARY}/{entropy(8).hex()}", entropy(64)
    storage.create(key, song)
    try:
        if storage.get(key) != song:
            raise Damaged(
                f"{storage.url} gave back other bytes than were written", hint="Do not keep backups on this storage."
            )
        with suppress(ObjectExists):
            storage.create(key, song)
            return False
        return True
    finally:
        storage.delete(key)


def _refuse_newer(data: bytes, name: str) -> None:
    try:
        version = msgspec.json.decode(data, type=_Version).version
    except msgspec.DecodeError:
        return  # the seal tells
    if version > VERSION:
        raise InputError(
            f"{name} says version {version}; this version of dbops knows repositories up to version {VERSION}",
            hint="Use the version of dbops that made this repository, or a newer one. Nothing was changed.",
        )


def _refuse_foreign(storage: Storage) -> None:
    other = next((one.key for one in storage.list("") if one.key.partition("/")[0] != CANARY), None)
    if other is not None:
        raise ConfigError(
            f"{storage.url} is not a repository of dbops: it has no object `{FORMAT}`, and there is {other}",
            hint="Point the repository's url at an empty directory, or at one that is not there yet.",
        )
