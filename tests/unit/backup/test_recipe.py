"""What every RESTORE.md says."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from dbops.backup.recipe import block, head, stream
from dbops.model.backup import BackupJob
from dbops.model.server import Server

JOB = BackupJob(
    id="b-1", target="shop", repository="main", method="dump", started_at=datetime(2026, 1, 31, 3, tzinfo=UTC)
)
SEALED = msgspec.structs.replace(JOB, recipients=("age1one", "age1two"))
SERVER = Server(engine="x", version=(9, 7), version_text="9.7", role="primary", incarnation="1")


def test_the_head_says_what_it_is_and_what_is_needed() -> None:
    text = head(JOB, SERVER, "MySQL", ["cat", "zstd"])
    assert text[0] == "# How to restore b-1"
    assert "A dump of shop, MySQL 9.7, begun 2026-01-31T03:00:00+00:00." in text
    assert "dbops is not needed. These programs are: cat, zstd." in text
    assert "dbops is not needed." in head(JOB, SERVER, "MySQL")
    assert "key" not in "\n".join(text)


def test_an_encrypted_one_names_the_keys_that_open_it() -> None:
    text = head(SEALED, SERVER, "MySQL")
    assert "It is encrypted: put a private key that fits one of these into `key.txt`." in text
    assert text[-3:] == ["- `age1one`", "- `age1two`", ""]


def test_a_stream_is_put_together_by_public_tools() -> None:
    assert stream(JOB, "dump of it.sql") == "cat 'dump of it.sql'/vol-* | zstd -dc"
    assert stream(SEALED, "a.sql") == "cat a.sql/vol-* | age -d -i key.txt | zstd -dc"
    assert block("a", "b") == ["```sh", "a", "b", "```", ""]
