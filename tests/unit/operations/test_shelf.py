"""The words that people use for points in time, and what a repository remembers of past runs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from dbops.config import RepositoryConfig
from dbops.errors import InputError, UsageError
from dbops.model.backup import Until, Verdict
from dbops.model.repository import Artifact, Catalogue, Content, Event, Manifest, Unreadable
from dbops.operations.shelf import Shelf, until
from dbops.plan import Json

AT = datetime(2026, 3, 1, tzinfo=UTC)
CONFIG = RepositoryConfig(url="file:///backups", name="main")


class Stored:
    """What a shelf asks of a repository."""

    def __init__(self, manifests: tuple[Manifest, ...], events: tuple[Event, ...] = (), lost: str = "") -> None:
        self._manifests, self._events = manifests, events
        self._lost = (Unreadable(id=lost, target="shop", key="k", reason="it is of a newer dbops"),) if lost else ()

    def catalogue(self, _target: str | None) -> Catalogue:
        return Catalogue(manifests=self._manifests, unreadable=self._lost)

    def events(self, _target: str | None) -> tuple[Event, ...]:
        return self._events


def shelf(*manifests: Manifest, events: tuple[Event, ...] = (), lost: str = "") -> Shelf:
    # Two methods of a repository are all that is asked for here, hence the ignored type.
    return Shelf(CONFIG, Stored(manifests, events, lost), "shop")  # type: ignore[arg-type]


def manifest(source: int | None = 1000) -> Manifest:
    stored = Content(size=40, sha256="s")
    artifact = Artifact(name="a", filters=(), clear=Content(size=90, sha256="c"), stored=stored, volumes=())
    return Manifest(
        id="b-1", target="shop", incarnation="7", engine="postgresql", server_version="17", method="dump",
        kind="logical", started_at=AT, finished_at=AT + timedelta(seconds=20), dbops="0", artifacts=(artifact,),
        source_bytes=source,
    )  # fmt: skip


def proof(verdict: Verdict, measured: Json) -> Event:
    return Event(
        id="e-1", at=AT, kind="proof", backup="b-1", target="shop", verdict=verdict, evidence={"measured": measured}
    )


MEASURED: Json = {"method": "dump", "seconds": 30.0, "fixed_s": 5.0, "source_bytes": 1000}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("latest", Until()),
        ("b-20260714t021500123-7k3m9qxz", Until(kind="name", value="b-20260714t021500123-7k3m9qxz")),
        ("0/3000148", Until(kind="position", value="0/3000148")),
        ("a/ff", Until(kind="position", value="A/FF")),
        ("2026-03-01T02:00:00+02:00", Until(kind="time", time=datetime(2026, 3, 1, tzinfo=UTC))),
    ],
)
def test_points_in_time(text: str, expected: Until) -> None:
    assert until(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "binlog.000042:157",
        "mysql-bin.000001:4",
        "0-1-42",
        "0-1-42,1-7-3",
        "3e11fa47-71ca-11e1-9e33-c80aa9429562:23",
        "3E11FA47-71CA-11E1-9E33-C80AA9429562:1-5:11-18,4e11fa47-71ca-11e1-9e33-c80aa9429562:1",
    ],
)
def test_a_position_in_a_binary_log(text: str) -> None:
    assert until(text) == Until(kind="position", value=text)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("yesterday", "is not a point in time"),
        ("binlog:4", "is not a point"),
        ("2026-03-01T02:00:00", "has no offset"),
        ("2026-13-01", "not a time"),
    ],
)
def test_what_is_no_point_in_time(text: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        until(text)


def test_every_engine_finds_its_own_positions_in_the_hint() -> None:
    with pytest.raises(UsageError) as caught:
        until("yesterday")
    for position in ("0/3000148", "binlog.000042:157", "00000024:00000120:0001"):
        assert position in caught.value.hint
        assert until(position) == Until(kind="position", value=position)


def test_a_point_in_time_keeps_where_the_clock_was() -> None:
    assert until("latest", "Europe/Berlin") == Until(zone="Europe/Berlin")
    with pytest.raises(UsageError, match="--server-time-zone: there is no time zone 'Berlin'"):
        until("latest", "Berlin")


def test_past_backups_are_read_from_manifests() -> None:
    (run,) = shelf(manifest()).runs()
    assert (run.what, run.method, run.seconds, run.source_bytes, run.bytes, run.stored_bytes) == (
        "backup", "dump", 20, 1000, 90, 40,
    )  # fmt: skip
    assert shelf(manifest(None)).runs() == []


def test_past_restores_are_read_from_proofs_that_held() -> None:
    (run,) = shelf(events=(proof(Verdict.VERIFIED, MEASURED),)).runs()
    assert (run.what, run.method, run.seconds, run.fixed_s, run.source_bytes) == ("restore", "dump", 30, 5, 1000)
    assert shelf(events=(proof(Verdict.FAILED, MEASURED),)).runs() == []


@pytest.mark.parametrize("measured", [{}, None, [], {"method": "dump", "seconds": "soon"}])
def test_a_proof_without_its_measures_is_no_restore(measured: Json) -> None:
    assert shelf(events=(proof(Verdict.VERIFIED, measured),)).runs() == []


def test_a_backup_by_its_id() -> None:
    found = shelf(manifest(), lost="b-2")
    assert found.record("b-1").id == "b-1"
    assert found.stored_bytes == 40
    with pytest.raises(InputError, match="the manifest of b-2 cannot be used: it is of a newer dbops"):
        found.record("b-2")
    with pytest.raises(InputError, match="there is no backup b-3 in file:///backups"):
        found.record("b-3")
