"""A stream cut into volumes: objects of at most so many bytes whose plain concatenation is the stream."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from dbops.model.repository import Content, Volume
from dbops.stream.tally import Tally

__all__ = ["VOLUME_BYTES", "Upload", "VolumeSink"]

VOLUME_BYTES = 64 << 30


class Upload(Protocol):
    """One object on its way, as :class:`dbops.storage.base.Upload` describes it."""

    def write(self, block: bytes, /) -> None: ...
    def commit(self) -> None: ...
    def abort(self) -> None: ...


class VolumeSink:
    """The stored end of a stream. There is always at least one volume, also of an empty stream.

    :param begin: opens the volume of a name.
    """

    def __init__(self, begin: Callable[[str], Upload], volume_bytes: int = VOLUME_BYTES) -> None:
        self._begin = begin
        self._limit = volume_bytes
        self._upload: Upload | None = None
        self._whole = Tally()
        self._tally = self._whole
        self._volumes: list[Volume] = []

    @property
    def size(self) -> int:
        """Stored bytes so far."""
        return self._whole.size

    @property
    def volumes(self) -> tuple[Volume, ...]:
        """Those that are committed."""
        return tuple(self._volumes)

    @property
    def stored(self) -> Content:
        """The whole stored stream."""
        return self._whole.content()

    def write(self, block: bytes) -> None:
        """Append, across as many volumes as it takes."""
        rest = memoryview(block)
        while rest:
            upload = self._current()
            room = self._limit - self._volume_size()
            piece, rest = rest[:room], rest[room:]
            self._count(piece)
            upload.write(block if len(piece) == len(block) else bytes(piece))
            if self._volume_size() == self._limit:
                self._close_volume()

    def finish(self) -> None:
        """Commit the last volume."""
        if self._upload is not None or not self._volumes:
            self._current()
            self._close_volume()

    def abort(self) -> None:
        """Drop the volume in hand; those committed before are the caller's to remove."""
        if self._upload is not None:
            self._upload.abort()

    def _current(self) -> Upload:
        if self._upload is None:
            self._upload = self._begin(f"vol-{len(self._volumes):04d}")
            # The first volume's digest is the stream's own so far: most streams have one volume and are hashed once.
            self._tally = Tally() if self._volumes else self._whole
        return self._upload

    def _volume_size(self) -> int:
        return self._tally.size

    def _count(self, piece: memoryview) -> None:
        self._whole.add(piece)
        if self._tally is not self._whole:
            self._tally.add(piece)

    def _close_volume(self) -> None:
        upload = self._current()
        upload.commit()
        self._upload = None
        content = self._tally.content()
        name = f"vol-{len(self._volumes):04d}"
        self._volumes.append(Volume(name=name, size=content.size, sha256=content.sha256))
