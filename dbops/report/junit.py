"""JUnit XML, which every CI system shows."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal
from xml.etree import ElementTree as ET

import msgspec

__all__ = ["Case", "Suite", "document"]

Outcome = Literal["passed", "failure", "error", "skipped"]
_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """One test. ``message`` is one line, ``detail`` may be long."""

    group: str
    name: str
    outcome: Outcome = "passed"
    message: str = ""
    detail: str = ""


class Suite(msgspec.Struct, frozen=True, kw_only=True):
    """The tests of one target. ``at`` is an instant in ISO 8601."""

    name: str
    at: str
    seconds: float
    cases: tuple[Case, ...]


def document(suites: Sequence[Suite]) -> str:
    """A whole document."""
    root = ET.Element("testsuites")
    for suite in suites:
        root.append(_suite(suite))
    ET.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(root, encoding="unicode")}\n'


def _suite(suite: Suite) -> ET.Element:
    outcomes = [case.outcome for case in suite.cases]
    element = ET.Element(
        "testsuite",
        name=_text(suite.name),
        timestamp=suite.at,
        time=f"{suite.seconds:.3f}",
        tests=str(len(outcomes)),
        failures=str(outcomes.count("failure")),
        errors=str(outcomes.count("error")),
        skipped=str(outcomes.count("skipped")),
    )
    element.extend(_case(case) for case in suite.cases)
    return element


def _case(case: Case) -> ET.Element:
    element = ET.Element("testcase", classname=_text(case.group), name=_text(case.name), time="0")
    if case.outcome == "passed":
        if case.message:
            ET.SubElement(element, "system-out").text = _text(case.message)
        return element
    inner = ET.SubElement(element, case.outcome, message=_text(case.message))
    inner.text = _text(case.detail) or None
    return element


def _text(text: str) -> str:
    """Without the characters that XML 1.0 cannot hold, not even escaped."""
    return _FORBIDDEN.sub("\ufffd", text)
