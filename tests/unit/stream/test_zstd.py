"""One frame that other tools read, in pieces that stay small."""

from __future__ import annotations

import pytest
import zstandard

from dbops.errors import ConfigError, Damaged
from dbops.stream.crew import BLOCK, BlockReader, Channel
from dbops.stream.zstd import compress, decompress


def channel(*blocks: bytes) -> Channel:
    made = Channel(depth=1 << 30)
    for block in blocks:
        made.put(block)
    made.end()
    return made


@pytest.mark.parametrize("threads", [1, 3])
def test_one_frame_with_a_checksum(threads: int) -> None:
    frame = b"".join(compress([b"abc" * 1000, b"def"], level=3, threads=threads))
    assert zstandard.get_frame_parameters(frame).has_checksum
    assert zstandard.ZstdDecompressor().decompressobj().decompress(frame) == b"abc" * 1000 + b"def"


@pytest.mark.parametrize("level", [0, -3, 23])
def test_a_level_that_does_not_exist_is_refused(level: int) -> None:
    with pytest.raises(ConfigError, match=f"compression level {level} does not exist"):
        list(compress([], level=level))


def test_a_block_that_stands_for_gigabytes_comes_out_in_pieces() -> None:
    frame = b"".join(compress([bytes(BLOCK)] * 64, level=1, threads=1))
    assert len(frame) < BLOCK
    seen: list[int] = []

    class Counting(Channel):
        def put(self, block: bytes) -> None:
            seen.append(len(block))

    decompress(BlockReader(channel(frame)), Counting())
    assert sum(seen) == 64 * BLOCK
    assert max(seen) <= BLOCK


def test_what_is_no_frame_is_damage() -> None:
    with pytest.raises(Damaged, match="cannot be decompressed"):
        decompress(BlockReader(channel(b"certainly not zstd")), channel())
