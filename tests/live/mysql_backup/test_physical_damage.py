"""Copies that are not what they should be, stored and sealed like any other: a proof never calls one of them good."""

from __future__ import annotations

import io
import struct
import tarfile
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from dbops import Workspace
from dbops.model.backup import Verdict
from dbops.model.recovery import Verification
from dbops.operations import backup, verify
from dbops.plan import Value
from dbops.spi import Member
from dbops.testing.servers import ThrowawayServer
from dbops_mysql.doors import DOORS

PAGE = 8192
TABLE = "shop/orders.ibd"
LEAF = 5 * PAGE + 4000
MARIADB = pytest.mark.mysql(family="mariadb", newest=True)
MYSQL = pytest.mark.mysql(family="mysql", newest=True)
Change = Callable[[bytes], bytes]


class Bytes:
    """A stream of these bytes."""

    def __init__(self, content: bytes) -> None:
        self._file = io.BytesIO(content)

    def read(self, n: int, /) -> bytes:
        return self._file.read(n)

    def close(self) -> None:
        self._file.close()


def stored_as(
    monkeypatch: pytest.MonkeyPatch, word: str, change: Change, counted: dict[str, Value] | None = None
) -> None:
    """The stream ``word`` is stored changed; ``counted`` replaces what was counted in the one that the server gave."""
    door = DOORS.streams[word]

    def opened(*given: Any) -> Iterator[Member]:  # Any: as a door is called
        for member in door(*given):
            blocks = []
            while block := member.stream.read(1 << 20):
                blocks.append(block)
            member.stream.close()
            yield Member(member.name, Bytes(change(b"".join(blocks))), {**member.facts, **(counted or {})})

    monkeypatch.setitem(DOORS.streams, word, opened)


def proved(ws: Workspace) -> Verification:
    made = backup.run(ws, "shop", method="physical")
    return verify.verify(ws, made.backup.id, level="full")


def failures(proof: Verification) -> dict[str, str]:
    assert proof.verdict is Verdict.FAILED, [f"{one.verdict.value} {one.id}: {one.summary}" for one in proof.checks]
    return {check.id: check.summary for check in proof.checks if check.verdict is Verdict.FAILED}


# An xbstream in pieces: (path, offset or None at the end of a file, content)


def pieces(stream: bytes) -> Iterator[tuple[bytes, int | None, bytes]]:
    at = 0
    while at < len(stream):
        kind, length = stream[at + 9 : at + 10], struct.unpack_from("<I", stream, at + 10)[0]
        path = stream[at + 14 : at + 14 + length]
        at += 14 + length
        if kind == b"E":
            yield path, None, b""
            continue
        size, offset, _ = struct.unpack_from("<QQI", stream, at)
        at += 20
        yield path, offset, stream[at : at + size]
        at += size


def piece(path: bytes, offset: int | None, content: bytes, crc: int | None = None) -> bytes:
    head = b"XBSTCK01\0" + (b"E" if offset is None else b"P") + struct.pack("<I", len(path)) + path
    if offset is None:
        return head
    return head + struct.pack("<QQI", len(content), offset, zlib.crc32(content) if crc is None else crc) + content


def flipped(content: bytes, at: int) -> bytes:
    changed = bytearray(content)
    changed[at] ^= 0xFF
    return bytes(changed)


def page_in_xbstream(stream: bytes) -> bytes:
    return b"".join(
        piece(path, offset, flipped(content, LEAF) if path == TABLE.encode() and offset == 0 else content)
        for path, offset, content in pieces(stream)
    )


def without_in_xbstream(*names: str) -> Change:
    return lambda stream: b"".join(piece(*one) for one in pieces(stream) if one[0].decode() not in names)


@MARIADB
def test_a_damaged_page_of_a_streamed_copy(
    whole: ThrowawayServer, workspace: Callable[..., Workspace], monkeypatch: pytest.MonkeyPatch
) -> None:
    stored_as(monkeypatch, "copy", page_in_xbstream)
    failed = failures(proved(workspace(whole)))
    said = " ".join(failed.values())
    assert "orders" in said
    assert set(failed) & {"tables", "pages", "step:restore-prepare", "step:restore-start"}


@MARIADB
def test_a_file_that_is_missing_in_a_streamed_copy(
    whole: ThrowawayServer, workspace: Callable[..., Workspace], monkeypatch: pytest.MonkeyPatch
) -> None:
    stored_as(monkeypatch, "copy", without_in_xbstream(TABLE))
    failed = failures(proved(workspace(whole)))
    assert "the copy is not whole" in failed["step:check-files"]


@MARIADB
def test_a_table_that_is_missing_whole_is_missed_even_when_nobody_counted_its_files(
    whole: ThrowawayServer, workspace: Callable[..., Workspace], monkeypatch: pytest.MonkeyPatch
) -> None:
    ws, counted = workspace(whole), {}

    def change(stream: bytes) -> bytes:
        kept = without_in_xbstream("shop/loose.frm", "shop/loose.MYD", "shop/loose.MYI")(stream)
        every = list(pieces(kept))
        counted["files"] = sum(offset is None for _, offset, _ in every)
        counted["file_bytes"] = sum(len(content) for _, _, content in every)
        return kept

    stored_as(monkeypatch, "copy", change)
    original = DOORS.streams["copy"]

    def recounted(*given: Any) -> Iterator[Member]:  # Any: as a door is called
        for member in original(*given):
            yield Member(member.name, member.stream, {**member.facts, **counted})

    monkeypatch.setitem(DOORS.streams, "copy", recounted)
    failed = failures(proved(ws))
    assert failed["objects"] == "not in the copy: 1 tables of shop"


@MARIADB
def test_a_stream_that_was_cut_or_spoiled(
    whole: ThrowawayServer, workspace: Callable[..., Workspace], monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut(stream: bytes) -> bytes:
        return stream[: len(stream) // 2]

    def spoiled(stream: bytes) -> bytes:
        return b"".join(piece(*one, crc=1 if one[0] == b"ibdata1" and one[1] == 0 else None) for one in pieces(stream))

    for change in (cut, spoiled):
        with monkeypatch.context() as only:
            stored_as(only, "copy", change)
            assert "mbstream exited with 1" in failures(proved(workspace(whole)))["step:restore-files"]


def tar_changed(change: Callable[[str, bytes], bytes | None]) -> Change:
    """Each file of a tar stream changed; None leaves it out."""

    def changed(stream: bytes) -> bytes:
        out = io.BytesIO()
        with tarfile.open(fileobj=io.BytesIO(stream)) as old, tarfile.open(fileobj=out, mode="w") as new:
            for member in old:
                file = old.extractfile(member)
                content = change(member.name, file.read()) if file is not None else b""
                if content is not None:
                    new.addfile(member, io.BytesIO(content))
        return out.getvalue()

    return changed


@MYSQL
def test_a_damaged_page_of_a_clone(
    whole: ThrowawayServer, workspace: Callable[..., Workspace], monkeypatch: pytest.MonkeyPatch
) -> None:
    change = tar_changed(lambda name, content: flipped(content, LEAF) if name == TABLE else content)
    stored_as(monkeypatch, "directory", change)
    failed = failures(proved(workspace(whole)))
    assert "orders" in " ".join(failed.values())


@MYSQL
def test_a_file_that_is_missing_in_a_clone(
    whole: ThrowawayServer, workspace: Callable[..., Workspace], monkeypatch: pytest.MonkeyPatch
) -> None:
    missing = tar_changed(lambda name, content: None if name == TABLE else content)
    stored_as(monkeypatch, "directory", missing)
    assert "the copy is not whole" in failures(proved(workspace(whole)))["step:check-files"]
