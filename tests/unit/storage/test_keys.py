"""Which names a store accepts."""

from __future__ import annotations

from pathlib import Path

import pytest

from dbops.errors import ConfigError, InputError
from dbops.storage.base import checked_key
from dbops.storage.by_url import open_storage
from dbops.storage.local import LocalStorage


@pytest.mark.parametrize(
    "key",
    ["", "/etc/passwd", "a/../b", "..", ".", "a//b", "a/", ".hidden", "a/.b", "a\\b", "a\0b", "a\nb", "x" * 241],
)
def test_a_hostile_key_is_refused(key: str) -> None:
    with pytest.raises(InputError, match="cannot be the name of a stored object"):
        checked_key(key)


@pytest.mark.parametrize("key", ["format", "shop/7300/backups/b-1/dump-%2E%2E/vol-0000", "ü/ %/x.y"])
def test_an_ordinary_key_is_kept(key: str) -> None:
    assert checked_key(key) == key


@pytest.mark.parametrize("method", ["upload", "open", "get", "stat", "delete"])
def test_no_method_of_a_directory_leaves_it(tmp_path: Path, method: str) -> None:
    (tmp_path / "secret").write_text("x")
    with pytest.raises(InputError):
        getattr(LocalStorage(tmp_path / "repo"), method)("../secret")
    assert (tmp_path / "secret").exists()


def test_a_url_names_a_directory() -> None:
    assert open_storage("file:///var/lib/db%20ops").url == "file:///var/lib/db%20ops"
    assert open_storage("/var/lib/dbops").url == "file:///var/lib/dbops"


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("ftp://host/x", "cannot be opened at a ftp:// URL"),
        ("relative/path", "the repository path relative/path is relative"),
        ("file://host/share", "cannot be opened"),
    ],
)
def test_other_urls_are_refused(url: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        open_storage(url)
