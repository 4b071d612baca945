"""Saved plans: carried out when planning again gives the same, refused with the difference when not."""

from __future__ import annotations

import importlib
import sys
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest

from dbops.config import Config
from dbops.errors import InputError, Locked, StalePlan
from dbops.execute import Outcome
from dbops.operations import plans
from dbops.operations.workspace import Workspace
from dbops.plan import Plan, Risk, Sql, dump_plan
from dbops.state import State

NOW = datetime(2026, 1, 31, 3, tzinfo=UTC)


def plan(*statements: str, noun: str = "toy.apply") -> Plan:
    steps = tuple(
        Sql(id=f"s{number}", summary=f"step {number}", risk=Risk.WRITE, statement=(text,))
        for number, text in enumerate(statements)
    )
    return Plan(noun=noun, target="shop", engine="toy", created_at=NOW, steps=steps)


class Noun:
    """A module that makes plans."""

    def __init__(self, now: Plan) -> None:
        self.now, self.done = now, list[Plan]()

    def replan(self, ws: Workspace, saved: Plan) -> Plan:
        with pytest.raises(Locked), ws.state.lock("shop", "another run"):
            pass
        return self.now

    def carry_out(self, ws: Workspace, made: Plan) -> Outcome:
        self.done.append(made)
        return Outcome(made.digest, (), {}, None)


@pytest.fixture
def ws(tmp_path: Path) -> Workspace:
    return Workspace(Config(), state=State(tmp_path, clock=lambda: NOW))


def noun(monkeypatch: pytest.MonkeyPatch, now: Plan) -> Noun:
    made = Noun(now)
    monkeypatch.setitem(plans.REPLAN, "toy.apply", "toy_noun")
    monkeypatch.setitem(sys.modules, "toy_noun", SimpleNamespace(replan=made.replan, carry_out=made.carry_out))
    return made


def test_the_same_plan_is_carried_out_under_the_lock(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    saved = plan("GRANT a")
    module = noun(monkeypatch, plan("GRANT a"))
    assert plans.apply(ws, saved).digest == saved.digest
    assert module.done == [saved]


def test_another_plan_is_refused_with_the_difference(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    module = noun(monkeypatch, plan("GRANT b"))
    with pytest.raises(StalePlan) as caught:
        plans.apply(ws, plan("GRANT a"))
    assert caught.value.message.splitlines() == [
        "the plan for shop is out of date: planning again gives other steps",
        "- step 0: GRANT a",
        "+ step 0: GRANT b",
    ]
    assert "Nothing was changed." in caught.value.hint
    assert caught.value.code == 65
    assert module.done == []


def test_a_long_difference_is_cut() -> None:
    with pytest.raises(StalePlan) as caught:
        plans.check_fresh(plan(*map(str, range(100))), plan())
    assert len(caught.value.message.splitlines()) == 41


def test_a_busy_target_is_refused(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    module = noun(monkeypatch, plan("GRANT a"))
    with ws.state.lock("shop", "the backup of shop"), pytest.raises(Locked, match="the backup of shop"):
        plans.apply(ws, plan("GRANT a"))
    assert module.done == []


def test_a_plan_of_something_else_is_refused(ws: Workspace, tmp_path: Path) -> None:
    unknown = plan("x", noun="moon.land")
    with pytest.raises(InputError, match=r"^a plan for 'moon.land', which this dbops does not know$"):
        plans.apply(ws, unknown)
    path = tmp_path / "plan.json"
    path.write_bytes(dump_plan(unknown))
    with pytest.raises(InputError, match=r"plan\.json: a plan for 'moon\.land'"):
        plans.load(path)


def test_a_saved_plan_is_read(tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    path.write_bytes(dump_plan(plan("x", noun="users.apply")))
    assert plans.load(path) == plan("x", noun="users.apply")
    with pytest.raises(InputError, match=r"none\.json: cannot be read: No such file"):
        plans.load(tmp_path / "none.json")


@pytest.mark.parametrize("name", sorted(set(plans.REPLAN.values())))
def test_every_noun_can_plan_again_and_carry_out(name: str) -> None:
    module = importlib.import_module(name)
    assert callable(module.replan)
    assert callable(module.carry_out)
