"""A file system without hard links (FAT, some network file systems) keeps the promise never to overwrite."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from dbops.errors import StorageFailed
from dbops.storage.base import ObjectExists
from dbops.storage.local import LocalStorage


def refusing(number: int) -> object:
    def link(source: Path, target: Path) -> None:
        raise OSError(number, os.strerror(number))

    return link


@pytest.fixture(params=[errno.EPERM, errno.EOPNOTSUPP])
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> LocalStorage:
    monkeypatch.setattr(os, "link", refusing(request.param))
    return LocalStorage(tmp_path)


def test_an_object_is_published(store: LocalStorage) -> None:
    store.create("a/b", b"x")
    assert store.get("a/b") == b"x"
    assert [path.name for path in (store.root / "a").iterdir()] == ["b"]


def test_nothing_is_overwritten(store: LocalStorage) -> None:
    store.create("a", b"first")
    with pytest.raises(ObjectExists, match="a is there already"):
        store.create("a", b"second")
    assert store.get("a") == b"first"
    assert [path.name for path in store.root.iterdir()] == ["a"]


def test_an_error_of_the_disk_while_publishing_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "link", refusing(errno.EIO))
    with pytest.raises(StorageFailed, match="failed while writing a: Input/output error"):
        LocalStorage(tmp_path).create("a", b"x")
    assert list(tmp_path.iterdir()) == []


def test_an_error_of_the_disk_while_flushing_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fsync(descriptor: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(StorageFailed, match="failed while writing a: Input/output error"):
        LocalStorage(tmp_path).create("a", b"x")
    assert list(tmp_path.iterdir()) == []
