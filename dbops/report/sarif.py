"""SARIF 2.1.0, which code scanning services read.

https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec

from dbops import __version__

__all__ = ["Level", "Result", "Rule", "document"]

Level = Literal["error", "warning", "note", "none"]
SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
FINGERPRINT = "dbops/v1"


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """What can be found. ``help`` says what to do."""

    id: str
    title: str
    help: str = ""
    url: str = ""


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What was found, where (``target`` and ``object``). ``suppressed`` is why somebody accepted it."""

    rule: str
    level: Level
    message: str
    target: str
    object: str
    fingerprint: str
    suppressed: str = ""


def document(rules: Sequence[Rule], results: Sequence[Result]) -> str:
    """A log with one run."""
    driver = {"name": "dbops", "version": __version__, "rules": [_rule(rule) for rule in rules]}
    run = {"tool": {"driver": driver}, "results": [_result(result) for result in results]}
    log = {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}
    return msgspec.json.format(msgspec.json.encode(log), indent=2).decode() + "\n"


def _rule(rule: Rule) -> dict[str, object]:
    found: dict[str, object] = {"id": rule.id, "shortDescription": {"text": rule.title}}
    if rule.help:
        found["help"] = {"text": rule.help}
    if rule.url:
        found["helpUri"] = rule.url
    return found


def _result(result: Result) -> dict[str, object]:
    place = f"{result.target}/{result.object}" if result.object else result.target
    found: dict[str, object] = {
        "ruleId": result.rule,
        "level": result.level,
        "message": {"text": result.message},
        "locations": [{"logicalLocations": [{"fullyQualifiedName": place, "kind": "resource"}]}],
        "partialFingerprints": {FINGERPRINT: f"{result.target}/{result.fingerprint}"},
    }
    if result.suppressed:
        found["suppressions"] = [{"kind": "external", "justification": result.suppressed}]
    return found
