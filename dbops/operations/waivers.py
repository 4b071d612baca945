"""The waivers of a target's configuration, as the decisions take them."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from datetime import time as time_of_day

from dbops.config import Target, Waiver
from dbops.durations import instant
from dbops.errors import ConfigError, UsageError
from dbops.model.health import WaiverRule

__all__ = ["waiver_rules"]


def waiver_rules(target: Target, path: str) -> tuple[WaiverRule, ...]:
    """:raises ConfigError: a time that is none, with ``path`` (the configuration's) and the key."""
    where = f"{path or 'targets'}: targets.{target.name}.waivers"
    return tuple(_rule(one, f"{where}[{at}].until") for at, one in enumerate(target.waivers))


def _rule(waiver: Waiver, where: str) -> WaiverRule:
    until = _until(waiver.until, where) if waiver.until else None
    return WaiverRule(id=waiver.id, reason=waiver.reason, by=waiver.by, until=until, fingerprint=waiver.fingerprint)


def _until(text: str, where: str) -> datetime:
    """A day counts to its end, in UTC."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        try:
            return instant(text, where)
        except UsageError as error:
            raise ConfigError(error.message, hint=error.hint) from None
    return instant(datetime.combine(day + timedelta(days=1), time_of_day()).isoformat() + "+00:00")
