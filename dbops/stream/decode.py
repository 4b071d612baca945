"""Reading a stored stream back: volumes, digests, age, zstd, digest. Bounded; a broken stream has no end."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import closing

import msgspec

from dbops.errors import ConfigError, Damaged, Interrupted
from dbops.model.repository import Content
from dbops.plan import Filter
from dbops.spi import Readable
from dbops.stream.age import decrypt, parse_identities
from dbops.stream.crew import BLOCK, BlockReader, Channel, Crew, Stopped
from dbops.stream.tally import Tally
from dbops.stream.zstd import decompress

__all__ = ["Decoded", "Part", "differs"]

GRACE = 5.0


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """One volume: where it is, as a message names it; what it must hold; how it is opened."""

    name: str
    content: Content
    open: Callable[[], Readable]


def differs(found: Content, expected: Content) -> str:
    """In words how stored bytes differ from what the manifest says; empty when they are equal."""
    if found.size != expected.size:
        return f"{found.size} bytes where the manifest says {expected.size}"
    if found.sha256 != expected.sha256:
        return f"SHA-256 {found.sha256} where the manifest says {expected.sha256}"
    return ""


class Decoded:
    """A stored stream as a Readable of its clear bytes. Its end is only given after every digest was equal.

    Threads start with the first ``read``; ``close`` may be called at any time and by any thread.

    :param label: what a message calls the stream.
    :param hint: what to do when it is damaged.
    :raises Damaged: from ``read``; stored or clear bytes are not those of the manifest.
    :raises ConfigError: an encrypted stream and no private key, or not the right one.
    """

    def __init__(
        self,
        parts: Iterable[Part],
        filters: Sequence[Filter],
        clear: Content,
        *,
        identities: Sequence[str] = (),
        label: str = "stream",
        hint: str = "",
    ) -> None:
        self._parts = parts
        self._filters = filters
        self._expected = clear
        self._label = label
        self._hint = hint
        self._crew = Crew("decode")
        self._reader: BlockReader | None = None
        self._identities = parse_identities(identities) if self._encrypted() else ()

    def read(self, n: int, /) -> bytes:
        if self._reader is None:
            self._reader = BlockReader(self._start())
        try:
            return self._reader.read(n)
        except Stopped:
            raise self._explained(self._crew.failure) from self._crew.failure

    def close(self) -> None:
        self._crew.fail(Interrupted(f"{self._label} was closed before its end"))
        self._crew.join(GRACE)

    def __enter__(self) -> Decoded:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _encrypted(self) -> bool:
        return any(one.name == "age" for one in self._filters)

    def _start(self) -> Channel:
        if self._encrypted() and not self._identities:
            raise ConfigError(
                f"{self._label} is encrypted and no private key was given",
                hint="Give the private key (age identity) of one of the recipients that the manifest names.",
            )
        channel = self._crew.stage("fetch", self._fetch)
        for one in reversed(self._filters):
            channel = self._crew.stage(one.name, self._undo(one, BlockReader(channel)))
        clear = channel
        return self._crew.stage("check", lambda out: self._check(clear, out))

    def _undo(self, one: Filter, source: BlockReader) -> Callable[[Channel], None]:
        if one.name == "zstd":
            return lambda out: decompress(source, out)
        if one.name == "age":
            return lambda out: decrypt(source, out, self._identities)
        raise ConfigError(
            f"{self._label} was stored through {one.name!r}, which this version of dbops does not know",
            hint="Restore it with the version of dbops that wrote it, or a newer one.",
        )

    def _fetch(self, out: Channel) -> None:
        for part in self._parts:
            tally = Tally()
            with closing(part.open()) as source:
                while block := source.read(BLOCK):
                    tally.add(block)
                    out.put(block)
            difference = differs(tally.content(), part.content)
            if difference:
                raise Damaged(f"{part.name} is damaged: {difference}")

    def _check(self, clear: Channel, out: Channel) -> None:
        tally = Tally()
        for block in clear:
            tally.add(block)
            out.put(block)
        difference = differs(tally.content(), self._expected)
        if difference:
            raise Damaged(f"the clear bytes are not those that were backed up: {difference}")

    def _explained(self, failure: BaseException | None) -> BaseException:
        if isinstance(failure, Damaged) and not failure.hint:
            return Damaged(f"{self._label}: {failure.message}", hint=self._hint)
        return failure or Stopped()
