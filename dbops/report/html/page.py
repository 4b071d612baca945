"""The page: a template with everything escaped, and a few words of formatting."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from dbops.model.finding import Finding, Missing
from dbops.model.health import CheckResult
from dbops.model.report import Report, TargetReport
from dbops.report.amounts import bytes_, seconds
from dbops.report.html.plots import durations

if TYPE_CHECKING:
    from jinja2 import Environment

__all__ = ["page"]

ORDER = ("critical", "unknown", "warning", "waived", "skipped", "ok")


def page(report: Report) -> str:
    """The whole report as HTML."""
    return _environment().get_template("page.html.jinja").render(report=report)


def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("dbops.report.html", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    # Any: jinja2 says of its three tables what its own functions are, not what others may be.
    filters: dict[str, Any] = {"size": bytes_, "seconds": seconds, "instant": _instant, "percent": _percent}
    words: dict[str, Any] = {
        "durations": durations, "worst_first": _worst_first, "counts": _counts, "verdict": _verdict,
    }  # fmt: skip
    tests: dict[str, Any] = {"missing": _is_missing}
    environment.filters.update(filters)
    environment.globals.update(words)
    environment.tests.update(tests)
    return environment


def _is_missing(value: object) -> bool:
    return isinstance(value, Missing)


def _instant(at: datetime | None) -> str:
    return "–" if at is None else f"{at:%Y-%m-%d %H:%M:%S} UTC"


def _percent(share: float) -> str:
    return f"{share:.0%}"


def _worst_first(checks: tuple[CheckResult, ...]) -> list[CheckResult]:
    return sorted(checks, key=lambda check: (ORDER.index(check.status.value), check.id))


def _counts(findings: tuple[Finding, ...]) -> dict[str, int]:
    """Open findings by severity, the worst first; a severity without any is left out."""
    found = dict.fromkeys(("critical", "high", "medium", "low", "info"), 0)
    for finding in findings:
        if finding.waived is None:
            found[finding.severity.value] += 1
    return {severity: count for severity, count in found.items() if count}


def _verdict(target: TargetReport) -> str:
    """The state of a target's backups in one word."""
    if isinstance(target.backups, Missing):
        return "unknown"
    if not target.backups.backups:
        return "none"
    return "proven" if any(one.proven is not None for one in target.backups.backups) else "unproven"
