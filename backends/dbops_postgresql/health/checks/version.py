"""The server's version against the releases that this package knows: no look-up on the network at check time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from functools import cache
from importlib.resources import files

import msgspec

from dbops.health.answers import Answers
from dbops.model.finding import Missing, Remedy
from dbops.model.health import Check, Observation, Threshold
from dbops_postgresql.health.checks.rule import OWN, Context, Rule

__all__ = ["RULES", "Release", "releases"]

END_OF_LIFE = Check(
    id="pg.version.eol",
    title="Days until the version is no longer supported",
    engine="postgresql",
    unit="days",
    threshold=Threshold(warning=180, critical=0, low_bad=True),
    source=OWN,
    privilege="none",
    remedy=Remedy(
        text="Plan the upgrade to a supported major version.",
        risk="restart",
        url="https://www.postgresql.org/support/versioning/",
    ),
)
BEHIND = Check(
    id="pg.version.minor",
    title="Minor releases behind",
    engine="postgresql",
    unit="releases",
    threshold=Threshold(warning=1),
    source=OWN,
    privilege="none",
    remedy=Remedy(
        text="Install the newest minor release: it needs a restart and no migration.",
        risk="restart",
        url="https://www.postgresql.org/support/versioning/",
    ),
)


class Release(msgspec.Struct, frozen=True):
    """A major version: its last day of support and its newest minor release, known on the day ``as_of``."""

    end_of_life: date
    newest: int
    as_of: date


class _Releases(msgspec.Struct, frozen=True):
    source: str
    majors: dict[int, Release]


@cache
def releases() -> dict[int, Release]:
    """The releases shipped with this package."""
    return msgspec.json.decode(
        files("dbops_postgresql").joinpath("health/releases.json").read_bytes(), type=_Releases
    ).majors


def _end_of_life(_answers: Answers, context: Context) -> Iterator[Observation]:
    release = releases().get(context.server.major)
    if release is None:
        yield _unknown(context)
        return
    days = (release.end_of_life - context.now.date()).days
    when = f"support of PostgreSQL {context.server.major} {'ends' if days >= 0 else 'ended'} on {release.end_of_life}"
    yield Observation(summary=when, value=float(days), evidence={"end_of_life": release.end_of_life.isoformat()})


def _behind(_answers: Answers, context: Context) -> Iterator[Observation]:
    release = releases().get(context.server.major)
    if release is None:
        yield _unknown(context)
        return
    minor = context.server.version[1] if len(context.server.version) > 1 else 0
    newest = f"{context.server.major}.{release.newest}"
    behind = max(0, release.newest - minor)
    said = f"{context.server.version_text} is {behind} behind {newest}" if behind else f"{context.server.version_text}"
    yield Observation(
        summary=f"{said}; the newest release known to dbops is {newest} (as of {release.as_of})",
        value=float(behind),
        evidence={"newest": newest, "as_of": release.as_of.isoformat()},
    )


def _unknown(context: Context) -> Observation:
    missing = Missing("stale_input", f"this dbops knows PostgreSQL {min(releases())} to {max(releases())}")
    return Observation(summary=f"PostgreSQL {context.server.major} is not known", missing=missing)


RULES = (Rule(END_OF_LIFE, _end_of_life), Rule(BEHIND, _behind))
