"""What a copying program says while it works: that it succeeded, which locks it held for how long, and the moment whose
state it copied.

Both families' programs have one rule about success: the last line is ``completed OK!``, and the exit code is 0. Neither
is enough alone.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime

import msgspec

from dbops.errors import ToolFailed

__all__ = ["MARIADB", "MYSQL", "CopyLog", "Phrases", "reason_of"]

DONE = "completed OK!"
STAMP = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)")
NO_ROOM = re.compile(r"No space left on device|Disk quota exceeded|Errcode: 28\b|error 28\b")
LOST = re.compile(r"Lost connection|server has gone away|Can't connect|Failed to connect", re.IGNORECASE)
REFUSED = re.compile(r"Access denied|missing required privilege", re.IGNORECASE)
TROUBLE = re.compile(r"\berror\b|\bfailed\b|\bfailure\b|\bcannot\b|can't|\bunable\b|\bdenied\b", re.IGNORECASE)
# Names of tables may be such words.
NAMES = re.compile(r"Streaming |Copied file|Copying |table file .* copied|DDL tracking|Renaming |Skip")
LINES = 5


class Phrases(msgspec.Struct, frozen=True, kw_only=True):
    """The words of one family's program.

    :param locked: when a lock was taken; the group names it. :param unlocked: when all were let go.
    :param frozen: the first of these that is said marks the moment whose state is copied, or one shortly before it.
    """

    locked: str
    unlocked: str
    frozen: tuple[str, ...]


MARIADB = Phrases(
    locked=r"Acquired locks for BACKUP STAGE (\w+)|(Acquiring BACKUP LOCKS)",
    unlocked=r"Executing BACKUP STAGE END|All tables unlocked",
    frozen=("Acquired locks for BACKUP STAGE BLOCK_COMMIT", "Acquiring BACKUP LOCKS"),
)
MYSQL = Phrases(
    locked=r"Executing (LOCK INSTANCE FOR BACKUP|LOCK TABLES FOR BACKUP|FLUSH TABLES WITH READ LOCK)",
    unlocked=r"Executing UNLOCK INSTANCE|All tables unlocked",
    frozen=("Selecting LSN and binary log position from p_s.log_status", "Executing FLUSH TABLES WITH READ LOCK"),
)


class CopyLog:
    """Told line by line, by another thread."""

    def __init__(self, phrases: Phrases, clock: Callable[[], float] = time.monotonic) -> None:
        self._phrases, self._clock = phrases, clock
        self._locked = re.compile(phrases.locked)
        self._unlocked = re.compile(phrases.unlocked)
        self._taken: dict[str, float] = {}
        self._moments: dict[str, datetime] = {}
        self._trouble: list[str] = []
        self._last = ""
        self._lock = threading.Lock()
        self.held_s: dict[str, float] = {}

    def heard(self, line: str) -> None:
        """One line of standard error. The program must have run in UTC."""
        text = line.strip()
        if not text:
            return
        with self._lock:
            self._last = text
            self._note_locks(text)
            self._note_moment(text)
            if TROUBLE.search(text) and not NAMES.search(text):
                self._trouble = [*self._trouble[-LINES + 1 :], text]

    def _note_locks(self, text: str) -> None:
        taken = self._locked.search(text)
        if taken:
            name = next(group for group in taken.groups() if group)
            self._taken.setdefault(name, self._clock())
        elif self._unlocked.search(text):
            now = self._clock()
            self.held_s.update({name: round(now - since, 3) for name, since in self._taken.items()})
            self._taken.clear()

    def _note_moment(self, text: str) -> None:
        stamp = STAMP.search(text)
        for phrase in self._phrases.frozen:
            if phrase in text and stamp:
                said = datetime.fromisoformat(f"{stamp[1]}T{stamp[2]}").replace(tzinfo=UTC)
                self._moments.setdefault(phrase, said)

    @property
    def frozen_at(self) -> datetime | None:
        """Never later than the state that was copied; whole seconds."""
        found = (self._moments.get(phrase) for phrase in self._phrases.frozen)
        return next((moment for moment in found if moment is not None), None)

    def check(self) -> None:
        """:raises ToolFailed: it did not say that it succeeded."""
        if not self._last.endswith(DONE):
            said = self.trouble() or _plain(self._last) or "it said nothing"
            raise ToolFailed(f"the copying program did not say that it had completed: {said}", reason=reason_of(said))

    def trouble(self) -> str:
        """The last lines that tell of trouble, without their times."""
        return "; ".join(map(_plain, self._trouble))


def _plain(line: str) -> str:
    return re.sub(r"^\[\d+\] (?:FATAL ERROR: )?\S+ \S+ |^\d{4}-\S+ (?:[\d:]+ )?\d+ ", "", line)


def reason_of(said: str) -> str:
    """The machine reason behind what a program said; empty when its words tell nothing about the place."""
    reasons = {"no_space": NO_ROOM, "no_permission": REFUSED, "connect_failed": LOST}
    return next((reason for reason, pattern in reasons.items() if pattern.search(said)), "")
