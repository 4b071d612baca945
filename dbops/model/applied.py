"""A plan that was carried out, as it is reported."""

from __future__ import annotations

import msgspec

__all__ = ["Applied", "AppliedStep"]


class AppliedStep(msgspec.Struct, frozen=True, kw_only=True):
    """One step; containers come before their content."""

    id: str
    summary: str
    status: str
    seconds: float
    error: str = ""


class Applied(msgspec.Struct, frozen=True, kw_only=True):
    """All steps of a plan. ``plan`` is the plan's digest."""

    noun: str
    plan: str
    steps: tuple[AppliedStep, ...]
