"""One holder at a time, whoever comes, and no lock that a dead process leaves behind."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from dbops.errors import Locked
from dbops.model.repository import Owner
from dbops.repository.lease import SCHEMA, HeldLease, Leases
from dbops.repository.owner import certainly_dead, this_process
from dbops.repository.sealed import seal
from dbops.testing.memory_storage import MemoryStorage

TTL = timedelta(seconds=120)


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 7, 14, 2, 15, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def later(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def storage() -> MemoryStorage:
    return MemoryStorage()


@pytest.fixture
def leases(storage: MemoryStorage, clock: Clock) -> Iterator[Leases]:
    yield Leases(storage, clock)
    for thread in threading.enumerate():
        assert thread.daemon or not thread.name.startswith("lease-")


def take(leases: Leases) -> HeldLease:
    return leases.take("backup-shop", "the backup of shop", TTL)


def elsewhere(storage: MemoryStorage, held: HeldLease) -> None:
    """Rewrite the stored lease as that of a process on another machine."""
    owner = Owner(host="db2", user="postgres", pid=4711, place="another boot")
    state = msgspec.structs.replace(held.lease, owner=owner)
    key = next(iter(storage.objects))
    storage.objects[key] = seal(state, SCHEMA)[0]


def test_a_second_one_is_told_who_since_when_and_how_to_go_on(leases: Leases) -> None:
    with take(leases), pytest.raises(Locked) as caught:
        take(leases)
    assert "the backup of shop is running already" in caught.value.message
    assert f"process {os.getpid()}" in caught.value.message
    assert "since 2026-07-14 02:15:00+0000" in caught.value.message
    assert "its lease ends by itself at 02:17:00+0000" in caught.value.hint


def test_the_next_one_comes_in_after_release_with_a_higher_fence(leases: Leases) -> None:
    with take(leases) as first:
        pass
    with take(leases) as second:
        assert second.lease.fence > first.lease.fence


def test_leases_of_other_names_do_not_meet(leases: Leases) -> None:
    with take(leases), leases.take("verify-shop", "the proof of shop", TTL):
        pass


def test_an_expired_one_is_broken_and_its_holder_knows(leases: Leases, storage: MemoryStorage, clock: Clock) -> None:
    first = take(leases)
    elsewhere(storage, first)
    clock.later(121)
    with pytest.raises(Locked):
        take(leases)  # the other machine's clock may be late
    clock.later(30)
    second = take(leases)
    assert second.lease.fence > first.lease.fence
    with pytest.raises(Locked, match="was lost to another run"):
        first.check()
    first.release()
    second.check()
    assert leases.live("backup-shop", second.lease.fence)
    assert not leases.live("backup-shop", first.lease.fence)
    second.release()


def test_a_holder_that_slept_alone_goes_on(leases: Leases, clock: Clock) -> None:
    with take(leases) as held:
        clock.later(3600)
        held.check()
        assert held.lease.expires_at == clock.now + TTL
        assert leases.live("backup-shop", held.lease.fence)


def test_a_thread_renews_it_until_release(storage: MemoryStorage) -> None:
    leases = Leases(storage, lambda: datetime.now(UTC))
    with leases.take("backup-shop", "the backup of shop", timedelta(milliseconds=60)) as held:
        deadline = time.monotonic() + 10
        while held.lease.number < 4 and time.monotonic() < deadline:
            time.sleep(0.01)
        assert held.lease.number >= 4
        assert held.lease.expires_at > held.lease.acquired_at + timedelta(milliseconds=60)
    number = held.lease.number
    time.sleep(0.1)
    assert held.lease.number == number, "nothing is renewed after release"


def test_only_the_latest_state_is_kept(leases: Leases, storage: MemoryStorage, clock: Clock) -> None:
    with take(leases) as held:
        for _ in range(3):
            clock.later(121)
            held.check()
        assert list(storage.objects) == ["leases/backup-shop/000000000004"]
        assert held.lease.fence == 1


def test_a_late_contender_that_creates_a_removed_number_sees_that_it_lost(
    leases: Leases, storage: MemoryStorage, clock: Clock
) -> None:
    with take(leases) as held:
        clock.later(121)
        held.check()
        clock.later(121)
        held.check()
        stale = msgspec.structs.replace(held.lease, number=2, fence=2)  # number 2 was there, and is gone
        assert not leases.put(stale)
        assert list(storage.objects) == ["leases/backup-shop/000000000003"]
        held.check()


def test_of_many_contenders_exactly_one_wins(leases: Leases) -> None:
    won: list[HeldLease] = []
    lost: list[Locked] = []
    start = threading.Barrier(8)

    def contend() -> None:
        start.wait()
        try:
            won.append(take(leases))
        except Locked as error:
            lost.append(error)

    threads = [threading.Thread(target=contend) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(won), len(lost)) == (1, 7)
    won[0].release()


def test_a_lease_that_cannot_be_read_is_held_for_a_while(leases: Leases, storage: MemoryStorage, clock: Clock) -> None:
    storage.objects["leases/backup-shop/000000000007"] = b""
    storage.now = clock.now
    with pytest.raises(Locked, match="something that cannot be read"):
        take(leases)
    clock.later(700)
    with take(leases) as held:
        assert held.lease.fence == 8


def test_a_store_that_dies_while_releasing_is_no_error(leases: Leases, storage: MemoryStorage) -> None:
    held = take(leases)
    storage.dies_after = 0
    held.release()


def test_this_process_is_not_dead() -> None:
    assert not certainly_dead(this_process())


def test_an_earlier_process_of_the_same_pid_is_dead() -> None:
    assert certainly_dead(msgspec.structs.replace(this_process(), born="1"))


@pytest.mark.parametrize("place", ["", "another boot"])
def test_a_process_of_another_place_is_never_proved_dead(place: str) -> None:
    assert not certainly_dead(msgspec.structs.replace(this_process(), place=place, born="1", pid=4194305))


def test_the_lease_of_a_dead_process_of_this_machine_is_broken_at_once(leases: Leases, storage: MemoryStorage) -> None:
    held = take(leases)
    dead = msgspec.structs.replace(this_process(), pid=4194305)  # beyond the largest pid of Linux
    assert leases.put(msgspec.structs.replace(held.lease, number=2, owner=dead))
    with take(leases) as next_one:
        assert next_one.lease.fence == 3
