"""Compression: one zstd frame with a checksum, which the public ``zstd`` tool reads."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import IO, Protocol, cast

from dbops.errors import ConfigError, Damaged
from dbops.stream.crew import BLOCK, BlockReader, Channel

__all__ = ["DEFAULT_LEVEL", "compress", "decompress"]

DEFAULT_LEVEL = 3
MAX_THREADS = 8
JOB_BYTES = 4 * BLOCK
"""What one thread compresses at once. Smaller than the library's own choice: memory grows with it, times threads."""


class _Chunker(Protocol):
    """What zstandard's stubs leave untyped."""

    def compress(self, data: bytes, /) -> Iterator[bytes]: ...
    def finish(self) -> Iterator[bytes]: ...


def compress(blocks: Iterable[bytes], level: int, threads: int | None = None) -> Iterator[bytes]:
    """The frame in blocks of at most 1 MiB. ``threads`` None: one for each processor, at most eight.

    :raises ConfigError: a level that zstd does not have.
    """
    chunker = _chunker(level, min(threads or os.cpu_count() or 1, MAX_THREADS))
    for block in blocks:
        yield from chunker.compress(block)
    yield from chunker.finish()


def _chunker(level: int, workers: int) -> _Chunker:
    import zstandard

    if not 1 <= level <= zstandard.MAX_COMPRESSION_LEVEL:
        raise ConfigError(
            f"compression level {level} does not exist", hint=f"zstd has 1 to {zstandard.MAX_COMPRESSION_LEVEL}."
        )
    parameters = zstandard.ZstdCompressionParameters(
        compression_level=level,
        write_checksum=True,
        threads=workers if workers > 1 else 0,
        job_size=JOB_BYTES if workers > 1 else 0,
    )
    compressor = zstandard.ZstdCompressor(compression_params=parameters)
    return cast(_Chunker, compressor.chunker(chunk_size=BLOCK))


def decompress(source: BlockReader, into: Channel) -> None:
    """Every frame of ``source``. A stream cut short is not noticed here: its digest tells.

    :raises Damaged: not zstd, or its own checksum is wrong.
    """
    import zstandard

    # Pulled in bounded pieces: one block of zeros can stand for gigabytes. Only read() of the source is used.
    pulled = cast(IO[bytes], source)
    reader = zstandard.ZstdDecompressor().stream_reader(pulled, read_size=BLOCK, read_across_frames=True)
    try:
        while block := reader.read(BLOCK):
            into.put(block)
    except zstandard.ZstdError as error:
        raise Damaged(f"cannot be decompressed: {error}") from error
