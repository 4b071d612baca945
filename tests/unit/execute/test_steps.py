"""Each kind of step that does something itself, and that no secret shows on the way."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from dbops import process
from dbops.errors import ConfigError, CouldNotTell, DbopsError, OutputError, ToolFailed, UsageError
from dbops.execute import StepStatus
from dbops.execute.steps import act
from dbops.plan import (
    Call,
    Command,
    Fragment,
    Probe,
    Ref,
    Risk,
    Seal,
    SecretRef,
    Sql,
    Together,
    Value,
    Wait,
    WriteFile,
)
from dbops.process import Completed
from dbops.spi import Runtime

if TYPE_CHECKING:
    from tests.unit.execute.conftest import Rig

ALICE = Seal(seal="scram", secret=SecretRef("env:ALICE"), name="alice")


def sql(*parts: Fragment, transaction: str | None = None, idempotent: bool = False) -> Sql:
    return Sql(
        id="s",
        summary="set a password",
        risk=Risk.WRITE,
        statement=parts,
        transaction=transaction,
        idempotent=idempotent,
    )


# Statements


def test_references_and_seals_are_filled_in_when_it_runs(rig: Rig) -> None:
    rig.backend.calls["name"] = lambda arguments, runtime: {"table": "made"}
    outcome = rig.run(rig.call("name"), sql("CREATE TABLE ", Ref("name", "table"), " AS SELECT ", ALICE, " AS v"))
    assert outcome.done
    assert rig.rows("SELECT v FROM made") == [("scram(hunter2,alice)",)]


@pytest.mark.parametrize("transaction", [None, "t"])
@pytest.mark.parametrize("text", ["SELEC ", "SELECT nonsense(", "SELECT * FROM "])
def test_no_error_repeats_what_a_secret_was_made_into(rig: Rig, transaction: str | None, text: str) -> None:
    step = sql(text, ALICE, transaction=transaction)
    outcome = rig.run(step)
    assert not outcome.done
    assert "set a password: " in str(outcome.error)
    said = rig.everything_said(outcome, rig.plan(step))
    assert "hunter2" not in said
    assert "scram(" not in said


def test_a_secret_that_cannot_be_had_stops_before_anything_is_sent(rig: Rig) -> None:
    rig.env.clear()
    outcome = rig.run(sql("CREATE TABLE made AS SELECT ", ALICE, " AS v"))
    assert isinstance(outcome.error, ConfigError)
    assert rig.tables() == []


def test_two_that_changed_one_row_are_tried_again(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    monkeypatch.setattr(time, "sleep", waits.append)
    rig.backend.reasons = ["concurrent_update", "deadlock", "serialization_failure", "query_failed"]
    outcome = rig.run(sql("SELEC", transaction="t"))
    assert outcome.error is not None
    assert outcome.error.reason == "query_failed"
    assert len(waits) == 3
    assert all(0.05 <= wait <= longest for wait, longest in zip(waits, (0.2, 0.4, 0.8), strict=True))


def test_trying_again_has_an_end(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    rig.backend.reasons = ["concurrent_update"] * 10
    outcome = rig.run(sql("SELEC", transaction="t"))
    assert outcome.error is not None
    assert outcome.error.reason == "concurrent_update"
    assert len(rig.backend.reasons) == 2


def test_a_transaction_beside_others_is_tried_again_too(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    rig.backend.reasons = ["concurrent_update", "query_failed"]
    outcome = rig.run(Together(id="t", summary="t", risk=Risk.WRITE, steps=(sql("SELEC", transaction="t"),)))
    assert outcome.error is not None
    assert outcome.error.reason == "query_failed"


def test_trying_again_may_succeed(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    def make_it_work(seconds: float) -> None:
        rig.rows("CREATE TABLE there (x)")

    monkeypatch.setattr(time, "sleep", make_it_work)
    rig.backend.reasons = ["concurrent_update"]
    assert rig.run(sql("INSERT INTO there VALUES (1)", transaction="t")).done
    assert rig.rows("SELECT x FROM there") == [(1,)]


@pytest.mark.parametrize(("idempotent", "left"), [(False, 3), (True, 0)])
def test_a_statement_alone_is_tried_again_only_when_that_is_safe(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, idempotent: bool, left: int
) -> None:
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    rig.backend.reasons = ["deadlock"] * 4
    rig.run(sql("SELEC", idempotent=idempotent))
    assert len(rig.backend.reasons) == left


# Programs


class Programs:
    """What would have been run."""

    def __init__(self, returncode: int = 0, stdout: str = "out", stderr: str = "") -> None:
        self.seen: list[tuple[list[str], dict[str, str], float | None]] = []
        self._said = returncode, stdout, stderr

    def run(
        self, argv: list[str], *, env: dict[str, str], timeout: float | None, watch: Callable[[], None]
    ) -> Completed:
        watch()
        self.seen.append((argv, env, timeout))
        returncode, stdout, stderr = self._said
        return Completed(argv=tuple(argv), returncode=returncode, stdout=stdout, stderr=stderr)


def command(**more: object) -> Command:
    parts: dict[str, object] = {"argv": ("pg_restore", "-l"), **more}
    return Command(id="c", summary="list", risk=Risk.READ, **parts)  # type: ignore[arg-type]  # they vary by test


def test_a_program_gets_its_words_its_secrets_by_environment_and_a_deadline(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs = Programs()
    monkeypatch.setattr(process, "run", programs.run)
    rig.backend.calls["make"] = lambda arguments, runtime: {"path": "/x"}
    env: dict[str, Value] = {"PGPASSWORD": SecretRef("env:ALICE"), "PGPORT": 5432, "DIR": Ref("make", "path")}
    step = command(argv=("tool", Ref("make", "path")), env=env, deadline_s=3)
    outcome = rig.run(rig.call("make"), step)
    assert programs.seen == [(["tool", "/x"], {"PGPASSWORD": "hunter2", "PGPORT": "5432", "DIR": "/x"}, 3.0)]
    assert outcome.outputs["c"] == {"returncode": 0, "stdout": "out"}
    assert "hunter2" not in rig.everything_said(outcome, rig.plan(step))


def test_the_exit_codes_that_mean_success(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "run", Programs(3, "out", "it is broken").run)
    assert rig.run(command(ok=(0, 3))).outputs["c"]["returncode"] == 3
    outcome = rig.run(command())
    assert isinstance(outcome.error, ToolFailed)
    assert outcome.error.message == "pg_restore exited with 3: it is broken"


def test_of_a_long_output_the_end_is_kept(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "run", Programs(stdout="x" * 100_000 + "end").run)
    kept = rig.run(command()).outputs["c"]["stdout"]
    assert isinstance(kept, str)
    assert len(kept) == 65536
    assert kept.endswith("end")


# Files


def write(path: Path, *content: Fragment, mode: int = 0o600, append: bool = False) -> WriteFile:
    return WriteFile(
        id="w", summary="write", risk=Risk.WRITE, path=str(path), content=content, mode=mode, append=append
    )


def test_a_file_is_written_with_its_mode(rig: Rig) -> None:
    path = rig.directory / "recovery.signal"
    assert rig.run(write(path, "a = ", ALICE, "\n", mode=0o640)).done
    assert path.read_text() == "a = 'scram(hunter2,alice)'\n"
    assert path.stat().st_mode & 0o777 == 0o640


def test_a_file_is_replaced_as_a_whole(rig: Rig) -> None:
    path = rig.directory / "conf"
    path.write_text("old and longer")
    leftover = rig.directory / ".conf.dbops"
    leftover.write_text("of a run that was killed")
    leftover.chmod(0o644)
    reader = path.open()
    assert rig.run(write(path, "new")).done
    assert path.read_text() == "new"
    assert path.stat().st_mode & 0o777 == 0o600
    assert reader.read() == "old and longer"
    reader.close()
    assert not leftover.exists()


def test_a_file_that_cannot_be_replaced_stays_as_it_was(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    path = rig.directory / "conf"
    path.write_text("old")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    outcome = rig.run(write(path, "new"))
    assert isinstance(outcome.error, OutputError)
    assert outcome.error.message == f"{path} cannot be written: No space left on device"
    assert path.read_text() == "old"
    assert sorted(one.name for one in rig.directory.iterdir()) == ["conf"]


def test_appending_adds_and_makes_what_is_not_there(rig: Rig) -> None:
    path = rig.directory / "auto.conf"
    assert rig.run(write(path, "one\n", append=True)).done
    assert path.stat().st_mode & 0o777 == 0o600
    assert rig.run(write(path, "zwei: ü\n", append=True)).done
    assert path.read_bytes() == "one\nzwei: ü\n".encode()


def test_a_directory_that_is_not_there_is_said(rig: Rig) -> None:
    outcome = rig.run(write(rig.directory / "none" / "conf", "x"))
    assert isinstance(outcome.error, OutputError)
    assert "No such file or directory" in outcome.error.message


# Calls


def test_another_provider_gets_its_arguments(rig: Rig) -> None:
    arguments: dict[str, Value] = {"backup": "b-1", "force": True, "key": SecretRef("env:ALICE")}
    step = Call(id="c", summary="ask", risk=Risk.READ, provider="shop", operation="delete", arguments=arguments)
    outcome = rig.run(step)
    assert outcome.outputs["c"]["said"] == (
        "delete {'backup': 'b-1', 'force': True, 'key': SecretRef(ref='env:ALICE')}"
    )


def test_an_unknown_provider_is_named(rig: Rig) -> None:
    outcome = rig.run(Call(id="c", summary="ask", risk=Risk.READ, provider="aws.rds", operation="copy"))
    assert isinstance(outcome.error, UsageError)
    assert outcome.error.message == "step c: there is no provider 'aws.rds' in this run"


def test_a_door_resolves_the_secret_itself(rig: Rig) -> None:
    def door(arguments: Mapping[str, object], runtime: Runtime) -> Mapping[str, Value]:
        reference = arguments["key"]
        assert isinstance(reference, SecretRef)
        return {"length": len(runtime.secret(reference))}

    rig.backend.calls["use"] = door
    step = rig.call("use", arguments={"key": SecretRef("env:ALICE")})
    outcome = rig.run(step)
    assert outcome.outputs["use"] == {"length": 7}
    assert "hunter2" not in rig.everything_said(outcome, rig.plan(step))


# Waiting


def wait(deadline_s: float, every_s: float = 0.01) -> Wait:
    probe = Probe(what="ready")
    return Wait(
        id="w", summary="the copy is ready", risk=Risk.READ, probe=probe, deadline_s=deadline_s, every_s=every_s
    )


def test_waiting_ends_with_the_first_yes(rig: Rig) -> None:
    rig.backend.answers = [False, False, True, True]
    assert rig.run(wait(10)).done
    assert rig.events == ["probe ready"] * 3


def test_a_deadline_is_no_answer(rig: Rig) -> None:
    began = time.monotonic()
    outcome = rig.run(wait(0.1, every_s=60))
    assert time.monotonic() - began < 10
    assert isinstance(outcome.error, CouldNotTell)
    assert outcome.error.message == "the copy is ready: not so after 0.1 s"
    assert (outcome.error.code, outcome.error.reason) == (76, "timeout")
    assert len(rig.events) >= 2


def test_waiting_ends_when_a_neighbour_fails(rig: Rig) -> None:
    def fail(arguments: Mapping[str, object], runtime: Runtime) -> Mapping[str, Value]:
        while not rig.backend.events.count("probe ready"):
            time.sleep(0.01)
        raise ToolFailed("the true cause")

    rig.backend.calls["bad"] = fail
    both = Together(id="t", summary="both", risk=Risk.READ, steps=(wait(600, every_s=300), rig.call("bad")))
    began = time.monotonic()
    outcome = rig.run(both)
    assert time.monotonic() - began < 10
    assert outcome.error is not None
    assert outcome.error.message == "the true cause"
    assert outcome.step("w").status is StepStatus.FAILED


def test_a_probe_that_fails_is_a_failure(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*arguments: object) -> bool:
        raise DbopsError("the probe is broken")

    monkeypatch.setattr(rig.backend, "_probe", broken)
    outcome = rig.run(wait(10))
    assert outcome.error is not None
    assert outcome.error.message == "the probe is broken"


def test_containers_are_not_steps_of_this_kind(rig: Rig) -> None:
    with pytest.raises(TypeError, match="Together is a container"):
        act(Together(id="t", summary="t", risk=Risk.READ, steps=()), rig.context)
