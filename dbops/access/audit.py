"""An audit: rules as data, each with a pure function that finds what it looks for; nothing here asks a server."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Iterable, Sequence

import msgspec

from dbops.access.closure import each
from dbops.access.effective import Effective
from dbops.model.audit import Unknown
from dbops.model.finding import Benchmark, Finding, Missing, Remedy, Severity

__all__ = ["Flaw", "Question", "Rule", "judge", "sample", "worst"]


class Flaw(msgspec.Struct, frozen=True, kw_only=True):
    """Something that a rule found.

    :param key: what it is about, for the fingerprint; the principal and the object unless something else tells
        two flaws of one rule apart.
    :param severity: the rule's own unless it is given.
    """

    summary: str
    remedy: Remedy
    principal: str = ""
    object: str = ""
    severity: Severity | None = None
    key: str = ""


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to look for.

    :param id: kept for ever. :param judge: pure: everything that it finds, or why it cannot tell.
    """

    id: str
    title: str
    severity: Severity
    why: str
    judge: Callable[[Effective], Iterable[Flaw] | Missing]
    benchmarks: tuple[Benchmark, ...] = ()


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """Does this principal hold this action on this object? ``ours`` is our own answer; positions as in the snapshot."""

    principal: int
    object: int
    action: str
    ours: bool


def judge(rules: Sequence[Rule], effective: Effective) -> tuple[tuple[Finding, ...], tuple[Unknown, ...]]:
    """Every finding, the worst first, and the rules that could not tell."""
    findings: list[Finding] = []
    unknown: list[Unknown] = []
    for rule in rules:
        found = rule.judge(effective)
        if isinstance(found, Missing):
            unknown.append(Unknown(id=rule.id, reason=found.reason, detail=found.detail))
        else:
            findings += [_finding(rule, flaw) for flaw in found]
    findings.sort(key=lambda one: (-one.severity.rank, one.id, one.principal, one.object, one.fingerprint))
    return tuple(findings), tuple(unknown)


def _finding(rule: Rule, flaw: Flaw) -> Finding:
    key = "\x1f".join((rule.id, flaw.principal, flaw.object, flaw.key))
    return Finding(
        id=rule.id,
        severity=flaw.severity or rule.severity,
        summary=flaw.summary,
        fingerprint=hashlib.sha256(key.encode()).hexdigest()[:32],
        principal=flaw.principal,
        object=flaw.object,
        remedy=flaw.remedy,
        benchmarks=rule.benchmarks,
    )


def worst(findings: Iterable[Finding]) -> Severity | None:
    """The highest severity that nobody waived."""
    return max((one.severity for one in findings if one.waived is None), key=lambda one: one.rank, default=None)


def sample(effective: Effective, count: int, seed: int) -> tuple[Question, ...]:
    """Questions to the server, half of them where we say yes; the same for the same seed."""
    chosen = random.Random(seed)  # noqa: S311 - a sample, not a secret
    objects = [number for number, one in enumerate(effective.snapshot.objects) if effective.snapshot.kind(one).actions]
    people = [number for number, one in enumerate(effective.snapshot.principals) if number and one.kind != "unknown"]
    if not objects or not people:
        return ()
    return tuple(_question(effective, chosen, objects, people, at % 2 == 0) for at in range(count))


def _question(
    effective: Effective, chosen: random.Random, objects: list[int], people: list[int], yes: bool
) -> Question:
    number = chosen.choice(objects)
    one = effective.snapshot.objects[number]
    action = chosen.choice(effective.snapshot.kind(one).actions)
    holders = effective.nominal(one, action)
    likely = [who for who in each(holders) if effective.snapshot.principals[who].kind != "unknown"]
    who = chosen.choice(likely) if yes and likely else chosen.choice(people)
    return Question(principal=who, object=number, action=action, ours=bool(holders >> who & 1))
