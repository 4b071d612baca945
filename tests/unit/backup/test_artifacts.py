"""What a restore reads back of a stored backup."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

from dbops.backup.artifacts import extra, has, source
from dbops.errors import InputError
from dbops.model.backup import Artifact, BackupRecord
from dbops.plan import FromRepository

Make = Callable[..., BackupRecord]


class Contents(msgspec.Struct, frozen=True):
    """As a backend has them."""

    databases: tuple[str, ...]


def test_an_artifact_is_read_by_the_digest_of_the_manifest(make_record: Make) -> None:
    stored = tuple(Artifact(name=name, bytes=2, stored_bytes=1, sha256=f"of {name}") for name in ("a.sql", "b.sql"))
    record = make_record(0, "b-1", artifacts=stored)
    assert (has(record, "b.sql"), has(record, "c.sql")) == (True, False)
    wanted = FromRepository(repository="main", backup="b-1", artifact="b.sql", sha256="of b.sql")
    assert source(record, "main", "b.sql") == wanted
    with pytest.raises(InputError) as caught:
        source(record, "main", "c.sql")
    assert caught.value.message == "the backup b-1 does not hold c.sql"
    assert caught.value.hint == "Choose another backup."


def test_what_a_backend_wrote_is_read_by_it_again(make_record: Make) -> None:
    assert extra(make_record(0, extra={"databases": ["shop"]}), Contents) == Contents(("shop",))
    with pytest.raises(InputError) as caught:
        extra(make_record(0, "b-1", extra={"databases": "shop"}), Contents)
    assert caught.value.message.startswith("the manifest of b-1 does not say what a restore needs to know: Expected")
    assert caught.value.hint == "RESTORE.md beside the backup tells how to restore it by hand."
