"""Steps side by side, or inside something held open: stopped together, closed always."""

from __future__ import annotations

import _thread
import threading
import time
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from dbops.errors import DbopsError, Interrupted, OutputError, ToolFailed
from dbops.execute import StepStatus
from dbops.model.server import Endpoint
from dbops.plan import FromServer, Hold, Opening, Ref, Risk, Step, Together, ToNowhere, Transfer, Value
from dbops.spi import Member, Runtime

if TYPE_CHECKING:
    from tests.unit.execute.conftest import Rig


def hold(step_id: str, *steps: Step, what: str = "lock", **arguments: Value) -> Hold:
    opening = Opening(what=what, arguments=arguments)
    return Hold(id=step_id, summary=f"hold {step_id}", risk=Risk.READ, opening=opening, steps=steps)


def together(*steps: Step, limit: int = 4) -> Together:
    return Together(id="all", summary="side by side", risk=Risk.READ, steps=steps, limit=limit)


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
    holding.fails("a", ToolFailed("broken"))
    outcome = holding.run(hold("h", holding.call("a")))
    assert holding.events == ["open it", "call a at target", "saw ToolFailed", "close it"]
    assert outcome.error is not None
    assert outcome.error.message == "broken"
    assert [step.status for step in outcome.steps] == [StepStatus.FAILED, StepStatus.FAILED]


def test_it_is_closed_on_ctrl_c_which_goes_on(holding: Rig) -> None:
    holding.fails("a", KeyboardInterrupt())
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
    holding.fails("a", ToolFailed("broken"))
    outcome = holding.run(hold("h", holding.call("a")))
    assert isinstance(outcome.error, ToolFailed)
    assert outcome.error.message == "broken; and closing what was held open failed too: it cannot be closed"


def test_a_failure_to_close_does_not_hide_ctrl_c(holding: Rig) -> None:
    holding.backend.holds["lock"] = lambda arguments, runtime: breaks_when_closed()
    holding.fails("a", KeyboardInterrupt())
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
    holding.fails("a", ToolFailed("broken"))
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
        assert full.wait(60)
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
    rig.fails("bad", ToolFailed("the true cause"))
    outcome = rig.run(together(copy("x"), rig.call("bad"), copy("y"), copy("z"), limit=2))
    assert outcome.error is not None
    assert outcome.error.message == "the true cause"
    assert outcome.step("x").status is StepStatus.FAILED
    assert "stopped" in outcome.step("x").error
    assert {outcome.step("y").status, outcome.step("z").status} == {StepStatus.NOT_RUN}
    assert outcome.step("all").error == "the true cause"


def test_a_bug_in_one_of_them_is_raised(rig: Rig) -> None:
    rig.fails("bad", ZeroDivisionError())
    with pytest.raises(ZeroDivisionError):
        rig.run(together(rig.call("bad")))


def test_what_is_held_by_one_of_them_is_closed(holding: Rig) -> None:
    holding.backend.streams["endless"] = endless
    holding.fails("bad", ToolFailed("broken"))
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


def test_side_by_side_steps_that_were_left_out_are_not_done(rig: Rig) -> None:
    rig.stops("stop")
    outcome = rig.run(together(rig.call("stop"), rig.call("b"), limit=1))
    assert isinstance(outcome.error, Interrupted)
    assert outcome.step("all").status is StepStatus.FAILED
    assert outcome.step("b").status is StepStatus.NOT_RUN
