"""A plan as a document: its digest, its JSON, and how it is read back."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import datetime
from typing import Literal

import msgspec

from dbops.errors import InputError
from dbops.plan.steps import Hold, Json, Risk, Step, Together

__all__ = ["FORMAT", "Plan", "dump_plan", "load_plan", "walk"]

FORMAT: Literal["dbops.plan/1"] = "dbops.plan/1"


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """Steps for one target, with the inputs that they were decided from.

    :param noun: which operation made it and can make it again, such as ``users.apply``.
    :param incarnation: which server it was made for, as :class:`~dbops.model.server.Server` has it; empty when
        that does not matter or could not be read. A target's URL may point elsewhere by the time it is carried out.
    :param inputs: what planning again needs (spec text, scope, manifest digests); JSON values, no secret.
    :param notes: what the reader should know before approving.
    """

    noun: str
    target: str
    engine: str
    created_at: datetime
    steps: tuple[Step, ...]
    incarnation: str = ""
    inputs: dict[str, Json] = {}
    notes: tuple[str, ...] = ()
    schema: Literal["dbops.plan/1"] = FORMAT

    @property
    def digest(self) -> str:
        """SHA-256 over noun, target, server and steps; equal exactly when the same would be done to the same server."""
        body = [self.noun, self.target, self.engine, self.incarnation, self.steps]
        return hashlib.sha256(msgspec.json.encode(body, order="sorted")).hexdigest()

    @property
    def risk(self) -> Risk:
        """The highest risk of any step."""
        order = list(Risk)
        return max((step.risk for step in walk(self.steps)), key=order.index, default=Risk.READ)


def walk(steps: tuple[Step, ...]) -> Iterator[Step]:
    """Every step, depth first, containers before their content."""
    for step in steps:
        yield step
        if isinstance(step, Together | Hold):
            yield from walk(step.steps)


def dump_plan(plan: Plan) -> bytes:
    """The plan as indented JSON with a final newline."""
    return msgspec.json.format(msgspec.json.encode(plan, order="deterministic"), indent=2) + b"\n"


def load_plan(text: bytes | str, origin: str = "plan") -> Plan:
    """Read a saved plan.

    :raises InputError: not JSON, not a plan, a plan of a newer format, or two steps with one id.
    """
    try:
        plan = msgspec.json.decode(text, type=Plan)
    except msgspec.ValidationError as error:
        raise InputError(
            f"{origin}: not a plan that this dbops can carry out: {error}",
            hint=f"Expected the format {FORMAT}; make the plan again with this version of dbops.",
        ) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{origin}: not JSON: {error}", hint="A plan is written by a command's -o option.") from None
    _refuse_twin_ids(plan, origin)
    return plan


def _refuse_twin_ids(plan: Plan, origin: str) -> None:
    seen: set[str] = set()
    for step in walk(plan.steps):
        if step.id in seen:
            raise InputError(f"{origin}: two steps are called {step.id!r}", hint="Make the plan again.")
        seen.add(step.id)
