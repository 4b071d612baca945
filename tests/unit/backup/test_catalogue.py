"""A backup with what happened to it since."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec

from dbops.backup.catalogue import records
from dbops.model.backup import Verdict
from dbops.model.finding import Missing
from dbops.model.repository import Event, EventKind, Manifest

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


def manifest(name: str = "b-1", *, whole: bool = False, source_bytes: int | None = None) -> Manifest:
    return Manifest(
        id=name, target="shop", incarnation="7", engine="postgresql", server_version="17", method="dump",
        kind="logical", started_at=EPOCH, finished_at=EPOCH + timedelta(seconds=2),
        consistent_at=EPOCH + timedelta(seconds=1), dbops="0", whole=whole, source_bytes=source_bytes,
    )  # fmt: skip


def event(kind: EventKind, minute: int, verdict: Verdict | None = None, level: str = "full") -> Event:
    at = EPOCH + timedelta(minutes=minute)
    return Event(
        id=f"e-{minute}", at=at, kind=kind, backup="b-1", target="shop", verdict=verdict, evidence={"level": level}
    )


def test_nothing_happened() -> None:
    (one,) = records([manifest(source_bytes=5, whole=True)], [], "main")
    assert (one.pinned, one.proof, one.proven, one.source_bytes, one.whole) == (False, None, None, 5, True)
    assert (one.instant, one.location) == (EPOCH + timedelta(seconds=1), "main")


def test_a_server_whose_clock_is_ahead_saves_nothing_of_the_future() -> None:
    ahead = msgspec.structs.replace(manifest(), consistent_at=EPOCH + timedelta(hours=1))
    assert records([ahead], [], "main")[0].instant == EPOCH + timedelta(seconds=2)


def test_what_the_manifest_does_not_say_is_missing() -> None:
    (one,) = records([manifest()], [], "main")
    assert isinstance(one.source_bytes, Missing)
    assert not one.whole


def test_an_unpin_takes_back_every_pin() -> None:
    pins = [event("pin", 1), event("pin", 2)]
    assert records([manifest()], pins, "main")[0].pinned
    assert not records([manifest()], [event("unpin", 3), *pins], "main")[0].pinned
    assert records([manifest()], [event("unpin", 3), *pins, event("pin", 4)], "main")[0].pinned


def test_the_newest_answer_stands() -> None:
    proofs = [event("proof", 2, Verdict.FAILED), event("proof", 1, Verdict.VERIFIED)]
    (one,) = records([manifest()], proofs, "main")
    assert one.proof is not None
    assert (one.proof.verdict, one.proof.event) == (Verdict.FAILED, "e-2")
    assert one.proven is not None
    assert one.proven.event == "e-1"


def test_an_attempt_that_could_not_tell_takes_no_answer_back() -> None:
    (one,) = records(
        [manifest()], [event("proof", 1, Verdict.FAILED), event("proof", 2, Verdict.COULD_NOT_VERIFY)], "main"
    )
    assert one.proof is not None
    assert one.proof.verdict is Verdict.FAILED
    (other,) = records([manifest()], [event("proof", 2, Verdict.COULD_NOT_VERIFY)], "main")
    assert other.proof is not None
    assert other.proof.verdict is Verdict.COULD_NOT_VERIFY


def test_reading_it_through_proves_no_restore() -> None:
    levels = [event("proof", 1, Verdict.VERIFIED, "checksum"), event("proof", 2, Verdict.VERIFIED, "nonsense")]
    (one,) = records([manifest()], levels, "main")
    assert one.proof is not None
    assert (one.proof.level, one.proven) == ("checksum", None)
    (other,) = records([manifest()], [event("proof", 1, Verdict.VERIFIED, "restore")], "main")
    assert other.proven is not None


def test_oldest_first() -> None:
    first, second = manifest("b-a"), manifest("b-b")
    assert [one.id for one in records([second, first], [], "main")] == ["b-a", "b-b"]
