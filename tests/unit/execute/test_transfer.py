"""Bytes from a source into a sink: all of them, or an error that names the right end."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from dbops.errors import DestinationExists, OutputError, StorageFailed, ToolFailed, Unsupported, UsageError
from dbops.execute import Outcome
from dbops.plan import (
    Filter,
    FromRepository,
    FromServer,
    Ref,
    Risk,
    Sink,
    Source,
    ToDirectory,
    ToFile,
    ToNowhere,
    ToRepository,
    Transfer,
)
from dbops.spi import Member, Readable

if TYPE_CHECKING:
    from tests.unit.execute.conftest import Rig

SERVER = FromServer(stream="dump")
STORED = FromRepository(repository="main", backup="b-1", artifact="base", sha256="x")


class Stream:
    """A few blocks, and then an error perhaps."""

    def __init__(self, *blocks: bytes | BaseException) -> None:
        self._blocks = list(blocks)
        self.closed = False

    def read(self, n: int, /) -> bytes:
        if not self._blocks:
            return b""
        block = self._blocks.pop(0)
        if isinstance(block, BaseException):
            raise block
        return block

    def close(self) -> None:
        self.closed = True


def move(rig: Rig, sink: Sink, *streams: Readable, source: Source = SERVER) -> Outcome:
    def opened(arguments: Mapping[str, object]) -> Iterator[Member]:
        try:
            for number, stream in enumerate(streams):
                yield Member(f"part{number}", stream, {f"part{number}:seen": True})
        finally:
            rig.backend.events.append("source closed")

    rig.backend.streams["dump"] = opened
    return rig.run(Transfer(id="t", summary="dump shop", risk=Risk.READ, source=source, sink=sink))


def archive(**files: bytes) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, content in files.items():
            info = tarfile.TarInfo(name.replace("__", "/"))
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


# Into a repository


def test_each_member_is_stored_under_its_name_and_counted(rig: Rig) -> None:
    outcome = move(
        rig,
        ToRepository(repository="main", backup="b-1", artifact=""),
        Stream(b"abc", b"def"),
        Stream(b"xy"),
    )
    assert rig.shelf.kept == {"part0": b"abcdef", "part1": b"xy"}
    assert outcome.outputs["t"] == {
        "bytes": 8,
        "part0:bytes": 6,
        "part0:sha256": "digest of part0",
        "part0:seen": True,
        "part1:bytes": 2,
        "part1:sha256": "digest of part1",
        "part1:seen": True,
    }
    assert rig.moved == [("dump shop", n) for n in (3, 6, 6, 2, 2)]


def test_a_name_that_is_given_wins(rig: Rig) -> None:
    move(rig, ToRepository(repository="main", backup="b-1", artifact="shop"), Stream(b"abc"))
    assert rig.shelf.kept == {"shop": b"abc"}


def test_without_a_repository_it_is_said(rig: Rig) -> None:
    rig.context.repositories = None
    for source in (SERVER, STORED):
        outcome = move(rig, ToRepository(repository="m", backup="b", artifact="a"), Stream(b"a"), source=source)
        assert isinstance(outcome.error, UsageError)
        assert outcome.error.message == "this run has no repository"


# From a repository


def test_a_stored_artifact_into_a_new_file(rig: Rig) -> None:
    rig.shelf.kept["base"] = b"x" * 3_000_000
    path = rig.directory / "base"
    outcome = move(rig, ToFile(path=str(path)), source=STORED)
    assert path.read_bytes() == rig.shelf.kept["base"]
    assert path.stat().st_mode & 0o777 == 0o600
    assert outcome.outputs["t"] == {"bytes": 3_000_000}


def test_the_place_may_come_from_an_earlier_step(rig: Rig) -> None:
    rig.shelf.kept["base"] = archive(PG_VERSION=b"17\n")
    rig.backend.calls["make"] = lambda arguments, runtime: {"path": str(rig.directory / "data")}
    step = Transfer(
        id="t", summary="unpack", risk=Risk.WRITE, source=STORED, sink=ToDirectory(path=Ref("make", "path"))
    )
    assert rig.run(rig.call("make"), step).done
    assert (rig.directory / "data" / "PG_VERSION").read_bytes() == b"17\n"


@pytest.mark.parametrize("name", ["../evil", "..", "/tmp/evil", "a/../../evil", "link/evil"])
@pytest.mark.parametrize("filters", [True, False], ids=["python", "old python"])
def test_an_archive_cannot_write_elsewhere(
    name: str, filters: bool, rig: Rig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not filters:
        monkeypatch.delattr(tarfile, "tar_filter", raising=False)
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        link = tarfile.TarInfo("link")
        link.type, link.linkname = tarfile.SYMTYPE, str(tmp_path)
        tar.addfile(link)
        tar.addfile(tarfile.TarInfo(name), io.BytesIO())
    rig.shelf.kept["base"] = buffer.getvalue()
    outcome = move(rig, ToDirectory(path=str(rig.directory / "data")), source=STORED)
    assert isinstance(outcome.error, StorageFailed)
    assert "does not belong below it" in outcome.error.message
    assert not list(tmp_path.rglob("evil"))


@pytest.mark.parametrize("kind", [tarfile.LNKTYPE, tarfile.SYMTYPE], ids=["hard link", "symbolic link"])
@pytest.mark.parametrize("filters", [True, False], ids=["python", "old python"])
def test_an_archive_cannot_write_through_a_link_of_its_own(
    kind: bytes, filters: bool, rig: Rig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not filters:
        monkeypatch.delattr(tarfile, "tar_filter", raising=False)
    precious = tmp_path / "precious"
    precious.write_bytes(b"mine")
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        link = tarfile.TarInfo("a")
        link.type, link.linkname = kind, str(precious) if kind == tarfile.SYMTYPE else "../precious"
        tar.addfile(link)
        file = tarfile.TarInfo("a")
        file.size = 5
        tar.addfile(file, io.BytesIO(b"yours"))
    rig.shelf.kept["base"] = buffer.getvalue()
    outcome = move(rig, ToDirectory(path=str(tmp_path / "data")), source=STORED)
    assert precious.read_bytes() == b"mine"
    assert isinstance(outcome.error, StorageFailed)
    assert "'a'" in outcome.error.message


def test_an_archive_cannot_make_a_device(rig: Rig, tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        pipe = tarfile.TarInfo("pipe")
        pipe.type = tarfile.FIFOTYPE
        tar.addfile(pipe)
    rig.shelf.kept["base"] = buffer.getvalue()
    outcome = move(rig, ToDirectory(path=str(tmp_path / "data")), source=STORED)
    assert isinstance(outcome.error, StorageFailed)
    assert "'pipe'" in outcome.error.message


def test_an_archive_may_begin_with_its_own_directory(rig: Rig) -> None:
    rig.shelf.kept["base"] = archive(**{".__PG_VERSION": b"17\n"})
    assert move(rig, ToDirectory(path=str(rig.directory / "data")), source=STORED).done
    assert (rig.directory / "data" / "PG_VERSION").read_bytes() == b"17\n"


# Into a file


def test_a_file_that_is_there_is_never_overwritten(rig: Rig) -> None:
    path = rig.directory / "there"
    path.write_text("mine")
    outcome = move(rig, ToFile(path=str(path)), Stream(b"abc"))
    assert isinstance(outcome.error, DestinationExists)
    assert outcome.error.message == f"{path} is there already"
    assert path.read_text() == "mine"


def test_a_file_that_cannot_be_made_is_said(rig: Rig) -> None:
    outcome = move(rig, ToFile(path=str(rig.directory / "none" / "x")), Stream(b"abc"))
    assert isinstance(outcome.error, OutputError)
    assert "No such file or directory" in outcome.error.message


@pytest.mark.parametrize(
    ("problem", "kind", "message"),
    [
        (ToolFailed("pg_dump was killed by SIGKILL"), ToolFailed, "pg_dump was killed by SIGKILL"),
        (
            ConnectionResetError(104, "Connection reset"),
            StorageFailed,
            "dump shop: the source failed: Connection reset",
        ),
    ],
)
def test_a_source_that_fails_leaves_no_file_and_is_named(
    rig: Rig, problem: Exception, kind: type[Exception], message: str
) -> None:
    path, stream = rig.directory / "new", Stream(b"abc", problem)
    outcome = move(rig, ToFile(path=str(path)), stream)
    assert isinstance(outcome.error, kind)
    assert outcome.error.message == message
    assert not path.exists()
    assert stream.closed
    assert rig.events[-1] == "source closed"


def test_a_full_disk_is_the_sink_s_failure(rig: Rig) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("there is no /dev/full here")
    path = rig.directory / "full"
    path.symlink_to("/dev/full")
    outcome = move(rig, ToDirectory(path=str(path)), Stream(b"abc"))
    assert isinstance(outcome.error, OutputError)


# Into a directory


def test_an_archive_is_unpacked(rig: Rig) -> None:
    path = rig.directory / "deep" / "data"
    outcome = move(rig, ToDirectory(path=str(path)), Stream(archive(PG_VERSION=b"17\n", base__1__x=b"abc")))
    assert outcome.done
    assert (path / "PG_VERSION").read_bytes() == b"17\n"
    assert (path / "base" / "1" / "x").read_bytes() == b"abc"
    assert path.stat().st_mode & 0o777 == 0o700


def test_a_directory_that_holds_something_is_refused(rig: Rig) -> None:
    (rig.directory / "data").mkdir()
    (rig.directory / "data" / "mine").touch()
    outcome = move(rig, ToDirectory(path=str(rig.directory / "data")), Stream(archive(a=b"b")))
    assert isinstance(outcome.error, DestinationExists)
    assert "is not empty" in outcome.error.message
    assert "not there yet" in outcome.error.hint


def test_an_empty_directory_is_taken(rig: Rig) -> None:
    (rig.directory / "data").mkdir()
    assert move(rig, ToDirectory(path=str(rig.directory / "data")), Stream(archive(a=b"b"))).done


@pytest.mark.parametrize("content", [b"this is no archive" * 100, archive(a=b"b" * 2000)[:1500]])
def test_what_is_no_whole_archive_is_said(rig: Rig, content: bytes) -> None:
    outcome = move(rig, ToDirectory(path=str(rig.directory / "data")), Stream(content))
    assert isinstance(outcome.error, StorageFailed)
    assert "the archive cannot be unpacked" in outcome.error.message


def test_nothing_is_written_outside_of_the_directory(rig: Rig) -> None:
    outcome = move(rig, ToDirectory(path=str(rig.directory / "data")), Stream(archive(**{"..__evil": b"x"})))
    assert isinstance(outcome.error, StorageFailed)
    assert not (rig.directory / "evil").exists()


def test_what_follows_the_archive_is_read_too(rig: Rig) -> None:
    stream = Stream(archive(a=b"b"), b"\0" * 100, StorageFailed("the digest differs"))
    outcome = move(rig, ToDirectory(path=str(rig.directory / "data")), stream)
    assert outcome.error is not None
    assert outcome.error.message == "the digest differs"


# Nowhere


def test_reading_alone_finds_a_damaged_end(rig: Rig) -> None:
    assert move(rig, ToNowhere(), Stream(b"abc")).outputs["t"]["bytes"] == 3
    outcome = move(rig, ToNowhere(), Stream(b"abc", StorageFailed("the digest differs")))
    assert isinstance(outcome.error, StorageFailed)


def test_filters_that_nobody_would_apply_are_refused(rig: Rig) -> None:
    step = Transfer(
        id="t", summary="copy", risk=Risk.READ, source=STORED, sink=ToNowhere(), filters=(Filter(name="zstd"),)
    )
    outcome = rig.run(step)
    assert isinstance(outcome.error, Unsupported)
    assert outcome.error.message == "copy: filters are only applied on the way into a repository"
