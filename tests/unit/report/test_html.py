"""The page: everything escaped, nothing loaded, nothing left out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from typing import Any

import msgspec
import pytest

from dbops.model.backup import BackupRecord, Custody, Proof, Verdict
from dbops.model.finding import Finding, Missing, Remedy, Severity, Waived
from dbops.model.health import CheckResult, Status, TargetHealth
from dbops.model.recovery import Coverage
from dbops.model.report import AccessSummary, Audited, Checked, Person, Protected, Report, TargetReport, Timing
from dbops.report.html import page, plots
from dbops.report.html.plots import durations

AT = datetime(2026, 3, 1, 2, 15, tzinfo=UTC)
EVIL = "<script>alert('x')</script>\"&"
GONE = Missing("timeout", "the server did not answer")
HEALTH = TargetHealth(
    name="shop", engine="postgresql", address="postgresql://db1/", server_version="17.10", role="primary",
    status=Status.CRITICAL, coverage=0.95, code=1, started_at=AT, seconds=0.5,
)  # fmt: skip
BACKUP = BackupRecord(
    id="b-1", target="shop", incarnation="7", engine="postgresql", server_version="17.10", method="dump",
    kind="logical", custody=Custody.REPOSITORY, location="main", started_at=AT,
    finished_at=AT + timedelta(seconds=30), bytes=1536, stored_bytes=512,
)  # fmt: skip
PROOF = Proof(at=AT, verdict=Verdict.VERIFIED, level="full")
COVERED = Coverage(start=AT, end=AT, spans=(), worst_loss_s=None, verdict="covered", reasons=("all of it",))


@pytest.fixture(autouse=True)
def _without_matplotlib(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its first use runs programs to look for fonts: tests/cli/test_report.py has the plots."""
    monkeypatch.setattr(plots, "available", lambda: False)


def check(id_: str, status: Status, **fields: Any) -> CheckResult:
    return CheckResult(id=id_, title=f"title of {id_}", status=status, summary=f"summary of {id_}", **fields)


def finding(severity: Severity, **fields: Any) -> Finding:
    plain = {"id": f"pg.{severity.value}", "summary": f"a {severity.value} one", "fingerprint": "f"}
    return Finding(severity=severity, remedy=Remedy(text="revoke it", sql="REVOKE x"), **{**plain, **fields})


def target(**fields: Any) -> TargetReport:
    plain: dict[str, Any] = {
        "name": "shop", "address": "postgresql://dbops@db1/shop", "server": "PostgreSQL 17.10, primary",
        "health": Checked(summary=HEALTH, checks=(check("pg.ok", Status.OK),)), "audit": Audited(findings=()),
        "access": AccessSummary(principals=3, memberships=2, objects=40, grants=90, people=()),
        "backups": Protected(repository="main", backups=(), coverage=GONE), "timings": (),
    }  # fmt: skip
    return TargetReport(**{**plain, **fields})


def rendered(*targets: TargetReport) -> str:
    return page(Report(generated_at=AT, dbops="1.2.3", targets=targets))


class Outline(HTMLParser):
    """Every opening tag with its attributes, and whether all of them are closed in order."""

    VOID = ("meta", "br", "link", "img")

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_a_page_is_whole_and_loads_nothing() -> None:
    outline = Outline(rendered(target(), target(name="blog")))
    assert outline.open == []
    for tag, attributes in outline.tags:
        assert tag not in ("script", "link", "img", "iframe", "object")
        assert not any(name.startswith("on") or name == "src" for name in attributes)
        assert not (attributes.get("href") or "#").startswith("http")


def test_what_servers_say_is_escaped_everywhere() -> None:
    person = Person(name=EVIL, attributes=(EVIL,), roles=(EVIL,), objects=1)
    waived = Waived(reason=EVIL)
    text = rendered(
        target(
            name=EVIL,
            address=EVIL,
            server=EVIL,
            health=Checked(
                summary=HEALTH,
                checks=(
                    check(EVIL, Status.CRITICAL, remedy=Remedy(text=EVIL, sql=EVIL)),
                    check("w", Status.WAIVED, waived=waived),
                ),
            ),
            audit=Audited(
                findings=(finding(Severity.HIGH, summary=EVIL, principal=EVIL, object=EVIL),), skipped=(EVIL,)
            ),
            access=AccessSummary(principals=1, memberships=0, objects=1, grants=1, people=(person,)),
            backups=Protected(
                repository=EVIL, backups=(msgspec.structs.replace(BACKUP, id=EVIL, method=EVIL),), coverage=COVERED
            ),
            timings=(Timing(what=EVIL, name=EVIL, started_at=AT, seconds=1, status=EVIL),),
        ),
        target(health=Missing("x", EVIL), audit=Missing("x", EVIL), backups=Missing("x", EVIL)),
    )
    assert "<script" not in text
    assert text.count("&lt;script&gt;") >= 18
    assert Outline(text).open == []


def test_health_shows_the_worst_first_with_what_to_do() -> None:
    checks = (
        check("a.ok", Status.OK, remedy=Remedy(text="not needed")),
        check("b.warning", Status.WARNING, remedy=Remedy(text="do this", sql="SELECT 1")),
        check("c.unknown", Status.UNKNOWN),
        check("d.critical", Status.CRITICAL),
        check("e.waived", Status.WAIVED, waived=Waived(reason="a replica does it")),
    )
    text = rendered(target(health=Checked(summary=HEALTH, checks=checks)))
    places = [
        text.index(f"<code>{name}</code>") for name in ("d.critical", "c.unknown", "b.warning", "e.waived", "a.ok")
    ]
    assert places == sorted(places)
    assert "do this" in text
    assert "<pre>SELECT 1</pre>" in text
    assert "not needed" not in text
    assert "accepted: a replica does it" in text
    assert "5 checks, 95% answered" in text


def test_audit_counts_open_findings_by_severity() -> None:
    findings = (
        finding(Severity.CRITICAL),
        finding(Severity.LOW),
        finding(Severity.LOW),
        finding(Severity.HIGH, waived=Waived(reason="known")),
    )
    text = rendered(target(audit=Audited(findings=findings, skipped=("pg.x: needs a superuser",))))
    assert "1 critical" in text
    assert "2 low" in text
    assert "1 high" not in text
    assert "4 findings" in text
    assert "Not judged: pg.x: needs a superuser" in text
    assert "Nothing was found." in rendered(target())


def test_access_names_everybody_who_can_log_in() -> None:
    people = (
        Person(name="alice", attributes=(), roles=("team_sales", "app_read"), objects=17),
        Person(name="root", attributes=("SUPERUSER",), roles=(), objects=Missing("bypass"), valid_until=AT),
    )
    text = rendered(target(access=AccessSummary(principals=3, memberships=2, objects=40, grants=90, people=people)))
    assert "3 principals, 2 memberships" in text
    assert "team_sales, app_read" in text
    assert ">17</td>" in text
    assert ">everything</td>" in text
    assert "until 2026-03-01 02:15:00 UTC" in text


@pytest.mark.parametrize(
    ("records", "badge"),
    [
        ((), "none"),
        ((BACKUP,), "unproven"),
        ((msgspec.structs.replace(BACKUP, proof=PROOF, proven=PROOF),), "proven"),
    ],
)
def test_backups_are_proven_or_not(records: tuple[BackupRecord, ...], badge: str) -> None:
    text = rendered(target(backups=Protected(repository="main", backups=records, coverage=COVERED)))
    assert f'<h3>Can we get it back?</h3><span class="badge {badge}">' in text.replace("\n", "")
    assert ("all of it" in text) is bool(records)
    assert ("1.5 KiB" in text) is bool(records)


def test_backups_that_cannot_be_read_are_unknown_and_not_none() -> None:
    text = rendered(target(backups=GONE))
    assert '<span class="badge unknown">unknown</span>' in text
    assert "There is no backup" not in text


def test_what_is_not_known_says_why_and_hides_nothing_else() -> None:
    text = rendered(target(server=GONE, health=GONE, audit=GONE, access=GONE, backups=GONE, timings=GONE))
    assert text.count("Not known: the server did not answer") == 5
    assert "Not known: timeout" in rendered(target(access=Missing("timeout")))


def test_several_servers_have_an_overview() -> None:
    assert "<nav>" not in rendered(target())
    text = rendered(target(), target(name="blog", health=GONE, audit=GONE))
    assert '<a href="#t2">blog</a>' in text
    assert "2 servers" in text


TIMES = (
    Timing(what="backup", name="dump", started_at=AT, seconds=3, status="done"),
    Timing(what="verify", name="full", started_at=AT + timedelta(minutes=1), seconds=5, status="verified"),
    Timing(what="job", name="nightly", started_at=AT, seconds=9, status="done"),
)


def test_timings_are_listed() -> None:
    text = rendered(target(timings=TIMES))
    for words in ("backup dump", "verify full", "job nightly", "3.0s"):
        assert words in text


def test_no_plot_of_too_little_or_without_matplotlib() -> None:
    assert durations(GONE) is None
    assert durations(TIMES) is None
    assert "<figure>" not in rendered(target(timings=TIMES))
