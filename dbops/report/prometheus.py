"""The text exposition format of Prometheus, for a textfile collector.

https://prometheus.io/docs/instrumenting/exposition_formats/
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

__all__ = ["Family", "Sample", "exposition"]


class Sample(msgspec.Struct, frozen=True):
    """One value with its labels."""

    value: float
    labels: Mapping[str, str] = {}


class Family(msgspec.Struct, frozen=True):
    """A metric; a family without samples is left out."""

    name: str
    help: str
    samples: Sequence[Sample]
    type: str = "gauge"


def exposition(families: Sequence[Family]) -> str:
    """All families, each with its help and type."""
    return "".join(_family(one) for one in families if one.samples)


def _family(family: Family) -> str:
    said = family.help.replace("\\", "\\\\").replace("\n", "\\n")
    head = f"# HELP {family.name} {said}\n# TYPE {family.name} {family.type}\n"
    return head + "".join(f"{family.name}{_labels(one.labels)} {_number(one.value)}\n" for one in family.samples)


def _labels(labels: Mapping[str, str]) -> str:
    pairs = ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items())
    return f"{{{pairs}}}" if pairs else ""


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _number(value: float) -> str:
    return str(int(value)) if value % 1 == 0 else repr(value)
