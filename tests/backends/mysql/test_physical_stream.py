"""The stream of a copying program, read while it passes: what is whole is counted, what is not is refused."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbops.errors import ToolFailed
from dbops_mysql.backup.xbstream import MARIADB, MYSQL, Dialect, Walked, Walker, Watched


def head(kind: bytes, path: str, flags: int = 0) -> bytes:
    name = path.encode()
    return b"XBSTCK01" + bytes([flags]) + kind + struct.pack("<I", len(name)) + name


def piece(path: str, content: bytes, offset: int = 0, flags: int = 0) -> bytes:
    return head(b"P", path, flags) + struct.pack("<QQI", len(content), offset, zlib.crc32(content)) + content


def whole(path: str, content: bytes) -> bytes:
    return piece(path, content) + head(b"E", path)


def walk(stream: bytes, *, dialect: Dialect = MARIADB, wanted: Sequence[str] = (), size: int = 7) -> Walked:
    walker = Walker(dialect, wanted)
    for start in range(0, len(stream), size):
        walker.feed(stream[start : start + size])
    return walker.finish()


def test_files_are_counted_and_the_wanted_ones_kept() -> None:
    info = "binlog.000001\t986\t0-1-4\n"
    stream = whole("ibdata1", b"x" * 1000) + whole("info", info.encode()) + head(b"E", "shop/empty.MYD")
    assert walk(stream, wanted=("info",)) == Walked(files=3, bytes=1000 + len(info), kept={"info": info})


@given(
    st.lists(st.tuples(st.sampled_from("abcd"), st.binary(max_size=60)), max_size=12),
    st.integers(min_value=1, max_value=50),
)
def test_pieces_of_several_files_may_come_in_any_order_and_in_blocks_of_any_size(
    pieces: list[tuple[str, bytes]], size: int
) -> None:
    files: dict[str, bytes] = {}
    stream = b""
    for name, content in pieces:
        stream += piece(name, content, len(files.get(name, b"")))
        files[name] = files.get(name, b"") + content
    stream += b"".join(head(b"E", name) for name in files)
    found = walk(stream, wanted=("a",), size=size)
    assert (found.files, found.bytes) == (len(files), sum(map(len, files.values())))
    assert found.kept.get("a", "").encode(errors="replace") == files.get("a", b"").decode(errors="replace").encode()


@given(st.integers(min_value=1, max_value=200))
def test_a_stream_that_is_cut_anywhere_is_not_whole(cut: int) -> None:
    stream = piece("a_name_of_14_b", b"first") + piece("b", b"0123456789" * 5) + piece("a_name_of_14_b", b"more", 5)
    stream += head(b"E", "b") + head(b"E", "a_name_of_14_b")
    short = stream[: max(1, len(stream) - cut)]
    with pytest.raises(ToolFailed, match=r"broke off|ended before"):
        walk(short)


def test_a_file_without_its_end_is_named() -> None:
    with pytest.raises(ToolFailed, match=r"ended before 1 of its files did: shop/t\.ibd"):
        walk(whole("a", b"1") + piece("shop/t.ibd", b"2"))


def test_what_is_no_such_stream_is_refused() -> None:
    with pytest.raises(ToolFailed, match="no xbstream"):
        walk(b"mysqldump: unknown option" * 3)
    with pytest.raises(ToolFailed, match="unknown kind, b'Z', about 'a'"):
        walk(head(b"Z", "a"))
    assert walk(head(b"Z", "a", flags=1)).files == 0


def test_mariadb_removes_renames_and_writes_anew() -> None:
    stream = whole("t.new", b"12345") + whole("gone", b"1") + whole("log", b"123")
    stream += head(b"R", "t.new") + struct.pack("<I", 5) + b"t.ibd" + head(b"D", "gone")
    stream += piece("log", b"1", flags=2) + head(b"S", "log") + struct.pack("<Q", 0) + head(b"E", "log")
    assert walk(stream) == Walked(files=2, bytes=6, kept={})


def test_a_file_with_holes_of_percona_is_as_large_as_it_is_unpacked() -> None:
    content = b"x" * 10
    sparse = head(b"S", "t.ibd") + struct.pack("<I", 2) + struct.pack("<QQI", 10, 0, 0)
    sparse += struct.pack("<IIII", 4096, 5, 8192, 5) + content + head(b"E", "t.ibd")
    assert walk(sparse, dialect=MYSQL) == Walked(files=1, bytes=10 + 4096 + 8192, kept={})


class Bytes:
    """A stream of these bytes."""

    def __init__(self, content: bytes) -> None:
        self.rest = content
        self.closed = False

    def read(self, n: int, /) -> bytes:
        block, self.rest = self.rest[:n], self.rest[n:]
        return block

    def close(self) -> None:
        self.closed = True


def read(stream: Watched) -> None:
    while stream.read(5):
        pass


def test_the_end_of_a_watched_stream_is_only_given_when_it_is_whole() -> None:
    seen: list[Walked] = []
    stream = Bytes(whole("a", b"123"))
    watched = Watched(stream, Walker(MARIADB), seen.append)
    read(watched)
    assert [one.files for one in seen] == [1]
    watched.close()
    assert stream.closed
    broken = Watched(Bytes(piece("a", b"123")), Walker(MARIADB), seen.append)
    with pytest.raises(ToolFailed, match="ended before"):
        read(broken)
