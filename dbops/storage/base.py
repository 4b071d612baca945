"""What a repository asks of a store: small, and possible on a directory as well as on an object store.

Keys are relative paths of ``/``-separated segments. A key is written once, whole, and never changed: every write is
"create if absent" and becomes visible at its end, all at once. That is all that leases, manifests and volumes need.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Protocol

import msgspec

from dbops.errors import InputError, StorageFailed
from dbops.model.finding import Missing
from dbops.spi import Readable

__all__ = ["NoSuchObject", "ObjectExists", "Stat", "Storage", "Unfinished", "Upload", "checked_key"]


class ObjectExists(StorageFailed):
    """The key is taken; nothing was changed."""


class NoSuchObject(StorageFailed):
    """Nothing is stored under the key."""


class Stat(msgspec.Struct, frozen=True, kw_only=True):
    """A stored object. ``modified_at`` is by the store's clock."""

    key: str
    size: int
    modified_at: datetime


class Unfinished(msgspec.Struct, frozen=True, kw_only=True):
    """An upload that nobody committed or aborted. ``token`` is the store's own handle of it."""

    key: str
    token: str
    size: int
    modified_at: datetime


class Upload(Protocol):
    """An object on its way. Not visible before ``commit``; ``abort`` is harmless at any time, also afterwards."""

    def write(self, block: bytes, /) -> None:
        """Append. :raises StorageFailed: no space, no right, an I/O error."""
        ...

    def commit(self) -> None:
        """Make it durable, then visible. :raises ObjectExists: another one was there first; ours is gone."""
        ...

    def abort(self) -> None:
        """Leave nothing behind of an upload that was not committed."""
        ...


class Storage(Protocol):
    """A store of immutable objects. Every method raises StorageFailed, NotPermitted, Unreachable or ConfigError."""

    url: str

    def upload(self, key: str) -> Upload:
        """Begin an object of any size."""
        ...

    def create(self, key: str, data: bytes) -> None:
        """A small object at once. :raises ObjectExists: atomic among all writers of the store."""
        ...

    def open(self, key: str, offset: int = 0, length: int | None = None) -> Readable:
        """Its bytes, from ``offset`` on. :raises NoSuchObject:"""
        ...

    def get(self, key: str) -> bytes:
        """All bytes of a small object (at most 64 MiB). :raises NoSuchObject:"""
        ...

    def stat(self, key: str) -> Stat:
        """:raises NoSuchObject:"""
        ...

    def list(self, prefix: str) -> Iterator[Stat]:
        """Every object below the folder ``prefix`` (``""``: all), by key. Nothing there: an empty iterator."""
        ...

    def folders(self, prefix: str) -> tuple[str, ...]:
        """Names of the folders directly below the folder ``prefix``, sorted."""
        ...

    def delete(self, key: str) -> None:
        """Remove; an absent key is no error."""
        ...

    def unfinished(self, prefix: str) -> Iterator[Unfinished]:
        """Uploads below the folder ``prefix`` that were neither committed nor aborted, of any process."""
        ...

    def discard(self, upload: Unfinished) -> None:
        """Remove what an unfinished upload left; one that is gone is no error."""
        ...

    def free_bytes(self) -> int | Missing:
        """Room left, where the store has a limit."""
        ...


def checked_key(key: str) -> str:
    """The key itself when it is safe on every store.

    :raises InputError: empty, absolute, with ``.`` or ``..`` or a hidden segment, a backslash or a control character.
    """
    segments = key.split("/")
    hostile = "\\" in key or any(ord(character) < 32 or ord(character) == 127 for character in key)
    if hostile or any(not segment or segment.startswith(".") or len(segment) > 240 for segment in segments):
        raise InputError(
            f"{key!r} cannot be the name of a stored object",
            hint="Names are relative, of segments that do not start with a dot and are at most 240 characters long.",
        )
    return key
