"""What a job does: the operation of its word is called with the job's own choices, and its answer kept short."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest

from dbops.config import JobConfig, Target
from dbops.errors import ConfigError
from dbops.jobs.work import WORKS
from dbops.model.backup import Verdict
from dbops.model.finding import Finding, Remedy, Severity, Waived
from dbops.model.health import CheckResult, HealthReport, Status
from dbops.model.server import Endpoint
from dbops.operations import access, backup, health, prune, verify
from dbops.operations.workspace import Workspace

WS = cast("Workspace", SimpleNamespace())
TARGET = Target(name="shop", endpoint=Endpoint(engine="postgresql"), verify_level="restore")
AT = datetime(2026, 1, 31, tzinfo=UTC)


def job(do: str, **fields: Any) -> JobConfig:
    return JobConfig(name="nightly", do=do, targets="all", at="@daily", **fields)


def test_backup(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: dict[str, object] = {}

    def run(ws: Workspace, target: Target, *, method: str | None) -> object:
        seen.update(target=target, method=method)
        return SimpleNamespace(backup=SimpleNamespace(id="b-1", method="dump"), seconds=3.5)

    monkeypatch.setattr(backup, "run", run)
    done = WORKS["backup"](WS, TARGET, job("backup", method="dump"))
    assert seen == {"target": TARGET, "method": "dump"}
    assert (done.status, done.code) == ("done", 0)
    assert done.facts == {"backup": "b-1", "method": "dump", "seconds": 3.5}


@pytest.mark.parametrize(("verdict", "code"), [("verified", 0), ("failed", 1), ("could_not_verify", 76)])
@pytest.mark.parametrize(("level", "asked"), [(None, "restore"), ("checksum", "checksum")])
def test_verify(verdict: str, code: int, level: str | None, asked: str, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[object] = []

    def prove(ws: Workspace, target: Target, *, level: str, method: str | None) -> object:
        seen.append(level)
        return SimpleNamespace(backup="b-1", verdict=Verdict(verdict), reasons=("why",))

    monkeypatch.setattr(verify, "verify", prove)
    done = WORKS["verify"](WS, TARGET, job("verify", level=level))
    assert seen == [asked]
    assert (done.status, done.code, done.facts) == (verdict, code, {"backup": "b-1", "reasons": ["why"]})


def test_a_level_that_is_none_names_the_nearest() -> None:
    with pytest.raises(ConfigError, match=r"jobs\.nightly\.level: 'fulll'") as caught:
        WORKS["verify"](WS, TARGET, job("verify", level="fulll"))
    assert "'full'" in caught.value.hint


def test_health(monkeypatch: pytest.MonkeyPatch) -> None:
    checks = tuple(CheckResult(id=f"c.{status.value}", title="", status=status, summary="") for status in Status)
    report = HealthReport(status=Status.CRITICAL, coverage=1, code=1, targets=(), checks=checks)
    monkeypatch.setattr(health, "check", lambda ws, targets: report)
    done = WORKS["health"](WS, TARGET, job("health"))
    assert (done.status, done.code) == ("critical", 1)
    assert done.facts["checks"] == {status.value: 1 for status in Status}
    assert done.facts["not_ok"] == ["c.warning", "c.critical", "c.unknown"]


def finding(severity: Severity, waived: bool = False) -> Finding:
    accepted = Waived(reason="known") if waived else None
    return Finding(id="x", severity=severity, summary="", fingerprint="", remedy=Remedy(text=""), waived=accepted)


@pytest.mark.parametrize(
    ("findings", "fail_on", "status", "code"),
    [
        ((), None, "ok", 0),
        ((finding(Severity.MEDIUM),), None, "ok", 0),
        ((finding(Severity.HIGH),), None, "findings", 1),
        ((finding(Severity.CRITICAL, waived=True),), None, "ok", 0),
        ((finding(Severity.LOW),), "low", "findings", 1),
        ((finding(Severity.HIGH),), "critical", "ok", 0),
    ],
)
def test_audit(
    findings: tuple[Finding, ...], fail_on: str | None, status: str, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(access, "audit", lambda ws, target: SimpleNamespace(findings=findings, unknown=()))
    done = WORKS["audit"](WS, TARGET, job("audit", fail_on=fail_on))
    assert (done.status, done.code) == (status, code)


def test_an_audit_names_what_it_could_not_judge(monkeypatch: pytest.MonkeyPatch) -> None:
    unknown = (SimpleNamespace(id="pg.x"),)
    monkeypatch.setattr(access, "audit", lambda ws, target: SimpleNamespace(findings=(), unknown=unknown))
    assert WORKS["audit"](WS, TARGET, job("audit")).facts == {"findings": {}, "not_judged": ["pg.x"]}


def test_a_severity_that_is_none_names_the_nearest() -> None:
    with pytest.raises(ConfigError, match=r"jobs\.nightly\.fail_on: 'hihg'") as caught:
        WORKS["audit"](WS, TARGET, job("audit", fail_on="hihg"))
    assert "'high'" in caught.value.hint


@pytest.mark.parametrize("steps", [(), ("delete",)])
def test_prune_only_carries_out_what_there_is(steps: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    carried_out: list[object] = []
    plan = SimpleNamespace(steps=steps)

    def carry_out(ws: Workspace, plan: object) -> str:
        carried_out.append(plan)
        return "outcome"

    def result(answer: object, outcome: object) -> object:
        deleted = ("b-1",) if outcome else ()
        return SimpleNamespace(status="done", deleted=deleted, keep=("k",), freed_bytes=7)

    monkeypatch.setattr(prune, "plan", lambda ws, target: ("answer", plan))
    monkeypatch.setattr(prune, "carry_out", carry_out)
    monkeypatch.setattr(prune, "result", result)
    done = WORKS["prune"](WS, TARGET, job("prune"))
    assert carried_out == ([plan] if steps else [])
    assert (done.code, done.facts) == (0, {"deleted": ["b-1"] if steps else [], "kept": 1, "freed": 7})
