"""Steps in their order, side by side, or inside something held open."""

from __future__ import annotations

import getpass
import platform
import queue
import threading
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from datetime import datetime
from functools import partial
from itertools import groupby
from typing import NamedTuple, TypeVar

from dbops.errors import DbopsError, Interrupted
from dbops.execute import doors
from dbops.execute import steps as actions
from dbops.execute.context import Context
from dbops.execute.outcome import Outcome, StepResult, StepStatus
from dbops.plan import Hold, Plan, Sql, Step, Together, walk

__all__ = ["execute"]

T = TypeVar("T")


def execute(plan: Plan, context: Context) -> Outcome:
    """Carry out a plan.

    The first failure ends it: what is held open is closed, running neighbours are stopped, the rest is not run. The
    journal has an entry before and after every step, so that a killed run shows where it was.
    :raises KeyboardInterrupt: after everything held open was closed.
    """
    run = _Run(plan, context)
    return run.carry_out()


class _Run:
    def __init__(self, plan: Plan, context: Context) -> None:
        self._plan = plan
        self._context = context
        self._results: dict[str, StepResult] = {
            step.id: StepResult(id=step.id, summary=step.summary, status=StepStatus.NOT_RUN)
            for step in walk(plan.steps)
        }
        self._error: DbopsError | None = None
        self._lock = threading.Lock()

    def carry_out(self) -> Outcome:
        plan, journal = self._plan, self._context.journal
        who = f"{_user()}@{platform.node()}"
        journal.append("run", {"noun": plan.noun, "plan": plan.digest, "who": who, "steps": len(self._results)})
        try:
            self._all(plan.steps)
        except DbopsError as error:
            self._error = error
        except BaseException as error:
            with suppress(DbopsError):  # the journal cannot be written either: the first failure is the one to see
                self._end("interrupted" if isinstance(error, KeyboardInterrupt) else "failed", _said(error))
            raise
        try:
            self._end("failed" if self._error else "done", self._error.message if self._error else "")
        except DbopsError as error:
            self._error = self._error or error
        return Outcome(plan.digest, tuple(self._results.values()), self._context.outputs, self._error)

    def _end(self, status: str, reason: str) -> None:
        self._context.tidy()
        self._context.journal.append("end", {"plan": self._plan.digest, "status": status, "error": reason})

    def _all(self, steps: Sequence[Step]) -> None:
        for place, group in groupby(steps, key=_place):
            if place is None:
                for step in group:
                    self._one(step)
            elif place.transaction is None:
                self._one_by_one(step for step in group if isinstance(step, Sql))
            else:
                self._transaction([step for step in group if isinstance(step, Sql)])

    def _one(self, step: Step) -> None:
        self._context.go_on()
        self._watched([step], lambda: self._act(step))

    def _transaction(self, steps: list[Sql]) -> None:
        self._context.go_on()
        self._watched(steps, lambda: actions.transaction(steps, self._context))

    def _one_by_one(self, steps: Iterable[Sql]) -> None:
        with actions.one_by_one(self._context) as run:
            for step in steps:
                self._context.go_on()
                self._watched([step], partial(run, step))

    def _act(self, step: Step) -> None:
        if isinstance(step, Together):
            self._together(step)
        elif isinstance(step, Hold):
            self._hold(step)
        else:
            actions.act(step, self._context)

    def _hold(self, step: Hold) -> None:
        context = self._context
        with _closed_always(doors.hold(step.opening, context)) as (outputs, started):
            context.note(step.id, outputs)
            if started is not None:
                context.endpoints[step.id] = started
            self._all(step.steps)

    def _together(self, step: Together) -> None:
        waiting: queue.SimpleQueue[Step] = queue.SimpleQueue()
        for inner in step.steps:
            waiting.put(inner)
        failed: list[BaseException] = []
        workers = [
            threading.Thread(target=self._worker, args=(waiting, failed), name=f"{step.id}-{number}", daemon=True)
            for number in range(min(step.limit, len(step.steps)))
        ]
        try:
            for worker in workers:
                worker.start()
            for worker in workers:
                while worker.is_alive():
                    worker.join(0.1)
        except BaseException:
            self._context.halt()
            for worker in workers:
                if worker.is_alive():  # Ctrl-C may come before the last of them was started
                    worker.join(10)
            raise
        if failed:
            raise _first_cause(failed)
        if not waiting.empty():
            self._context.go_on()

    def _worker(self, waiting: queue.SimpleQueue[Step], failed: list[BaseException]) -> None:
        while not self._context.stop.is_set():
            try:
                step = waiting.get_nowait()
            except queue.Empty:
                return
            try:
                self._one(step)
            except BaseException as error:  # noqa: BLE001  kept for the thread that waits
                failed.append(error)
                self._context.halt()
                return

    def _watched(self, steps: Sequence[Step], action: Callable[[], None]) -> None:
        began = self._context.clock()
        for step in steps:
            self._context.journal.append("step", {"id": step.id, "summary": step.summary, "risk": step.risk.value})
        try:
            action()
        except BaseException as error:
            for step in steps:
                with suppress(DbopsError):  # a journal that cannot be written must not hide what failed before
                    self._record(step, StepStatus.FAILED, began, _said(error))
            raise
        for step in steps:
            self._record(step, StepStatus.DONE, began, "")

    def _record(self, step: Step, status: StepStatus, began: datetime, error: str) -> None:
        ended = self._context.clock()
        with self._lock:
            self._results[step.id] = StepResult(
                id=step.id, summary=step.summary, status=status, started_at=began, finished_at=ended, error=error
            )
        self._context.journal.append("result", {"id": step.id, "status": status.value, "error": error})


@contextmanager
def _closed_always(held: AbstractContextManager[T]) -> Generator[T]:
    """As ``with held``, but the body's error is the one that is seen: one while closing is only added to it, and no
    backend can swallow it."""
    opened = held.__enter__()
    try:
        yield opened
    except BaseException as error:
        try:
            held.__exit__(type(error), error, error.__traceback__)
        except BaseException as closing:  # noqa: BLE001  whatever it is, the body's error came first
            _add(error, closing)
        raise
    held.__exit__(None, None, None)


def _add(error: BaseException, closing: BaseException) -> None:
    if closing is error:
        return
    if isinstance(error, DbopsError):
        error.message = f"{error.message}; and closing what was held open failed too: {_said(closing)}"
    else:
        error.add_note(f"closing what was held open failed too: {_said(closing)}")


class _Place(NamedTuple):
    """Where a statement runs: neighbours in the same place share a session, and a transaction when it has a name."""

    endpoint: str
    database: str | None
    transaction: str | None


def _place(step: Step) -> _Place | None:
    return _Place(step.endpoint, step.database, step.transaction) if isinstance(step, Sql) else None


def _first_cause(failed: Sequence[BaseException]) -> BaseException:
    """The error that made the others stop, not one of those that were stopped by it."""
    return next((error for error in failed if not isinstance(error, Interrupted)), failed[0])


def _said(error: BaseException) -> str:
    return error.message if isinstance(error, DbopsError) else type(error).__name__


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user without a name
        return "unknown"
