"""A health report in each format, read as its consumers read it."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from xml.etree import ElementTree as ET

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbops.health.catalogue import BACKUP_AGE
from dbops.model.finding import Remedy, Waived
from dbops.model.health import CheckResult, HealthReport, Status, TargetHealth
from dbops.report import health as render
from dbops.report import junit, nagios, prometheus, sarif

AT = datetime(2026, 5, 1, 12, tzinfo=UTC)
SHOP = TargetHealth(
    name="shop",
    engine="postgresql",
    address="postgresql://shop/app",
    server_version="15.18",
    role="primary",
    status=Status.CRITICAL,
    coverage=0.75,
    code=1,
    started_at=AT,
    seconds=0.25,
)


def check(identity: str, status: Status, summary: str = "as it is", **rest: object) -> CheckResult:
    found = CheckResult(id=identity, title=identity.title(), target="shop", status=status, summary=summary)
    return msgspec.structs.replace(found, **rest)


CHECKS = (
    check("pg.up", Status.OK, "answered", value=0.02, unit="seconds", warning=1, critical=5),
    check(
        "pg.slots.retained",
        Status.CRITICAL,
        "slot a|b keeps\n60 GiB",
        value=64424509440.0,
        unit="bytes",
        warning=10737418240,
        critical=53687091200,
        remedy=Remedy(text="Drop it.", sql="\n".join(f"DROP {n};" for n in range(7)), risk="data", url="https://x.y"),
        evidence=(
            {
                "object": "slot:a|b",
                "status": "critical",
                "summary": "keeps 60 GiB",
                "fingerprint": "pg.slots.retained@slot:a|b",
            },
            {"object": "slot:c", "status": "waived", "summary": "c", "fingerprint": "f2", "waived": "moving"},
        ),
    ),
    check("pg.version.eol", Status.WARNING, value=90.0, unit="days", warning=180, critical=0, low_bad=True),
    check(
        "pg.locks.blocking", Status.UNKNOWN, "hidden", reason="hidden_rows", remedy=Remedy(text="Grant.", sql="GRANT;")
    ),
    check("pg.settings.dangerous", Status.WAIVED, "fsync", waived=Waived(reason="a test", by="ann", until=AT)),
    check("backup.age", Status.SKIPPED, "not kept", reason="not_configured"),
)
REPORT = HealthReport(status=Status.CRITICAL, coverage=0.75, code=1, targets=(SHOP,), checks=CHECKS)
MORE = HealthReport(
    status=Status.CRITICAL,
    coverage=0.8,
    code=1,
    targets=(SHOP, msgspec.structs.replace(SHOP, name="other", status=Status.OK, code=0)),
    checks=(*CHECKS, msgspec.structs.replace(CHECKS[0], target="other")),
)


def test_text_puts_the_worst_first_and_says_what_to_do() -> None:
    lines = render.text(REPORT).splitlines()
    assert lines[0] == "shop: CRITICAL  (postgresql 15.18, primary, 0.25 s)"
    words = [line.split()[0] for line in lines if re.match(r"  \S", line)]
    assert words == ["CRITICAL", "WARNING", "UNKNOWN", "WAIVED", "OK", "SKIPPED"]
    assert "            Drop it. (risk: data)" in lines
    assert "            … and 2 more (--format json has them all)" in lines
    assert "            accepted by ann: a test, until 2026-05-01T12:00:00+00:00" in lines
    assert any(line.endswith("hidden [hidden_rows]") for line in lines)
    assert lines[-1] == "1 critical, 1 warning, 1 unknown, 1 waived, 1 ok, 1 skipped; answered: 75%"


def test_nagios_is_one_line_with_performance_data() -> None:
    line = render.nagios(REPORT)
    assert line.count("\n") == 1
    text, _, data = line.rstrip("\n").partition(" | ")
    assert text.startswith("DBOPS HEALTH CRITICAL - shop: 1 critical, 1 warning")
    assert "slot a/b keeps 60 GiB" in text
    assert data.split(" '") == [
        "'pg.up'=0.02s;1;5",
        "pg.slots.retained'=64424509440B;10737418240;53687091200",
        "pg.version.eol'=90;180:;0:",
    ]


def test_nagios_names_targets_when_there_are_several_and_does_not_grow_without_end() -> None:
    many = msgspec.structs.replace(MORE, checks=tuple(check(f"c{n}", Status.WARNING) for n in range(9)))
    assert "2 targets: 9 warning; shop c0: as it is; " in render.nagios(many)
    assert "; and 4 more\n" in render.nagios(many)
    assert "'other/pg.up'=0.02s" in render.nagios(MORE)


def test_nagios_exit_codes() -> None:
    assert nagios.EXIT == {"ok": 0, "warning": 1, "critical": 2, "unknown": 3}


@given(st.text(), st.floats(allow_nan=False, allow_infinity=False))
def test_nagios_stays_one_line_whatever_it_holds(text: str, value: float) -> None:
    line = nagios.line("x", "ok", text, [nagios.Measured(label=text, value=value)])
    assert len(line.splitlines()) == 1
    assert "e+" not in line.rpartition("=")[2]


SAMPLE = re.compile(r'^[a-z_]+\{(?:[a-z]+="(?:[^"\\\n]|\\[\\"n])*",?)+\} -?[0-9.e+-]+$')


def test_prometheus_can_be_parsed() -> None:
    text = render.prometheus(MORE)
    samples = [line for line in text.splitlines() if not line.startswith("#")]
    assert all(SAMPLE.match(line) for line in samples)
    assert 'dbops_health_status{target="shop",engine="postgresql"} 2' in samples
    assert 'dbops_health_check_status{target="shop",check="pg.locks.blocking"} 3' in samples
    assert 'dbops_health_check_value{target="shop",check="pg.slots.retained",unit="bytes"} 64424509440' in samples
    assert 'dbops_health_last_run_timestamp_seconds{target="shop",engine="postgresql"} 1777636800' in samples
    names = [line.split()[2] for line in text.splitlines() if line.startswith("# TYPE")]
    assert len(names) == len(set(names)) == 6


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_prometheus_labels_hold_anything(value: str) -> None:
    client = pytest.importorskip("prometheus_client.parser")
    text = prometheus.exposition([prometheus.Family("m", "h\n\\", [prometheus.Sample(1, {"l": value})])])
    (family,) = client.text_string_to_metric_families(text)
    assert family.samples[0].labels == {"l": value}


def test_prometheus_leaves_empty_families_out() -> None:
    assert prometheus.exposition([prometheus.Family("m", "h", [])]) == ""
    assert prometheus.exposition([prometheus.Family("m", "h", [prometheus.Sample(0.5)])]).endswith("m 0.5\n")


def test_junit_has_a_case_for_each_check() -> None:
    root = ET.fromstring(render.junit(REPORT))  # our own document
    (suite,) = root
    assert {name: suite.get(name) for name in ("tests", "failures", "errors", "skipped")} == {
        "tests": "6", "failures": "2", "errors": "1", "skipped": "1",
    }  # fmt: skip
    cases = {case.get("name"): case for case in suite}
    failure = cases["pg.slots.retained"].find("failure")
    assert failure is not None
    assert "DROP 0;" in (failure.text or "")
    assert cases["pg.locks.blocking"].find("error") is not None
    accepted = cases["pg.settings.dangerous"].find("system-out")
    assert accepted is not None
    assert accepted.text == "accepted: a test; fsync"


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_junit_is_well_formed_whatever_it_holds(text: str) -> None:
    case = junit.Case(group=text, name=text, outcome="failure", message=text, detail=text)
    whole = junit.document([junit.Suite(name=text, at="", seconds=1, cases=(case,))])
    assert ET.fromstring(whole)[0].get("failures") == "1"  # our own document


def test_sarif_has_a_result_for_each_object() -> None:
    log = json.loads(render.sarif(REPORT))
    (run,) = log["runs"]
    assert log["version"] == "2.1.0"
    first, second = run["results"]
    assert first["ruleId"] == "pg.slots.retained"
    assert first["level"] == "error"
    assert first["locations"][0]["logicalLocations"][0]["fullyQualifiedName"] == "shop/slot:a|b"
    assert first["partialFingerprints"] == {"dbops/v1": "shop/pg.slots.retained@slot:a|b"}
    assert "suppressions" not in first
    assert second["suppressions"] == [{"kind": "external", "justification": "moving"}]
    rules = {rule["id"]: rule for rule in run["tool"]["driver"]["rules"]}
    assert rules["pg.slots.retained"]["helpUri"] == "https://x.y"
    assert "help" not in rules["pg.version.eol"]


def test_sarif_without_an_object_names_the_target() -> None:
    result = sarif.Result(rule="r", level="note", message="m", target="shop", object="", fingerprint="f")
    (found,) = json.loads(sarif.document([], [result]))["runs"][0]["results"]
    assert found["locations"][0]["logicalLocations"][0]["fullyQualifiedName"] == "shop"


def test_the_catalogue_is_a_table() -> None:
    head, row = render.catalogue([BACKUP_AGE]).splitlines()
    assert head.split() == ["ID", "ENGINE", "TITLE", "WARNING", "CRITICAL", "UNIT", "NEEDS"]
    assert row.split()[:2] == ["backup.age", "any"]
    assert "129,600" in row


def test_what_to_do_about_a_session_that_there_is_not_is_said_once() -> None:
    down = check("pg.up", Status.UNKNOWN, "no session", evidence=({"hint": "Trust it."}, {"hint": "Trust it."}))
    report = HealthReport(status=Status.UNKNOWN, coverage=0, code=76, targets=(SHOP,), checks=(down,))
    assert render.text(report).splitlines()[1:3] == ["  UNKNOWN   pg.up  no session", "            Trust it."]
