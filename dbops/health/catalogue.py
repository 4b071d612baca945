"""The checks that every engine has, beside those of its own; and choosing among them."""

from __future__ import annotations

import difflib
import fnmatch
from collections.abc import Sequence

import msgspec

from dbops.errors import UsageError
from dbops.model.finding import Remedy
from dbops.model.health import Check, Threshold

__all__ = ["BACKUP_AGE", "BACKUP_PROOF", "choose", "known", "protection_checks"]

DAY = 86_400.0

BACKUP_AGE = Check(
    id="backup.age",
    title="Age of the newest backup",
    engine="",
    unit="seconds",
    measured_by="repository",
    threshold=Threshold(warning=DAY * 1.5, critical=DAY * 3),
    source="dbops; objective.rpo of the target when it is set",
    privilege="a repository that can be read",
    remedy=Remedy(text="Make a backup: dbops backup run TARGET. A job in dbops.toml makes one every night."),
)
BACKUP_PROOF = Check(
    id="backup.proof",
    title="Age of the last proven backup",
    engine="",
    unit="seconds",
    measured_by="repository",
    threshold=Threshold(warning=DAY * 8, critical=DAY * 31),
    source="dbops; objective.verify.every of the target when it is set",
    privilege="a repository that can be read",
    remedy=Remedy(text="Restore one and look: dbops backup verify TARGET. A backup that nobody restored is a hope."),
)


def protection_checks(rpo_s: int | None, verify_every_s: int | None) -> tuple[Check, ...]:
    """``backup.age`` and ``backup.proof`` by the target's own objectives; warned of when three quarters are over."""
    return (_within(BACKUP_AGE, rpo_s), _within(BACKUP_PROOF, verify_every_s))


def choose(checks: Sequence[Check], only: Sequence[str] = (), skip: Sequence[str] = ()) -> tuple[Check, ...]:
    """The checks asked for, in the catalogue's order. An id may hold ``*``."""
    return tuple(one for one in checks if (not only or _any(one.id, only)) and not _any(one.id, skip))


def known(checks: Sequence[Check], words: Sequence[str]) -> None:
    """:raises UsageError: a word of ``only`` or ``skip`` that fits no check."""
    for word in words:
        if not any(_any(check.id, [word]) for check in checks):
            close = difflib.get_close_matches(word, [check.id for check in checks], n=1)
            hint = f"Did you mean {close[0]}?" if close else "See: dbops health list."
            raise UsageError(f"there is no check {word!r}", hint=hint)


def _any(identity: str, words: Sequence[str]) -> bool:
    return any(fnmatch.fnmatchcase(identity, word) for word in words)


def _within(check: Check, limit_s: int | None) -> Check:
    if limit_s is None:
        return check
    return msgspec.structs.replace(check, threshold=Threshold(warning=limit_s * 0.75, critical=float(limit_s)))
