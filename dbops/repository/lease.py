"""Leases: one holder at a time, among all hosts, on a store that can only create what is absent.

Every state of a lease is an object of its own, ``leases/<name>/<number>``, and the highest number counts. Taking,
renewing and releasing all mean creating the next number, which only one of several contenders can do. Lower numbers
are removed afterwards. So whoever creates a number that was there before (removed since) finds a higher one when it
looks again, and knows that it lost: a higher number was always there before a lower one went.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Self

import msgspec

from dbops.errors import Damaged, DbopsError, Locked
from dbops.model.repository import Lease, Owner
from dbops.repository.layout import LEASES, segment
from dbops.repository.owner import certainly_dead, this_process
from dbops.repository.sealed import seal, unseal
from dbops.storage.base import NoSuchObject, ObjectExists, Stat, Storage

__all__ = ["HeldLease", "Leases"]

SCHEMA = "dbops.lease/1"
SKEW = timedelta(seconds=30)
"""How far the clocks of two hosts may differ before a live lease could be taken for an expired one."""

UNREADABLE = timedelta(minutes=10)
"""How long a lease that cannot be read is taken for held; a file system without links shows one while it is made."""


class Leases:
    """The leases of one repository."""

    def __init__(self, storage: Storage, clock: Callable[[], datetime]) -> None:
        self._storage = storage
        self._clock = clock

    def take(self, name: str, purpose: str, ttl: timedelta) -> HeldLease:
        """:raises Locked: somebody else holds it; the message names who, since when, and for what."""
        for _ in range(8):
            found = self.current(name)
            if found is not None and self._held(found):
                raise _locked(found)
            now = self._clock()
            number = found.number + 1 if found else 1
            lease = Lease(
                name=name,
                fence=number,
                number=number,
                owner=this_process(),
                purpose=purpose,
                acquired_at=now,
                renewed_at=now,
                expires_at=now + ttl,
            )
            if self.put(lease):
                return HeldLease(self, lease, ttl, self._clock)
        raise Locked(f"{purpose}: others keep taking the lease {name}", hint="Try again.")

    def live(self, name: str, fence: int) -> bool:
        """Whether the holder with this fencing number may still be at work."""
        found = self.current(name)
        return found is not None and found.fence == fence and self._held(found)

    def current(self, name: str) -> Lease | None:
        """The latest state, whether it still holds or not."""
        while True:
            latest = self._latest(name)
            if latest is None:
                return None
            with suppress(NoSuchObject):  # renewed while we looked
                return self._read(name, latest)

    def put(self, lease: Lease) -> bool:
        """Make this the latest state; False when somebody else's is."""
        try:
            self._storage.create(_key(lease.name, lease.number), seal(lease, SCHEMA)[0])
        except ObjectExists:
            return False
        latest = self._latest(lease.name)
        if latest is None or _number(latest) != lease.number:
            self._storage.delete(_key(lease.name, lease.number))
            return False
        for old in list(self._storage.list(_folder(lease.name))):
            if _number(old) < lease.number:
                self._storage.delete(old.key)
        return True

    def _latest(self, name: str) -> Stat | None:
        return max(self._storage.list(_folder(name)), key=_number, default=None)

    def _read(self, name: str, found: Stat) -> Lease:
        try:
            return unseal(self._storage.get(found.key), Lease, SCHEMA, f"the lease {found.key}")[0]
        except Damaged:
            return Lease(
                name=name,
                fence=_number(found),
                number=_number(found),
                owner=Owner(host="unknown", user="unknown", pid=0),
                purpose="something that cannot be read",
                acquired_at=found.modified_at,
                renewed_at=found.modified_at,
                expires_at=found.modified_at + UNREADABLE,
            )

    def _held(self, lease: Lease) -> bool:
        if lease.released or certainly_dead(lease.owner):
            return False
        return self._clock() < lease.expires_at + SKEW


class HeldLease:
    """A lease that this process holds; a daemon thread renews it until ``release``."""

    def __init__(self, leases: Leases, lease: Lease, ttl: timedelta, clock: Callable[[], datetime]) -> None:
        self.lease = lease
        self._leases, self._ttl, self._clock = leases, ttl, clock
        self._lost = False
        self._lock = threading.Lock()
        self._ended = threading.Event()
        threading.Thread(target=self._keep, name=f"lease-{lease.name}", daemon=True).start()

    def check(self) -> None:
        """:raises Locked: it was lost: this process slept, or was cut off from the store, beyond its expiry."""
        if not self._lost and self._clock() >= self.lease.expires_at:
            self._advance(released=False)
        if self._lost:
            raise Locked(
                f"the lease {self.lease.name} was lost to another run while {self.lease.purpose} slept or had no store",
                hint="What it wrote does not count. Start it again.",
            )

    def release(self) -> None:
        """Let the next one in. When the store cannot be written, the lease ends by its expiry instead."""
        self._ended.set()
        with suppress(DbopsError):
            self._advance(released=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.release()

    def _advance(self, *, released: bool) -> None:
        with self._lock:
            if self._lost or self.lease.released:
                return
            now = self._clock()
            later = msgspec.structs.replace(
                self.lease,
                number=self.lease.number + 1,
                renewed_at=now,
                expires_at=now + self._ttl,
                released=released,
            )
            if self._leases.put(later):
                self.lease = later
            else:
                self._lost = True

    def _keep(self) -> None:
        while not self._ended.wait(self._ttl.total_seconds() / 3):
            with suppress(DbopsError):  # the store may be back before the lease expires; `check` tells when not
                self._advance(released=False)


def _folder(name: str) -> str:
    return f"{LEASES}/{segment(name)}"


def _key(name: str, number: int) -> str:
    return f"{_folder(name)}/{number:012d}"


def _number(found: Stat) -> int:
    tail = found.key.rpartition("/")[2]
    return int(tail) if tail.isdecimal() else 0


def _locked(lease: Lease) -> Locked:
    owner = lease.owner
    return Locked(
        f"{lease.purpose} is running already: {owner.user} on {owner.host}, process {owner.pid}, "
        f"since {lease.acquired_at:%Y-%m-%d %H:%M:%S%z}",
        hint=f"Wait for it and try again. When it is gone, its lease ends by itself at {lease.expires_at:%H:%M:%S%z} "
        "(at once when it ran on this machine).",
    )
