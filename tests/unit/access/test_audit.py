"""Judging by rules, whatever the rules are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import msgspec

from dbops.access.audit import Flaw, Rule, judge, sample, worst
from dbops.access.effective import Effective
from dbops.model.access import AccessSnapshot, Principal
from dbops.model.finding import Missing, Remedy, Severity, Waived

NOW = datetime(2026, 1, 1, tzinfo=UTC)
Make = Callable[..., AccessSnapshot]


def flaws(effective: Effective) -> Iterator[Flaw]:
    for one in effective.snapshot.principals[1:]:
        severity = Severity.CRITICAL if one.name == "b" else None
        yield Flaw(principal=one.name, summary=one.name, remedy=Remedy(text="none"), severity=severity)


def unknowable(_effective: Effective) -> Missing:
    return Missing("no_permission", "a right is missing")


RULES = (
    Rule(id="x.people", title="", severity=Severity.LOW, why="", judge=flaws),
    Rule(id="x.dark", title="", severity=Severity.LOW, why="", judge=unknowable),
)


def test_findings_come_worst_first_and_what_could_not_be_judged_is_said(make: Make) -> None:
    findings, unknown = judge(RULES, Effective(make(people={"a": (), "b": ()}), NOW))
    assert [one.principal for one in findings] == ["b", "a", "owner"]
    assert [(one.id, one.reason, one.detail) for one in unknown] == [("x.dark", "no_permission", "a right is missing")]
    assert len({one.fingerprint for one in findings}) == 3


def test_a_fingerprint_stays_when_other_things_change(make: Make) -> None:
    before, _ = judge(RULES, Effective(make(people={"b": ()}), NOW))
    after, _ = judge(RULES, Effective(make(people={"a": (), "b": (), "c": ()}), NOW))
    assert {one.fingerprint for one in before} <= {one.fingerprint for one in after}


def test_the_worst_leaves_waived_findings_out(make: Make) -> None:
    findings, _ = judge(RULES, Effective(make(people={"a": (), "b": ()}), NOW))
    assert worst(findings) is Severity.CRITICAL
    accepted = [msgspec.structs.replace(findings[0], waived=Waived(reason="known")), *findings[1:]]
    assert worst(accepted) is Severity.LOW
    assert worst([]) is None


def test_a_sample_is_the_same_for_a_seed_and_says_yes_half_of_the_time(make: Make) -> None:
    found = make(people={"a": (), "b": ()}, grants=(("a", "SELECT", "t"), ("PUBLIC", "USAGE", "s")))
    effective = Effective(found, NOW)
    questions = sample(effective, 60, 7)
    assert questions == sample(effective, 60, 7)
    assert questions != sample(effective, 60, 8)
    for one in questions:
        holders = effective.nominal(found.objects[one.object], one.action)
        assert one.ours is bool(holders >> one.principal & 1)
        assert one.principal != 0
    assert any(one.ours for one in questions)


def test_nothing_to_ask_about(make: Make) -> None:
    found = make(people={})
    assert sample(Effective(msgspec.structs.replace(found, objects=()), NOW), 5, 1) == ()
    gone = (found.principals[0], Principal(name="123", kind="unknown"))
    assert sample(Effective(msgspec.structs.replace(found, principals=gone), NOW), 5, 1) == ()
