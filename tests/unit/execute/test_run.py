"""Steps in their order, side by side, inside something held open: and what is left when one fails."""

from __future__ import annotations

import getpass
import tempfile
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from dbops.claim import claimed
from dbops.errors import InputError, Interrupted, OutputError, ToolFailed
from dbops.execute import StepStatus
from dbops.plan import Ref, Risk, Sql, Value
from dbops.spi import Runtime

if TYPE_CHECKING:
    from tests.unit.execute.conftest import Rig


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
    rig.fails("b", ToolFailed("b is broken"))
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
    rig.fails("a", ToolFailed("broken"))
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
    rig.fails("a", ToolFailed("the reason"))
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
    rig.fails("a", ZeroDivisionError("hunter2"))
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


def test_what_killed_runs_left_goes_and_what_living_ones_use_stays(
    rig: Rig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    dead, alive = tmp_path / "dbops-run-dead", tmp_path / "dbops-run-alive"
    for one in (dead, alive):
        one.mkdir()
        with claimed(one):
            (one / "client.cnf").write_text("password=old")

    def make(arguments: Mapping[str, object], runtime: Runtime) -> Mapping[str, Value]:
        runtime.workdir()
        assert not dead.exists()
        return {}

    rig.backend.calls["a"] = make
    with claimed(alive):
        rig.run(rig.call("a"))
    assert list(tmp_path.iterdir()) == [alive]
    assert (alive / "client.cnf").exists()


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


# Stopped from outside


def test_a_run_that_is_stopped_is_not_done(rig: Rig) -> None:
    rig.stops("stop")
    outcome = rig.run(rig.call("stop"), rig.call("b"))
    assert isinstance(outcome.error, Interrupted)
    assert outcome.error.code == 130
    assert outcome.step("b").status is StepStatus.NOT_RUN


def test_times_come_from_the_clock_that_was_handed_in(rig: Rig) -> None:
    [step] = rig.run(rig.call("a")).steps
    assert step.started_at is not None
    assert step.finished_at is not None
    assert step.finished_at - step.started_at == timedelta(seconds=1)
