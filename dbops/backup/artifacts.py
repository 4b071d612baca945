"""What is read back of a stored backup, by the names of its artifacts and the facts of its manifest."""

from __future__ import annotations

from typing import TypeVar

import msgspec

from dbops.errors import InputError
from dbops.model.backup import BackupRecord
from dbops.plan import FromRepository

__all__ = ["extra", "has", "source"]

T = TypeVar("T")


def extra(record: BackupRecord, into: type[T]) -> T:
    """What a backend wrote into the manifest for its own restores.

    :raises InputError: the manifest was written by another backend, or by a newer one.
    """
    try:
        return msgspec.convert(record.extra, type=into)
    except msgspec.ValidationError as error:
        raise InputError(
            f"the manifest of {record.id} does not say what a restore needs to know: {error}",
            hint="RESTORE.md beside the backup tells how to restore it by hand.",
        ) from None


def has(record: BackupRecord, name: str) -> bool:
    """Whether the backup holds this artifact."""
    return any(one.name == name for one in record.artifacts)


def source(record: BackupRecord, repository: str, name: str) -> FromRepository:
    """One artifact, to be read.

    :raises InputError: the backup does not hold it.
    """
    for one in record.artifacts:
        if one.name == name:
            return FromRepository(repository=repository, backup=record.id, artifact=name, sha256=one.sha256)
    raise InputError(f"the backup {record.id} does not hold {name}", hint="Choose another backup.")
