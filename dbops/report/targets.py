"""Targets for people."""

from __future__ import annotations

from dbops.model.target import Reached, ReachedTargets, Targets
from dbops.report.table import table

__all__ = ["listing", "tested"]


def listing(found: Targets) -> str:
    """One line for each."""
    if not found.targets:
        return "No targets are configured: dbops init writes a dbops.toml to start from.\n"
    rows = [
        (one.name, one.address, " ".join(f"{key}={value}" for key, value in one.labels.items()), one.repository)
        for one in found.targets
    ]
    return table(("TARGET", "ADDRESS", "LABELS", "REPOSITORY"), rows)


def tested(found: ReachedTargets) -> str:
    """One line for each, and what to do about those that did not answer."""
    rows = [
        (one.target, "answers" if one.code == 0 else "FAILED", f"{one.seconds:.2f} s", _said(one))
        for one in found.targets
    ]
    hints = [f"{one.target}: {one.error.hint}\n" for one in found.targets if one.error is not None and one.error.hint]
    return table(("TARGET", "", "TIME", ""), rows) + "".join(hints)


def _said(one: Reached) -> str:
    if one.error is not None:
        return " ".join(one.error.message.split())
    return f"{one.version}, {one.role}, as {one.user}" + (" (superuser)" if one.superuser else "")
