"""The server's series against those that this package knows: no look-up on the network at check time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from functools import cache
from importlib.resources import files

import msgspec

from dbops.health.answers import Answers
from dbops.model.finding import Missing, Remedy
from dbops.model.health import Check, Observation, Threshold
from dbops_mysql.health.checks.rule import OWN, Context, Family, Rule

__all__ = ["Series", "rules", "series"]


class Series(msgspec.Struct, frozen=True):
    """A series such as 8.4 and the last day of its support by those who make it."""

    end_of_life: date


class _Engine(msgspec.Struct, frozen=True):
    source: str
    series: dict[str, Series]


@cache
def series(engine: str) -> dict[str, Series]:
    """The series of an engine that were shipped with this package."""
    known = files("dbops_mysql").joinpath("health/releases.json").read_bytes()
    return msgspec.json.decode(known, type=dict[str, _Engine])[engine].series


def rules(family: Family) -> tuple[Rule, ...]:
    """Of one engine."""
    check = Check(
        id="my.version.eol",
        title="Days until the version is no longer supported",
        engine=family.name,
        unit="days",
        threshold=Threshold(warning=180, critical=0, low_bad=True),
        source=OWN,
        privilege="none",
        remedy=Remedy(
            text="Plan the upgrade to a series with long-term support.", risk="restart", url=family.pages["versions"]
        ),
    )
    return (Rule(check, _end_of_life),)


def _end_of_life(_answers: Answers, context: Context) -> Iterator[Observation]:
    name = ".".join(map(str, context.server.version[:2]))
    known = series(context.family.name)
    if name not in known:
        missing = Missing("stale_input", f"this dbops knows {', '.join(known)}")
        yield Observation(summary=f"{context.family.label} {name} is not known", missing=missing)
        return
    end = known[name].end_of_life
    days = (end - context.now.date()).days
    summary = f"support of {context.family.label} {name} {'ends' if days >= 0 else 'ended'} on {end}"
    yield Observation(summary=summary, value=float(days), evidence={"end_of_life": end.isoformat()})
