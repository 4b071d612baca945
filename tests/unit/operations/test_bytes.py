"""The repository as execution sees it: the very bytes that a plan names, and no other operation."""

from __future__ import annotations

import io
from types import SimpleNamespace
from typing import cast

import pytest

from dbops.errors import InputError, UsageError
from dbops.operations.bytes import RepositoryBytes, repository_calls
from dbops.plan import FromRepository, ToRepository
from dbops.repository.repository import BackupWriter, Repository
from dbops.spi import Readable

SHA = "a" * 64


class Store:
    """Remembers what it was asked for."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, str, str]] = []

    def manifest(self, backup: str) -> SimpleNamespace:
        content = SimpleNamespace(sha256=SHA)
        return SimpleNamespace(digest="d", artifacts=[SimpleNamespace(name="base", clear=content)])

    def open(self, manifest: object, artifact: str) -> io.BytesIO:
        return io.BytesIO(artifact.encode())

    def delete(self, backup: str, *, by: str, reason: str) -> None:
        self.asked.append(("delete", backup, by, reason))

    def pin(self, backup: str, *, by: str, reason: str) -> None:
        self.asked.append(("pin", backup, by, reason))

    def unpin(self, backup: str, *, by: str, reason: str) -> None:
        self.asked.append(("unpin", backup, by, reason))


class Writer:
    """Takes a stream whole."""

    def write(self, name: str, stream: Readable) -> SimpleNamespace:
        size = len(stream.read(1000))
        sizes = SimpleNamespace(size=size, sha256=SHA)
        return SimpleNamespace(clear=sizes, stored=SimpleNamespace(size=1))


@pytest.fixture
def store() -> Store:
    return Store()


def source(artifact: str = "base", sha256: str = SHA) -> FromRepository:
    return FromRepository(repository="main", backup="b-1", artifact=artifact, sha256=sha256)


def bytes_of(store: Store) -> RepositoryBytes:
    return RepositoryBytes(lambda name: cast(Repository, store), {"b-1": cast(BackupWriter, Writer())})


def test_the_artifact_that_the_plan_names(store: Store) -> None:
    assert bytes_of(store).read(source()).read(100) == b"base"


@pytest.mark.parametrize("other", [source(artifact="none"), source(sha256="b" * 64)])
def test_another_artifact_than_planned_is_refused(store: Store, other: FromRepository) -> None:
    with pytest.raises(InputError, match=r"does not hold .* as the plan describes it") as caught:
        bytes_of(store).read(other)
    assert caught.value.hint == "Make the plan again."


def test_what_is_stored_is_told(store: Store) -> None:
    sink = ToRepository(repository="main", backup="b-1", artifact="base")
    told = bytes_of(store).write(sink, "base", cast(Readable, io.BytesIO(b"abc")))
    assert told == {"bytes": 3, "stored_bytes": 1, "sha256": SHA}


def test_a_backup_that_nobody_is_writing_is_refused(store: Store) -> None:
    sink = ToRepository(repository="main", backup="b-2", artifact="base")
    with pytest.raises(UsageError, match="the backup b-2 is not being written in this run"):
        bytes_of(store).write(sink, "base", cast(Readable, io.BytesIO(b"abc")))


@pytest.mark.parametrize("operation", ["delete", "pin", "unpin"])
def test_operations(store: Store, operation: str) -> None:
    call = repository_calls(lambda name: cast(Repository, store))
    arguments = {"repository": "main", "backup": "b-1", "by": "me", "reason": "old", "digest": "d"}
    assert call(operation, arguments) == {"backup": "b-1"}
    assert store.asked == [(operation, "b-1", "me", "old")]


def test_a_manifest_that_changed_is_refused(store: Store) -> None:
    call = repository_calls(lambda name: cast(Repository, store))
    with pytest.raises(InputError, match="the manifest of b-1 is not the one that the plan names"):
        call("delete", {"repository": "main", "backup": "b-1", "digest": "other"})
    assert store.asked == []


def test_an_unknown_operation_is_refused(store: Store) -> None:
    call = repository_calls(lambda name: cast(Repository, store))
    with pytest.raises(UsageError, match="a repository has no operation 'format'"):
        call("format", {"repository": "main", "backup": "b-1"})
