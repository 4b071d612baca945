"""What tables held when a backup was made, against what came back: numbers that a backend computed in the server."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from dbops.errors import InputError

__all__ = ["FAILED", "Comparison", "Fingerprint", "compare", "read"]

FAILED = "failed"


class Fingerprint(msgspec.Struct, frozen=True, omit_defaults=True):
    """One object. ``skipped`` is the backend's word for why there is no hash: ``no_permission``, ``budget``,
    ``locked``, ``rewritten`` (since the snapshot), ``failed`` …"""

    name: str
    kind: str = "table"
    rows: int = 0
    hash: str = ""
    value: int | None = None
    step: int = 0
    skipped: str = ""


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """Two readings of one database; ``different`` says for each object in what."""

    compared: int
    equal: int
    different: tuple[str, ...]
    skipped: Mapping[str, int]


def read(lines: bytes, origin: str = "fingerprints") -> tuple[Fingerprint, ...]:
    """A JSON object on each line.

    :raises InputError: it is something else.
    """
    try:
        return tuple(msgspec.json.decode(line, type=Fingerprint) for line in lines.splitlines())
    except (msgspec.ValidationError, msgspec.DecodeError) as error:
        raise InputError(f"{origin}: these are not fingerprints that can be read: {error}") from None


def compare(recorded: Sequence[Fingerprint], found: Sequence[Fingerprint]) -> Comparison:
    """Pure: what the backup said against what came back. An object that only one side could read counts as skipped;
    one that is gone, or that came out of nowhere, is different."""
    there = {(one.kind, one.name): one for one in found}
    different: list[str] = []
    skipped: dict[str, int] = {}
    compared = 0
    for one in recorded:
        other = there.pop((one.kind, one.name), None)
        # What could be read when the backup was made and cannot be read now is a finding, not a gap.
        reason = other and (one.skipped or (other.skipped if other.skipped != FAILED else ""))
        if reason:
            skipped[reason] = skipped.get(reason, 0) + 1
            continue
        compared += 1
        if said := _difference(one, other):
            different.append(said)
    extra = [one for one in there.values() if one.kind == "table" and not one.skipped]
    different += [f"{one.name}: was not there when the backup was made" for one in extra]
    compared += len(extra)
    return Comparison(compared=compared, equal=compared - len(different), different=tuple(different), skipped=skipped)


def _difference(one: Fingerprint, other: Fingerprint | None) -> str:
    if other is None:
        return f"{one.name}: the {one.kind} is gone"
    if one.kind == "sequence":
        return _moved(one, other)
    if other.skipped:
        return f"{one.name}: it cannot be read any more"
    if one.rows != other.rows:
        return f"{one.name}: {one.rows} rows were backed up, {other.rows} came back"
    return "" if one.hash == other.hash else f"{one.name}: rows differ (their number, {one.rows}, is the same)"


def _moved(one: Fingerprint, other: Fingerprint) -> str:
    """A sequence moves on between the dump and the reading; it never goes beyond what was read later."""
    if one.value is None or other.value is None or one.step == 0:
        return ""
    beyond = other.value > one.value if one.step > 0 else other.value < one.value
    return f"{one.name}: stands at {other.value}, beyond the {one.value} that was recorded" if beyond else ""
