"""What became of a plan, step by step."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

import msgspec

from dbops.errors import DbopsError
from dbops.plan import Value

__all__ = ["Outcome", "StepResult", "StepStatus"]


class StepStatus(StrEnum):
    """``not_run`` is what comes after a failure."""

    DONE = "done"
    FAILED = "failed"
    NOT_RUN = "not_run"


class StepResult(msgspec.Struct, frozen=True, kw_only=True):
    """One step; containers come before their content. Times are UTC."""

    id: str
    summary: str
    status: StepStatus
    started_at: datetime | None = None
    finished_at: datetime | None = None
    error: str = ""

    @property
    def seconds(self) -> float:
        """How long it took; 0 when it did not run."""
        if self.started_at is None or self.finished_at is None:
            return 0.0
        return (self.finished_at - self.started_at).total_seconds()


class Outcome:
    """The results of all steps, their outputs by step id, and the error that ended the run, if one did."""

    def __init__(
        self,
        digest: str,
        steps: tuple[StepResult, ...],
        outputs: Mapping[str, Mapping[str, Value]],
        error: DbopsError | None,
    ) -> None:
        self.digest = digest
        self.steps = steps
        self.outputs = outputs
        self.error = error

    @property
    def done(self) -> bool:
        """Every step was carried out."""
        return self.error is None

    def step(self, step_id: str) -> StepResult:
        """The result of one step."""
        return next(step for step in self.steps if step.id == step_id)

    def raise_for_status(self) -> Outcome:
        """Itself when every step was done.

        :raises DbopsError: the error of the step that failed, as it was raised there.
        """
        if self.error is not None:
            raise self.error
        return self
