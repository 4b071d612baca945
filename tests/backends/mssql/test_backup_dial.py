"""Clocks that are put forward and back, time zones that nobody recorded, and what STOPAT must say then."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import hypothesis.strategies as st
import msgspec
import pytest
from hypothesis import given, settings

from dbops.errors import UsageError
from dbops.model.backup import BackupRecord, Until
from dbops.model.finding import Missing
from dbops.model.recovery import Reachability
from dbops.model.server import Server as Instance
from dbops_mssql.backup import tsql
from dbops_mssql.backup.clock import Span, local, moments, span
from dbops_mssql.backup.dial import REPEATED, placed, reading
from dbops_mssql.backup.history import carried, records
from dbops_mssql.backup.restoring import sequence, sequenced
from dbops_mssql.backup.sequence import Sequenced
from dbops_mssql.backup.sets import BackupSet, Kind, Media
from tests.backends.mssql.backup_model import STEP, History, Server, ask, play

BERLIN = "Europe/Berlin"
AUTUMN, SPRING = datetime(2026, 10, 25), datetime(2026, 3, 29)  # noqa: DTZ001  an hour before the clock is changed, in UTC
SERVER = Instance(engine="mssql", version=(16,), version_text="2022", role="primary", incarnation="7")


def utc(day: datetime, hours: float) -> datetime:
    return (day + timedelta(hours=hours)).replace(tzinfo=UTC)


def shown(day: datetime, hours: float) -> datetime:
    """What a clock in Berlin showed."""
    return local_in_berlin(utc(day, hours))


def local_in_berlin(at: datetime) -> datetime:
    return next(one for one in (local(at, 60), local(at, 120)) if at in moments(one, BERLIN))


def backup(kind: Kind, uuid: str, at: tuple[datetime, float], lsns: tuple[int, int], **fields: Any) -> BackupSet:
    """From media: nothing is known of the zone."""
    one = BackupSet(
        uuid=uuid,
        database="shop",
        family="F",
        kind=kind,
        first_lsn=lsns[0],
        last_lsn=lsns[1],
        started=shown(*at),
        finished=shown(*at),
        first_fork="a",
        last_fork="a",
        media=Media(devices=(f"D:\\{uuid}",)),
    )
    return msgspec.structs.replace(one, **fields)


def night(day: datetime) -> list[BackupRecord]:
    """A full backup before the clock is changed and a log after it."""
    full = backup(Kind.FULL, "F", (day, -2), (100, 110))
    return list(records([full, backup(Kind.LOG, "L", (day, 4), (90, 200))], (), SERVER))


def asked(known: list[BackupRecord], at: datetime, zone: str) -> Sequenced:
    return sequenced(known, Until(kind="time", time=at, zone=zone), "shop")


def stopat(found: Sequenced) -> str:
    said = tsql.restore(found.sets[-1], tsql.into("copy"), found.stop)
    return said.partition("STOPAT = N'")[2].partition("'")[0]


def test_a_clock_shows_a_time_once_twice_or_never() -> None:
    assert moments(datetime(2026, 7, 1, 12), BERLIN) == (datetime(2026, 7, 1, 10, tzinfo=UTC),)  # noqa: DTZ001
    twice = moments(datetime(2026, 10, 25, 2, 30), BERLIN)  # noqa: DTZ001
    assert twice == (utc(AUTUMN, 0.5), utc(AUTUMN, 1.5))
    assert moments(datetime(2026, 3, 29, 2, 30), BERLIN) == ()  # noqa: DTZ001
    assert span(datetime(2026, 10, 25, 2, 30), None, BERLIN) == Span(*twice)  # noqa: DTZ001
    assert span(datetime(2026, 10, 25, 2, 30), 60, BERLIN) == Span(twice[1], twice[1])  # noqa: DTZ001
    assert moments(datetime(2026, 3, 1, 12), "-03:30") == (datetime(2026, 3, 1, 15, 30, tzinfo=UTC),)  # noqa: DTZ001


@pytest.mark.parametrize("zone", [BERLIN, "+01:00"])
def test_media_lead_to_an_instant_when_it_is_said_where_the_clock_was(zone: str) -> None:
    known = night(datetime(2026, 1, 10))  # noqa: DTZ001
    at = datetime(2026, 1, 10, 1, 30, tzinfo=UTC)
    assert asked(known, at, "").verdict is Reachability.UNKNOWN
    found = asked(known, at, zone)
    assert [one.uuid for one in found.sets] == ["F", "L"]
    assert stopat(found) == "2026-01-10T02:30:00.000"
    assert found.notes == ()


def test_a_chain_from_media_tells_its_times_in_the_zone_that_was_said() -> None:
    known = night(datetime(2026, 1, 10))  # noqa: DTZ001
    at = datetime(2026, 1, 10, 1, tzinfo=UTC)
    choice = sequence(known, Until(kind="time", time=at, zone=BERLIN), ["shop"])
    assert [one.started_at for one in choice.chain] == [utc(datetime(2026, 1, 10), -2), utc(datetime(2026, 1, 10), 4)]  # noqa: DTZ001
    again = sequenced(choice.chain, Until(kind="time", time=at, zone=BERLIN), "shop")
    assert [one.where for one in again.sets] == [BERLIN, BERLIN]
    unsaid = sequence(known, Until(), ["shop"])
    assert carried(unsaid.chain[0]).sets[0].where == ""


@pytest.mark.parametrize(
    ("day", "hours", "said"),
    [
        (AUTUMN, -0.5, "2026-10-25T01:30:00.000"),
        (AUTUMN, 2.5, "2026-10-25T03:30:00.000"),
        (SPRING, 0.75, "2026-03-29T01:45:00.000"),
        (SPRING, 1.25, "2026-03-29T03:15:00.000"),
    ],
)
def test_stopat_is_what_the_clock_showed_then_and_not_what_it_shows_when_the_log_is_backed_up(
    day: datetime, hours: float, said: str
) -> None:
    assert stopat(asked(night(day), utc(day, hours), BERLIN)) == said


@pytest.mark.parametrize("hours", [0.5, 1.5])
def test_an_hour_that_came_twice_cannot_be_stopped_in(hours: float) -> None:
    """Not even in the first: when nothing was written in the rest of it, the server reads on into the second."""
    found = asked(night(AUTUMN), utc(AUTUMN, hours), BERLIN)
    assert found.verdict is Reachability.UNREACHABLE
    assert "showed 02:30:00 twice, at 2026-10-25T00:30:00+00:00 and 2026-10-25T01:30:00+00:00" in found.reason
    assert (found.nearest.before, found.nearest.after) == (utc(AUTUMN, -2) + timedelta(seconds=1), utc(AUTUMN, 4))


def test_a_backup_of_an_hour_that_came_twice_is_of_either() -> None:
    full = backup(Kind.FULL, "F", (AUTUMN, 0.5), (100, 110))
    log = backup(Kind.LOG, "L", (AUTUMN, 4), (90, 200))
    known = list(records([full, log], (), SERVER))
    found = asked(known, utc(AUTUMN, 0.75), BERLIN)
    assert found.verdict is Reachability.UNKNOWN
    assert "the clock in Europe/Berlin showed its time twice" in found.reason
    assert [one.uuid for one in asked(known, utc(AUTUMN, 2.5), BERLIN).sets] == ["F", "L"]


def test_a_zone_in_which_the_server_was_not_is_refused() -> None:
    lost = backup(Kind.FULL, "F", (SPRING, -2), (100, 110), started=datetime(2026, 3, 29, 2, 30))  # noqa: DTZ001
    with pytest.raises(UsageError, match="has the time 2026-03-29 02:30:00, which was left out there"):
        placed(lost, BERLIN)
    other = backup(Kind.FULL, "F", (AUTUMN, -2), (100, 110), zone=60)
    with pytest.raises(UsageError, match=r"it was at \+01:00, and there it would have been at \+02:00"):
        placed(other, BERLIN)
    assert placed(msgspec.structs.replace(other, zone=120), BERLIN).began == Span(utc(AUTUMN, -2), utc(AUTUMN, -2))


def test_msdb_tells_the_second_of_two_hours_apart_and_restore_does_not() -> None:
    at = utc(AUTUMN, 1.5)
    one = placed(backup(Kind.LOG, "L", (AUTUMN, 1.25), (90, 200), zone=60), BERLIN)
    assert one.began == Span(utc(AUTUMN, 1.25), utc(AUTUMN, 1.25))
    found = reading([one], at)
    assert isinstance(found, Missing)
    assert found.reason == REPEATED


def hours(parts: list[tuple[int, str]]) -> list[tuple[Any, ...]]:
    """Each: so long nothing, a write, perhaps a backup; at last two logs, so that most of it can be reached."""
    backups: dict[str, list[tuple[Any, ...]]] = {
        "": [],
        "log": [("log", "")],
        "full": [("full", "", "")],
        "differential": [("differential",)],
    }
    actions = [one for wait, then in parts for one in (("wait", wait), ("write", False), *backups[then])]
    return [*actions, ("log", ""), ("wait", 800), ("log", "")]


WAITS = st.one_of(st.integers(1, 20), st.integers(20, 360))
WHAT = st.sampled_from(["", "", "", "log", "log", "full", "differential"])
NIGHTS = st.builds(
    play,
    st.lists(st.tuples(WAITS, WHAT), min_size=6, max_size=20).map(hours),
    informed=st.booleans(),
    zone=st.none(),
    epoch=st.sampled_from([AUTUMN - timedelta(hours=1.5), SPRING - timedelta(hours=1.5)]),
    where=st.just(BERLIN),
)


def stopped(server: Server, found: Sequenced) -> History:
    """What the server brings back: it reads the log until a record is later than STOPAT by its clock."""
    by_uuid = {one.uuid: one for one in server.taken}
    assert found.stop.time is not None
    until = local(found.stop.time, found.stop.zone)
    state: History = ()
    for one in found.sets:
        held = by_uuid[one.uuid]
        if one.kind is not Kind.LOG:
            state = held.history
            continue
        for record in held.history[len(state) :]:
            if server.clock(record.at) > until:
                return state
            state += (record,)
    return state


@settings(max_examples=150, deadline=None)
@given(NIGHTS, st.data(), st.sampled_from(["msdb", "media", "both"]))
def test_whatever_the_clock_does_the_very_state_comes_back(server: Server, data: st.DataObject, source: str) -> None:
    if source != "msdb":
        known = server.sets if source == "both" else [msgspec.structs.replace(one, zone=None) for one in server.sets]
        server.sets = [placed(one, BERLIN) for one in known]
    for at in data.draw(st.lists(st.sampled_from(sorted({at for at, _ in server.truth})), min_size=8, max_size=8)):
        stop = at + STEP // 2
        found = ask(server, stop)
        if found.verdict is Reachability.REACHABLE and found.stop.time is not None:
            assert stopped(server, found) == server.at(stop)
