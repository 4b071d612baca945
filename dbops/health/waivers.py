"""Accepted findings: who accepted what, and until when."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime

from dbops.model.finding import Waived
from dbops.model.health import WaiverRule

__all__ = ["waiver"]


def waiver(check: str, fingerprint: str, rules: Sequence[WaiverRule], now: datetime) -> Waived | None:
    """The first rule in force that accepts this finding; an expired one accepts nothing."""
    for rule in rules:
        in_force = rule.until is None or now < rule.until
        if in_force and _matches(rule.id, check) and rule.fingerprint in ("", fingerprint):
            return Waived(reason=rule.reason, by=rule.by, until=rule.until)
    return None


def _matches(pattern: str, identity: str) -> bool:
    return re.fullmatch(".*".join(re.escape(part) for part in pattern.split("*")), identity) is not None
