"""Values against thresholds, and the thresholds that somebody set instead."""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping, Sequence

import msgspec

from dbops.errors import ConfigError
from dbops.model.health import Check, Status, Threshold

__all__ = ["compare", "overridden"]

KEYS = ("warning", "critical")


def compare(value: float, threshold: Threshold) -> Status:
    """OK, WARNING or CRITICAL; what is no number is UNKNOWN. At the threshold is already bad."""
    if math.isnan(value):
        return Status.UNKNOWN
    sign = -1 if threshold.low_bad else 1
    if threshold.critical is not None and sign * value >= sign * threshold.critical:
        return Status.CRITICAL
    if threshold.warning is not None and sign * value >= sign * threshold.warning:
        return Status.WARNING
    return Status.OK


def overridden(checks: Sequence[Check], overrides: Mapping[str, Mapping[str, float]], where: str) -> tuple[Check, ...]:
    """The checks with the thresholds of ``overrides`` (by id) in place of their own.

    :param where: the overrides stand, for messages.
    :raises ConfigError: an unknown id or key, or thresholds in the wrong order.
    """
    found = {check.id: check for check in checks}
    for identity, values in overrides.items():
        _known(identity, list(found), where)
        for key in values:
            _known(key, KEYS, f"{where}.{identity!r}")
        check = found[identity]
        changed = msgspec.structs.replace(check.threshold, **{key: float(value) for key, value in values.items()})
        _ordered(changed, f"{where}.{identity!r}")
        found[identity] = msgspec.structs.replace(check, threshold=changed, source=where)
    return tuple(found.values())


def _known(word: str, words: Sequence[str], where: str) -> None:
    if word in words:
        return
    close = difflib.get_close_matches(word, words, n=1)
    hint = f"Did you mean {close[0]!r}?" if close else f"Known: {', '.join(words)}."
    raise ConfigError(f"{where}: unknown key {word!r}", hint=hint)


def _ordered(threshold: Threshold, where: str) -> None:
    warning, critical = threshold.warning, threshold.critical
    if warning is None or critical is None:
        return
    if warning < critical if threshold.low_bad else warning > critical:
        better = "above" if threshold.low_bad else "below"
        raise ConfigError(
            f"{where}: the warning at {warning:g} would come after critical at {critical:g}",
            hint=f"A warning threshold lies {better} the critical one here; set both.",
        )
