"""The server's release against those that this package knows: no look-up on the network at check time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from functools import cache
from importlib.resources import files

import msgspec

from dbops.health.answers import Answers
from dbops.model.finding import Missing, Remedy
from dbops.model.health import Check, Observation, Threshold
from dbops.model.server import Version
from dbops_mssql.health.checks.rule import ENGINE, OWN, Context, Rule
from dbops_mssql.health.pages import PAGES

__all__ = ["RULES", "Release", "ServicePack", "releases", "service_packs"]

CHECK = Check(
    id="ms.version.eol",
    title="Days until the build is no longer supported",
    engine=ENGINE,
    unit="days",
    threshold=Threshold(warning=180, critical=0, low_bad=True),
    source=f"{OWN}; sp_Blitz and dbachecks: an unsupported build",
    privilege="none",
    remedy=Remedy(
        text="Install the newest service pack or cumulative update; where the release itself ends, plan the upgrade. "
        "After the end there are no security updates but those that are bought.",
        risk="restart",
        url=PAGES["release"],
    ),
)


class Release(msgspec.Struct, frozen=True):
    """``2022``, and the last day on which everybody gets security updates."""

    name: str
    end_of_support: date
    page: str


class ServicePack(msgspec.Struct, frozen=True):
    """Builds ``before`` this one had their last day of support earlier than the release."""

    before: tuple[int, ...]
    name: str
    end_of_support: date


class _Shipped(msgspec.Struct, frozen=True):
    source: str
    releases: dict[str, Release]
    service_packs: dict[str, tuple[ServicePack, ...]]


@cache
def _shipped() -> _Shipped:
    known = files("dbops_mssql").joinpath("health/releases.json").read_bytes()
    return msgspec.json.decode(known, type=_Shipped)


def releases() -> Mapping[int, Release]:
    """By major version."""
    return {int(major): one for major, one in _shipped().releases.items()}


def service_packs(major: int) -> Sequence[ServicePack]:
    """Of a release that had such, the oldest first."""
    return _shipped().service_packs.get(str(major), ())


def _end_of_support(_answers: Answers, context: Context) -> Iterator[Observation]:
    version = context.server.version
    known = releases()
    release = known.get(version[0])
    if release is None:
        missing = Missing("stale_input", f"this dbops knows {', '.join(one.name for one in known.values())}")
        yield Observation(summary=f"SQL Server {context.server.version_text} is not known", missing=missing)
        return
    name, end = _support(version, release)
    days = (end - context.now.date()).days
    summary = f"support of SQL Server {name} {'ends' if days >= 0 else 'ended'} on {end}"
    yield Observation(summary=summary, value=float(days), evidence={"end_of_support": end.isoformat(), "name": name})


def _support(version: Version, release: Release) -> tuple[str, date]:
    for pack in service_packs(version[0]):
        if version < pack.before:
            return pack.name, pack.end_of_support
    return release.name, release.end_of_support


RULES = (Rule(CHECK, _end_of_support, "releases"),)
