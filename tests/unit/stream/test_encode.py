"""Laws of storing and reading back a stream: equal for any bytes, and never a success when an end failed."""

from __future__ import annotations

import hashlib
import io
import threading
from collections.abc import Sequence

import pyrage
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbops.errors import ConfigError, Damaged, Interrupted, StorageFailed
from dbops.model.repository import Content
from dbops.plan import Filter
from dbops.stream.crew import Crew
from dbops.stream.decode import Decoded, Part
from dbops.stream.encode import age_filter, encode, zstd_filter
from dbops.stream.volumes import VolumeSink
from dbops.testing.memory_storage import MemoryStorage

_KEY = pyrage.x25519.Identity.generate()
PRIVATE, PUBLIC = str(_KEY), str(_KEY.to_public())

FILTERS = st.sampled_from([(), (zstd_filter(1),), (age_filter([PUBLIC]),), (zstd_filter(3), age_filter([PUBLIC]))])


class Source:
    """Gives ``data`` in pieces of ``piece`` bytes; fails after ``fails_at`` bytes; remembers that it was closed."""

    def __init__(self, data: bytes, piece: int = 1 << 16, fails_at: int | None = None) -> None:
        self._file = io.BytesIO(data)
        self._piece = piece
        self._fails_at = fails_at
        self.error = RuntimeError("pg_dump: error: connection to server was lost")
        self.closed = 0

    def read(self, n: int, /) -> bytes:
        n = min(n, self._piece)
        if self._fails_at is not None:
            n = min(n, self._fails_at - self._file.tell())
            if n <= 0:
                raise self.error
        return self._file.read(n)

    def close(self) -> None:
        self.closed += 1


def store(
    storage: MemoryStorage, source: Source, filters: Sequence[Filter], volume: int = 1 << 20
) -> tuple[VolumeSink, Content]:
    sink = VolumeSink(lambda name: storage.upload(f"stream/{name}"), volume)
    return sink, encode(source, sink, filters, threads=1)


def read_back(
    storage: MemoryStorage, sink: VolumeSink, filters: Sequence[Filter], clear: Content, key: str = PRIVATE
) -> Decoded:
    parts = [
        Part(
            name=volume.name,
            content=Content(size=volume.size, sha256=volume.sha256),
            open=lambda name=volume.name: storage.open(f"stream/{name}"),  # type: ignore[misc]  # default binds the loop's value
        )
        for volume in sink.volumes
    ]
    return Decoded(parts, filters, clear, identities=[key] if key else [], label="shop.dump", hint="Restore another.")


def drain(stream: Decoded, n: int = 1 << 16) -> bytes:
    with stream:
        pieces: list[bytes] = []
        while block := stream.read(n):
            pieces.append(block)
        return b"".join(pieces)


@given(
    data=st.binary(max_size=5000),
    piece=st.integers(1, 3000),
    filters=FILTERS,
    volume=st.integers(1, 4000),
    reads=st.integers(1, 9000),
)
def test_what_goes_in_comes_out(data: bytes, piece: int, filters: tuple[Filter, ...], volume: int, reads: int) -> None:
    storage = MemoryStorage()
    source = Source(data, piece)
    sink, clear = store(storage, source, filters, volume)
    stored = b"".join(storage.objects[f"stream/{one.name}"] for one in sink.volumes)
    assert clear == Content(size=len(data), sha256=hashlib.sha256(data).hexdigest())
    assert sink.stored == Content(size=len(stored), sha256=hashlib.sha256(stored).hexdigest())
    for one in sink.volumes:
        content = storage.objects[f"stream/{one.name}"]
        assert (one.size, one.sha256) == (len(content), hashlib.sha256(content).hexdigest())
        assert one.size <= volume
    assert [one.name for one in sink.volumes] == [f"vol-{number:04d}" for number in range(len(sink.volumes))]
    assert source.closed == 1
    assert drain(read_back(storage, sink, filters, clear), reads) == data


def test_an_empty_stream_has_one_volume() -> None:
    storage = MemoryStorage()
    sink, _ = store(storage, Source(b""), ())
    assert [one.size for one in sink.volumes] == [0]


@given(size=st.integers(0, 3000), fails_at=st.integers(0, 3000), filters=FILTERS)
def test_a_failing_source_publishes_nothing_and_keeps_its_error(
    size: int, fails_at: int, filters: tuple[Filter, ...]
) -> None:
    storage = MemoryStorage()
    source = Source(bytes(size), piece=100, fails_at=min(size, fails_at))
    with pytest.raises(RuntimeError) as caught:
        store(storage, source, filters)
    assert caught.value is source.error
    assert not storage.objects
    assert not storage.uploads
    assert source.closed == 1


@given(data=st.binary(min_size=1, max_size=3000), filters=FILTERS, share=st.floats(0, 0.3))
def test_a_full_store_says_so_through_every_filter(data: bytes, filters: tuple[Filter, ...], share: float) -> None:
    # The head of an age file has a random length, so that only well below the size nothing can fit.
    whole = MemoryStorage()
    sink, _ = store(whole, Source(data), filters)
    storage = MemoryStorage(room=int(sink.stored.size * share))
    source = Source(data)
    with pytest.raises(StorageFailed, match="no space left in repository memory://"):
        store(storage, source, filters)
    assert not storage.objects
    assert not storage.uploads
    assert source.closed == 1


def test_a_producer_that_fails_while_closing_has_failed() -> None:
    class Late(Source):
        def close(self) -> None:
            super().close()
            raise RuntimeError("exit code 1")

    storage = MemoryStorage()
    with pytest.raises(RuntimeError, match="exit code 1"):
        store(storage, Late(b"looks complete"), (zstd_filter(1),))
    assert not storage.objects


class Stuck:
    """A server that sends nothing more; only closing ends the wait."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.sent = self.waited_in_vain = False

    def read(self, n: int, /) -> bytes:
        if self.sent:
            self.waited_in_vain = not self.gate.wait(60)
            raise RuntimeError("closed while reading")
        self.sent = True
        return b"x" * min(n, 100)

    def close(self) -> None:
        self.gate.set()


def test_a_failing_sink_does_not_wait_for_a_stuck_source() -> None:
    storage = MemoryStorage(room=10)
    sink = VolumeSink(lambda name: storage.upload(f"stream/{name}"))
    source = Stuck()
    with pytest.raises(StorageFailed, match="no space left"):
        encode(source, sink)
    assert source.gate.is_set()
    assert not source.waited_in_vain
    assert not [one for one in threading.enumerate() if one.name.startswith("encode")]


def test_another_thread_can_stop_a_stream() -> None:
    storage = MemoryStorage()
    crew = Crew("stopped")
    sink = VolumeSink(lambda name: storage.upload(f"stream/{name}"))
    threading.Timer(0.05, lambda: crew.fail(Interrupted("given up"))).start()
    with pytest.raises(Interrupted, match="given up"):
        encode(Stuck(), sink, (zstd_filter(1),), crew=crew)
    assert not storage.objects
    assert not storage.uploads


def test_an_interrupt_while_waiting_stops_everything() -> None:
    storage = MemoryStorage()
    sink = VolumeSink(lambda name: storage.upload(f"stream/{name}"))
    source = Stuck()

    def interrupt(clear: int, stored: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        encode(source, sink, (zstd_filter(1), age_filter([PUBLIC])), progress=interrupt)
    assert source.gate.is_set()
    assert not storage.objects
    assert not storage.uploads
    assert not [one for one in threading.enumerate() if one.name.startswith("encode")]


def test_progress_ends_with_the_whole() -> None:
    storage = MemoryStorage()
    seen: list[tuple[int, int]] = []
    sink = VolumeSink(lambda name: storage.upload(f"stream/{name}"))
    encode(Source(bytes(100_000)), sink, progress=lambda clear, stored: seen.append((clear, stored)))
    assert seen[-1] == (100_000, 100_000)


def test_an_unknown_filter_is_refused() -> None:
    with pytest.raises(ConfigError, match="no such filter: rot13"):
        store(MemoryStorage(), Source(b"x"), [Filter(name="rot13")])


@given(
    data=st.binary(min_size=1, max_size=2000),
    filters=FILTERS,
    volume=st.integers(50, 900),
    where=st.integers(0, 9999),
    bit=st.integers(0, 7),
)
def test_a_flipped_bit_is_never_read_as_whole(
    data: bytes, filters: tuple[Filter, ...], volume: int, where: int, bit: int
) -> None:
    storage = MemoryStorage()
    sink, clear = store(storage, Source(data), filters, volume)
    offset = where % sink.stored.size
    key = f"stream/vol-{offset // volume:04d}"
    changed = bytearray(storage.objects[key])
    changed[offset % volume] ^= 1 << bit
    storage.objects[key] = bytes(changed)
    # Damage in the head of an age file can look like a wrong key.
    with pytest.raises((Damaged, ConfigError)):
        drain(read_back(storage, sink, filters, clear))


@given(data=st.binary(min_size=1, max_size=2000), filters=FILTERS, keep=st.integers(0, 9999))
def test_a_stream_cut_short_is_never_read_as_whole(data: bytes, filters: tuple[Filter, ...], keep: int) -> None:
    storage = MemoryStorage()
    sink, clear = store(storage, Source(data), filters)
    whole = storage.objects["stream/vol-0000"]
    storage.objects["stream/vol-0000"] = whole[: keep % len(whole)]
    with pytest.raises((Damaged, ConfigError)):
        drain(read_back(storage, sink, filters, clear))


def test_the_message_of_damage_names_stream_volume_and_what_to_do() -> None:
    storage = MemoryStorage()
    sink, clear = store(storage, Source(b"a" * 100), (), volume=60)
    storage.objects["stream/vol-0001"] = b"b" * 40
    with pytest.raises(Damaged) as caught:
        drain(read_back(storage, sink, (), clear))
    assert caught.value.message.startswith("shop.dump: vol-0001 is damaged: SHA-256 ")
    assert caught.value.hint == "Restore another."


def test_reading_an_encrypted_stream_without_a_key_says_what_is_missing() -> None:
    storage = MemoryStorage()
    filters = (age_filter([PUBLIC]),)
    sink, clear = store(storage, Source(b"secret"), filters)
    with pytest.raises(ConfigError, match=r"shop\.dump is encrypted and no private key was given"):
        drain(read_back(storage, sink, filters, clear, key=""))


def test_a_stream_from_a_newer_version_says_which_filter_is_unknown() -> None:
    stream = Decoded([], [Filter(name="xz")], Content(size=0, sha256=""), label="shop.dump")
    with pytest.raises(ConfigError, match="stored through 'xz', which this version of dbops does not know"):
        stream.read(1)


def test_closing_early_leaves_no_thread() -> None:
    storage = MemoryStorage()
    sink, clear = store(storage, Source(bytes(20 << 20)), (zstd_filter(1),))
    stream = read_back(storage, sink, (zstd_filter(1),), clear)
    assert stream.read(10)
    stream.close()
    assert not [one for one in threading.enumerate() if one.name.startswith("decode")]
    with pytest.raises(Interrupted, match="was closed before its end"):
        drain(stream)
