"""Settings that can cost data."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import msgspec

from dbops.health.answers import Answers
from dbops.model.finding import Missing, Remedy
from dbops.model.health import Check, Observation, Status, Threshold
from dbops_postgresql.health.checks.rule import DOCS, OWN, Context, Rule

__all__ = ["RULES", "WATCHED"]

DANGEROUS = Check(
    id="pg.settings.dangerous",
    title="Settings that can cost data",
    engine="postgresql",
    unit="",
    needs=("settings",),
    threshold=Threshold(),
    source=f"{OWN}, after the documentation of each setting",
    privilege="none",
    remedy=Remedy(
        text="Set it back. Some take effect at the next restart alone.",
        risk="restart",
        url=f"{DOCS}runtime-config.html",
    ),
)


class _Danger(NamedTuple):
    bad: str
    status: Status
    why: str
    sql: str


def _system(name: str, value: str) -> str:
    return f"ALTER SYSTEM SET {name} = {value}; SELECT pg_reload_conf();"


WATCHED = {
    "fsync": _Danger("off", Status.CRITICAL, "a crash can destroy the cluster", _system("fsync", "on")),
    "full_page_writes": _Danger(
        "off", Status.CRITICAL, "a crash can leave torn pages", _system("full_page_writes", "on")
    ),
    "zero_damaged_pages": _Danger(
        "on", Status.CRITICAL, "damaged pages are silently emptied", _system("zero_damaged_pages", "off")
    ),
    "ignore_checksum_failure": _Danger(
        "on", Status.CRITICAL, "damaged pages are read as if they were good", _system("ignore_checksum_failure", "off")
    ),
    "ignore_system_indexes": _Danger(
        "on", Status.WARNING, "meant for repairs only", _system("ignore_system_indexes", "off")
    ),
    "data_checksums": _Danger(
        "off",
        Status.WARNING,
        "damage by disks and memory goes unnoticed",
        "-- stop the server, then: pg_checksums --enable",
    ),
    "autovacuum": _Danger("off", Status.WARNING, "bloat and wraparound come unhindered", _system("autovacuum", "on")),
    "track_counts": _Danger("off", Status.WARNING, "autovacuum is blind without it", _system("track_counts", "on")),
    "allow_system_table_mods": _Danger(
        "on", Status.WARNING, "one statement can break the catalog", _system("allow_system_table_mods", "off")
    ),
}


class _Setting(msgspec.Struct, frozen=True):
    name: str
    place: str
    setting: str | None = None


def _dangerous(answers: Answers, _context: Context) -> Iterator[Observation]:
    found = {(one.name, one.place): one.setting for one in answers.rows("settings", _Setting)}
    for name in WATCHED:
        found.setdefault((name, ""), None)
    for (name, place), setting in sorted(found.items()):
        yield _judge(name, place, setting)


def _judge(name: str, place: str, setting: str | None) -> Observation:
    where = f"parameter:{name}{f' {place}' if place else ''}"
    if setting is None:
        missing = Missing("hidden_rows", f"{name} is hidden from this login")
        return Observation(object=where, summary="its value is not known", missing=missing)
    danger = WATCHED[name]
    said = f"{name} = {setting}{f' {place}' if place else ''}"
    if _plain(setting) != danger.bad:
        return Observation(object=where, summary=f"no dangerous setting among {len(WATCHED)}", state=Status.OK)
    sql = "" if place else danger.sql
    return Observation(object=where, summary=f"{said}: {danger.why}", state=danger.status, sql=sql)


def _plain(setting: str) -> str:
    """A boolean as the server prints it; overrides are stored as somebody wrote them."""
    word = setting.strip().lower()
    if word in ("1", "t", "tr", "tru", "true", "y", "ye", "yes"):
        return "on"
    return "off" if word in ("0", "f", "fa", "fal", "fals", "false", "n", "no", "of") else word


RULES = (Rule(DANGEROUS, _dangerous),)
