"""Plots as SVG inside the page, when matplotlib is installed (the extra ``report``)."""

from __future__ import annotations

import importlib
import importlib.util
import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from dbops.model.finding import Missing
from dbops.model.report import Timing

if TYPE_CHECKING:
    from markupsafe import Markup

__all__ = ["available", "durations"]

FEWEST = 2
KINDS = ("backup", "verify", "restore")
COLOURS = {"backup": "#3b6ea5", "verify": "#4c956c", "restore": "#b56576"}


def available() -> bool:
    """Whether matplotlib is installed."""
    return importlib.util.find_spec("matplotlib") is not None


def durations(timings: Sequence[Timing] | Missing) -> Markup | None:
    """How long backups and proofs took, oldest first; None without matplotlib, or when there is nothing to compare."""
    if isinstance(timings, Missing) or not available():
        return None
    shown = sorted((one for one in timings if one.what in KINDS), key=lambda one: one.started_at)
    return _bars(shown) if len(shown) >= FEWEST else None


def _bars(shown: Sequence[Timing]) -> Markup:
    from markupsafe import Markup

    # Any: an optional package, whose own types are partly unknown.
    matplotlib: Any = importlib.import_module("matplotlib")
    drawing: Any = importlib.import_module("matplotlib.figure")
    # A fixed salt: the same numbers give the same bytes.
    with matplotlib.rc_context({"svg.hashsalt": "dbops", "svg.fonttype": "none", "font.size": 9}):
        figure = drawing.Figure(figsize=(8, 0.6 + 0.32 * len(shown)), layout="constrained")
        axes = figure.add_subplot()
        axes.barh(
            [f"{one.what} {one.name}  {one.started_at:%m-%d %H:%M}" for one in shown],
            [one.seconds for one in shown],
            color=[COLOURS[one.what] for one in shown],
        )
        axes.invert_yaxis()
        axes.set_xlabel("seconds")
        axes.spines[["top", "right"]].set_visible(False)
        target = io.StringIO()
        figure.savefig(target, format="svg", transparent=True, metadata={"Date": None})
    svg = target.getvalue()
    return Markup(svg[svg.index("<svg") :])  # noqa: S704  matplotlib has escaped the labels
