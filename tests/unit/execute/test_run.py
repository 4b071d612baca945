"""Steps in their order, side by side, inside something held open: and what is left when one fails."""

from __future__ import annotations

import _thread
import getpass
import threading
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from dbops.errors import DbopsError, InputError, Interrupted, OutputError, ToolFailed
from dbops.execute import StepStatus
from dbops.model.server import Endpoint
from dbops.plan import FromServer, Hold, Opening, Ref, Risk, Sql, Step, Together, ToNowhere, Transfer, Value
from dbops.spi import Member, Runtime

if TYPE_CHECKING:
    from tests.unit.execute.conftest import Rig


def fail(message: str) -> Callable[[Mapping[str, object], Runtime], Mapping[str, Value]]:
    def door(arguments: Mapping[str, object], runtime: Runtime) -> Mapping[str, Value]:
        raise ToolFailed(message)

    return door


def hold(step_id: str, *steps: Step, what: str = "lock", **arguments: Value) -> Hold:
    opening = Opening(what=what, arguments=arguments)
    return Hold(id=step_id, summary=f"hold {step_id}", risk=Risk.READ, opening=opening, steps=steps)


def together(*steps: Step, limit: int = 4) -> Together:
    return Together(id="all", summary="side by side", risk=Risk.READ, steps=steps, limit=limit)


def statement(step_id: str, text: str, transaction: str | None = None, database: str | None = None) -> Sql:
    return Sql(
        id=step_id,
        summary=f"run {step_id}",
        risk=Risk.WRITE,
        statement=(text,),
        transaction=transaction,
        database=database,
    )


# Order


def test_steps_run_in_their_order_and_say_when(rig: Rig) -> None:
    outcome = rig.run(rig.call("a"), rig.call("b"))
    assert rig.events == ["call a at target", "call b at target"]
    assert outcome.done
    assert outcome.raise_for_status() is outcome
    assert [(step.id, step.status, step.summary) for step in outcome.steps] == [
        ("a", StepStatus.DONE, "do a"),
        ("b", StepStatus.DONE, "do b"),
    ]
    assert outcome.step("a").seconds == 1
    assert outcome.digest == rig.plan(rig.call("a"), rig.call("b")).digest


def test_the_first_failure_ends_it_and_its_error_is_kept(rig: Rig) -> None:
    rig.backend.calls["b"] = fail("b is broken")
    outcome = rig.run(rig.call("a"), rig.call("b"), rig.call("c"))
    assert [step.status for step in outcome.steps] == [StepStatus.DONE, StepStatus.FAILED, StepStatus.NOT_RUN]
    assert outcome.step("b").error == "b is broken"
    assert outcome.step("c").seconds == 0
    assert not outcome.done
    with pytest.raises(ToolFailed, match=r"^b is broken$"):
        outcome.raise_for_status()


def test_an_empty_plan_is_done(rig: Rig) -> None:
    assert rig.run().done


def test_outputs_reach_later_steps_and_the_outcome(rig: Rig) -> None:
    rig.backend.calls["make"] = lambda arguments, runtime: {"path": "/x", "n": 3}
    rig.backend.calls["use"] = lambda arguments, runtime: {"got": f"{arguments['path']}:{arguments['n']}"}
    arguments = {"path": Ref("make", "path"), "n": Ref("make", "n")}
    outcome = rig.run(rig.call("make"), rig.call("use", arguments=arguments))
    assert outcome.outputs == {"make": {"path": "/x", "n": 3}, "use": {"got": "/x:3"}}


@pytest.mark.parametrize("ref", [Ref("nobody", "path"), Ref("a", "nothing")])
def test_a_reference_to_what_is_not_there_is_said(rig: Rig, ref: Ref) -> None:
    outcome = rig.run(rig.call("a"), rig.call("b", arguments={"x": ref}))
    assert isinstance(outcome.error, InputError)
    assert f"refers to {ref.output!r} of the step {ref.step!r}" in outcome.error.message


def test_a_server_that_is_not_there_is_said(rig: Rig) -> None:
    outcome = rig.run(rig.call("a", endpoint="elsewhere"))
    assert isinstance(outcome.error, InputError)
    assert outcome.error.message == "the plan names the server 'elsewhere', which is not there"


# The journal


def test_the_journal_has_an_entry_before_and_after_each_step(rig: Rig) -> None:
    rig.run(rig.call("a"), rig.call("b"))
    assert rig.backend.events == [
        "journal run",
        "journal step a",
        "call a at target",
        "journal result a",
        "journal step b",
        "call b at target",
        "journal result b",
        "journal end",
    ]
    kind, facts = rig.journal.entries[0]
    assert (kind, facts["noun"], facts["steps"]) == ("run", "test.run", 2)
    assert facts["plan"] == rig.plan(rig.call("a"), rig.call("b")).digest
    assert str(facts["who"]).startswith(f"{getpass.getuser()}@")
    assert rig.journal.entries[1] == ("step", {"id": "a", "summary": "do a", "risk": "write"})
    assert rig.journal.entries[2] == ("result", {"id": "a", "status": "done", "error": ""})
    assert rig.journal.entries[-1][1] == {"plan": facts["plan"], "status": "done", "error": ""}


def test_the_journal_says_what_failed(rig: Rig) -> None:
    rig.backend.calls["a"] = fail("broken")
    rig.run(rig.call("a"))
    assert rig.journal.entries[-2][1] == {"id": "a", "status": "failed", "error": "broken"}
    assert {**rig.journal.entries[-1][1], "plan": ""} == {"plan": "", "status": "failed", "error": "broken"}


def test_nothing_is_done_without_a_journal(rig: Rig) -> None:
    rig.journal.refuse[1] = OutputError("the journal is full")
    with pytest.raises(OutputError):
        rig.run(rig.call("a"))
    assert rig.events == []


@pytest.mark.parametrize("entry", [2, 3, 4])
def test_a_journal_that_fails_on_the_way_ends_the_run(rig: Rig, entry: int) -> None:
    rig.journal.refuse[entry] = OutputError("the journal is full")
    outcome = rig.run(rig.call("a"))
    assert isinstance(outcome.error, OutputError)
    assert rig.events == ([] if entry == 2 else ["call a at target"])


def test_a_journal_that_fails_hides_no_other_failure(rig: Rig) -> None:
    rig.backend.calls["a"] = fail("the reason")
    rig.journal.refuse = {3: OutputError("the journal is full"), 4: OutputError("the journal is full")}
    outcome = rig.run(rig.call("a"))
    assert outcome.error is not None
    assert outcome.error.message == "the reason"


def test_a_user_without_a_name(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody() -> str:
        raise KeyError("getpwuid(): uid not found: 12345")

    monkeypatch.setattr(getpass, "getuser", nobody)
    rig.run()
    assert str(rig.journal.entries[0][1]["who"]).startswith("unknown@")


def test_a_bug_is_raised_as_it_is_and_the_journal_says_failed(rig: Rig) -> None:
    def bug(arguments: Mapping[str, object], runtime: Runtime) -> Mapping[str, Value]:
        raise ZeroDivisionError("hunter2")

    rig.backend.calls["a"] = bug
    rig.journal.refuse[3] = OutputError("the journal is full")
    with pytest.raises(ZeroDivisionError):
        rig.run(rig.call("a"))
    assert rig.journal.entries[-1][1]["status"] == "failed"
    assert rig.journal.entries[-1][1]["error"] == "ZeroDivisionError"


def test_private_directories_are_gone_afterwards(rig: Rig) -> None:
    made = []

    def make(arguments: Mapping[str, object], runtime: Runtime) -> Mapping[str, Value]:
        made.append(runtime.workdir())
        (made[0] / "file").write_text("x")
        assert made[0].stat().st_mode & 0o077 == 0
        raise ToolFailed("broken")

    rig.backend.calls["a"] = make
    rig.run(rig.call("a"))
    assert not made[0].exists()


# Transactions


def test_neighbours_with_one_label_and_database_share_a_transaction(rig: Rig) -> None:
    outcome = rig.run(
        statement("a", "CREATE TABLE first (x)", "t"),
        statement("b", "CREATE TABLE second (x)", "t"),
        statement("c", "CREATE NONSENSE", "t"),
    )
    assert rig.tables() == []
    assert {step.status for step in outcome.steps} == {StepStatus.FAILED}
    assert outcome.error is not None
    assert "run c: " in outcome.error.message


def test_a_transaction_that_ends_well_is_committed(rig: Rig) -> None:
    rig.run(statement("a", "CREATE TABLE first (x)", "t"), statement("b", "INSERT INTO first VALUES (1)", "t"))
    assert rig.rows("SELECT x FROM first") == [(1,)]


def test_other_labels_and_databases_are_other_transactions(rig: Rig) -> None:
    other = str(rig.directory / "other.db")
    rig.run(
        statement("a", "CREATE TABLE a (x)", "one"),
        statement("b", "CREATE TABLE b (x)", "two"),
        statement("c", "CREATE TABLE c (x)", "two", other),
        statement("d", "CREATE TABLE d (x)"),
        statement("e", "CREATE TABLE e (x)", "two"),
        statement("f", "CREATE NONSENSE", "two"),
    )
    assert rig.tables() == ["a", "b", "d"]
    assert rig.tables("other.db") == ["c"]


def test_a_step_between_two_ends_their_transaction(rig: Rig) -> None:
    rig.run(
        statement("a", "CREATE TABLE a (x)", "t"),
        rig.call("between"),
        statement("b", "CREATE NONSENSE", "t"),
    )
    assert rig.tables() == ["a"]


# Holding


@contextmanager
def noted(rig: Rig, arguments: Mapping[str, object]) -> Generator[tuple[Mapping[str, Value], None]]:
    name = str(arguments.get("name", "it"))
    rig.backend.events.append(f"open {name}")
    try:
        yield {"key": f"key of {name}"}, None
    except BaseException as error:
        rig.backend.events.append(f"saw {type(error).__name__}")
        raise
    finally:
        rig.backend.events.append(f"close {name}")


@pytest.fixture
def holding(rig: Rig) -> Rig:
    rig.backend.holds["lock"] = lambda arguments, runtime: noted(rig, arguments)
    return rig


def test_what_is_held_is_open_while_its_steps_run(holding: Rig) -> None:
    outcome = holding.run(hold("h", holding.call("a")), holding.call("b"))
    assert holding.events == ["open it", "call a at target", "close it", "call b at target"]
    assert [step.id for step in outcome.steps] == ["h", "a", "b"]
    assert outcome.outputs["h"] == {"key": "key of it"}


def test_steps_inside_see_what_opening_gave(holding: Rig) -> None:
    holding.backend.calls["a"] = lambda arguments, runtime: {"got": str(arguments["key"])}
    outcome = holding.run(hold("h", holding.call("a", arguments={"key": Ref("h", "key")})))
    assert outcome.outputs["a"] == {"got": "key of it"}


def test_it_is_closed_when_a_step_fails(holding: Rig) -> None:
    holding.backend.calls["a"] = fail("broken")
    outcome = holding.run(hold("h", holding.call("a")))
    assert holding.events == ["open it", "call a at target", "saw ToolFailed", "close it"]
    assert outcome.error is not None
    assert outcome.error.message == "broken"
    assert [step.status for step in outcome.steps] == [StepStatus.FAILED, StepStatus.FAILED]


def test_it_is_closed_on_ctrl_c_which_goes_on(holding: Rig) -> None:
    def interrupt(arguments: Mapping[str, object], runtime: Runtime) -> Mapping[str, Value]:
        raise KeyboardInterrupt

    holding.backend.calls["a"] = interrupt
    with pytest.raises(KeyboardInterrupt):
        holding.run(hold("h", hold("i", holding.call("a"), name="inner")))
    assert holding.events[-4:] == ["saw KeyboardInterrupt", "close inner", "saw KeyboardInterrupt", "close it"]
    assert holding.journal.entries[-1][1]["status"] == "interrupted"


def test_nested_holds_close_from_the_inside(holding: Rig) -> None:
    holding.run(hold("h", hold("i", holding.call("a"), name="inner"), holding.call("b"), name="outer"))
    assert holding.events == [
        "open outer",
        "open inner",
        "call a at target",
        "close inner",
        "call b at target",
        "close outer",
    ]


def test_what_cannot_be_opened_runs_nothing(holding: Rig) -> None:
    arguments_of_the_lock_are_wrong = True

    @contextmanager
    def refuse() -> Iterator[tuple[Mapping[str, Value], None]]:
        if arguments_of_the_lock_are_wrong:
            raise ToolFailed("it cannot be opened")
        yield {}, None

    holding.backend.holds["lock"] = lambda arguments, runtime: refuse()
    outcome = holding.run(hold("h", holding.call("a")))
    assert outcome.step("a").status is StepStatus.NOT_RUN
    assert outcome.step("h").error == "it cannot be opened"


@contextmanager
def breaks_when_closed() -> Iterator[tuple[Mapping[str, Value], None]]:
    try:
        yield {}, None
    finally:
        raise OutputError("it cannot be closed")


def test_a_failure_to_close_is_a_failure(holding: Rig) -> None:
    holding.backend.holds["lock"] = lambda arguments, runtime: breaks_when_closed()
    outcome = holding.run(hold("h", holding.call("a")), holding.call("b"))
    assert isinstance(outcome.error, OutputError)
    assert [step.status for step in outcome.steps] == [StepStatus.FAILED, StepStatus.DONE, StepStatus.NOT_RUN]


def test_a_failure_to_close_does_not_hide_why_the_steps_failed(holding: Rig) -> None:
    holding.backend.holds["lock"] = lambda arguments, runtime: breaks_when_closed()
    holding.backend.calls["a"] = fail("broken")
    outcome = holding.run(hold("h", holding.call("a")))
    assert isinstance(outcome.error, ToolFailed)
    assert outcome.error.message == "broken; and closing what was held open failed too: it cannot be closed"


def test_a_failure_to_close_does_not_hide_ctrl_c(holding: Rig) -> None:
    def interrupt(arguments: Mapping[str, object], runtime: Runtime) -> Mapping[str, Value]:
        raise KeyboardInterrupt

    holding.backend.holds["lock"] = lambda arguments, runtime: breaks_when_closed()
    holding.backend.calls["a"] = interrupt
    with pytest.raises(KeyboardInterrupt) as caught:
        holding.run(hold("h", holding.call("a")))
    assert caught.value.__notes__ == ["closing what was held open failed too: it cannot be closed"]


def test_no_backend_can_swallow_a_failure(holding: Rig) -> None:
    @contextmanager
    def swallow() -> Iterator[tuple[Mapping[str, Value], None]]:
        try:
            yield {}, None
        except DbopsError:
            return

    holding.backend.holds["lock"] = lambda arguments, runtime: swallow()
    holding.backend.calls["a"] = fail("broken")
    outcome = holding.run(hold("h", holding.call("a")))
    assert outcome.step("h").status is StepStatus.FAILED
    assert not outcome.done


def test_a_server_that_was_started_is_known_by_the_step_s_name(holding: Rig) -> None:
    @contextmanager
    def start() -> Iterator[tuple[Mapping[str, Value], Endpoint]]:
        yield {}, Endpoint(engine="toy", host="scratch")

    holding.backend.holds["scratch"] = lambda arguments, runtime: start()
    holding.run(hold("s", holding.call("a", endpoint="s"), what="scratch"))
    assert holding.events == ["call a at scratch"]


# Side by side


def test_all_of_them_run(rig: Rig) -> None:
    outcome = rig.run(together(*(rig.call(f"s{number}") for number in range(10)), limit=3))
    assert outcome.done
    assert sorted(rig.events) == sorted(f"call s{number} at target" for number in range(10))
    assert [step.id for step in outcome.steps] == ["all", *(f"s{number}" for number in range(10))]


@pytest.mark.parametrize("limit", [1, 3])
def test_no_more_than_the_limit_at_once_and_as_many_as_it_allows(rig: Rig, limit: int) -> None:
    running, most, lock = 0, 0, threading.Lock()
    full = threading.Event()

    def work(arguments: Mapping[str, object], runtime: Runtime) -> Mapping[str, Value]:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
            if running == limit:
                full.set()
        assert full.wait(10)
        with lock:
            running -= 1
        return {}

    rig.backend.calls["work"] = work
    assert rig.run(together(*(rig.call(f"s{number}", "work") for number in range(6)), limit=limit)).done
    assert most == limit


def endless(arguments: Mapping[str, object]) -> Iterator[Member]:
    class Endless:
        def read(self, n: int, /) -> bytes:
            time.sleep(0.01)
            return b"x" * 100

        def close(self) -> None:
            pass

    yield Member("endless", Endless())


def copy(step_id: str, stream: str = "endless") -> Transfer:
    return Transfer(
        id=step_id, summary=f"copy {step_id}", risk=Risk.READ, source=FromServer(stream=stream), sink=ToNowhere()
    )


def test_the_first_failure_stops_the_others_and_is_the_cause(rig: Rig) -> None:
    rig.backend.streams["endless"] = endless
    rig.backend.calls["bad"] = fail("the true cause")
    outcome = rig.run(together(copy("x"), rig.call("bad"), copy("y"), copy("z"), limit=2))
    assert outcome.error is not None
    assert outcome.error.message == "the true cause"
    assert outcome.step("x").status is StepStatus.FAILED
    assert "stopped" in outcome.step("x").error
    assert {outcome.step("y").status, outcome.step("z").status} == {StepStatus.NOT_RUN}
    assert outcome.step("all").error == "the true cause"


def test_a_bug_in_one_of_them_is_raised(rig: Rig) -> None:
    def bug(arguments: Mapping[str, object], runtime: Runtime) -> Mapping[str, Value]:
        raise ZeroDivisionError

    rig.backend.calls["bad"] = bug
    with pytest.raises(ZeroDivisionError):
        rig.run(together(rig.call("bad")))


def test_what_is_held_by_one_of_them_is_closed(holding: Rig) -> None:
    holding.backend.streams["endless"] = endless
    holding.backend.calls["bad"] = fail("broken")
    holding.run(together(hold("h", copy("x")), holding.call("bad")))
    assert holding.events[-1] == "close it"


def test_ctrl_c_stops_them_and_closes_what_is_held(holding: Rig) -> None:
    def interrupt(arguments: Mapping[str, object], runtime: Runtime) -> Mapping[str, Value]:
        _thread.interrupt_main()
        return {}

    holding.backend.streams["endless"] = endless
    holding.backend.calls["ctrl-c"] = interrupt
    with pytest.raises(KeyboardInterrupt):
        holding.run(hold("h", together(copy("x"), copy("y"), holding.call("ctrl-c"))))
    assert holding.events[-1] == "close it"
    assert holding.journal.entries[-1][1]["status"] == "interrupted"
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("all-")]


# Stopped from outside


def test_a_run_that_is_stopped_is_not_done(rig: Rig) -> None:
    def stop(arguments: Mapping[str, object], runtime: Runtime) -> Mapping[str, Value]:
        rig.context.stop.set()
        return {}

    rig.backend.calls["stop"] = stop
    outcome = rig.run(rig.call("stop"), rig.call("b"))
    assert isinstance(outcome.error, Interrupted)
    assert outcome.error.code == 130
    assert outcome.step("b").status is StepStatus.NOT_RUN


def test_side_by_side_steps_that_were_left_out_are_not_done(rig: Rig) -> None:
    def stop(arguments: Mapping[str, object], runtime: Runtime) -> Mapping[str, Value]:
        rig.context.stop.set()
        return {}

    rig.backend.calls["stop"] = stop
    outcome = rig.run(together(rig.call("stop"), rig.call("b"), limit=1))
    assert isinstance(outcome.error, Interrupted)
    assert outcome.step("all").status is StepStatus.FAILED
    assert outcome.step("b").status is StepStatus.NOT_RUN


def test_times_come_from_the_clock_that_was_handed_in(rig: Rig) -> None:
    [step] = rig.run(rig.call("a")).steps
    assert step.started_at is not None
    assert step.finished_at is not None
    assert step.finished_at - step.started_at == timedelta(seconds=1)
