"""A health report in every format but JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from dbops.model.finding import Remedy
from dbops.model.health import Check, CheckResult, HealthReport, Row, Status, TargetHealth
from dbops.report import junit as junit_format
from dbops.report import nagios as nagios_format
from dbops.report import prometheus as prometheus_format
from dbops.report import sarif as sarif_format
from dbops.report.table import table

__all__ = ["catalogue", "junit", "nagios", "prometheus", "sarif", "text"]

SHOWN_BY_NAGIOS = 5
STATEMENTS = 5
_WORST_FIRST = (Status.CRITICAL, Status.WARNING, Status.UNKNOWN, Status.WAIVED, Status.OK, Status.SKIPPED)
_NUMBERS = {status: number for number, status in enumerate(Status)}
_UOM = {"seconds": "s", "percent": "%", "bytes": "B"}
_OUTCOMES: dict[Status, junit_format.Outcome] = {
    Status.WARNING: "failure",
    Status.CRITICAL: "failure",
    Status.UNKNOWN: "error",
    Status.SKIPPED: "skipped",
}
_LEVELS: dict[str, sarif_format.Level] = {"critical": "error", "warning": "warning", "unknown": "note"}


def text(report: HealthReport) -> str:
    """For people: each target with its answers, the worst first, and below each bad one what to do."""
    return "\n".join(_target(target, _of(report, target)) for target in report.targets)


def nagios(report: HealthReport) -> str:
    """One line and performance data; a value's label carries the target's name when there are several."""
    several = len(report.targets) > 1
    bad = [one for one in _sorted(report.checks) if one.status in (Status.CRITICAL, Status.WARNING, Status.UNKNOWN)]
    named = [f"{f'{one.target} ' if several else ''}{one.id}: {one.summary}" for one in bad[:SHOWN_BY_NAGIOS]]
    more = [f"and {len(bad) - len(named)} more"] if len(bad) > len(named) else []
    who = f"{len(report.targets)} targets" if several else "".join(target.name for target in report.targets)
    said = "; ".join([f"{who}: {_counts(report.checks)}", *named, *more])
    measured = [
        nagios_format.Measured(
            label=f"{one.target}/{one.id}" if several else one.id,
            value=one.value,
            uom=_UOM.get(one.unit, ""),
            warning=one.warning,
            critical=one.critical,
            low_bad=one.low_bad,
        )
        for one in report.checks
        if one.value is not None
    ]
    return nagios_format.line("dbops health", report.status.value, said, measured)


def prometheus(report: HealthReport) -> str:
    """Gauges by target and check."""
    family, sample = prometheus_format.Family, prometheus_format.Sample
    targets = [({"target": one.name, "engine": one.engine}, one) for one in report.targets]
    checks = [({"target": one.target, "check": one.id}, one) for one in report.checks]
    statuses = ", ".join(f"{number} {status.value}" for status, number in _NUMBERS.items())
    return prometheus_format.exposition(
        [
            family(
                "dbops_health_status",
                f"The worst answer of a target: {statuses}.",
                [sample(_NUMBERS[one.status], labels) for labels, one in targets],
            ),
            family(
                "dbops_health_coverage_ratio",
                "The share of the checks that apply which gave an answer.",
                [sample(one.coverage, labels) for labels, one in targets],
            ),
            family(
                "dbops_health_duration_seconds",
                "How long the check of a target took.",
                [sample(one.seconds, labels) for labels, one in targets],
            ),
            family(
                "dbops_health_last_run_timestamp_seconds",
                "When the check of a target began.",
                [sample(round(one.started_at.timestamp(), 3), labels) for labels, one in targets],
            ),
            family(
                "dbops_health_check_status",
                f"The answer of a check: {statuses}.",
                [sample(_NUMBERS[one.status], labels) for labels, one in checks],
            ),
            family(
                "dbops_health_check_value",
                "What a check measured at its worst object, in the unit that the label says.",
                [sample(one.value, {**labels, "unit": one.unit}) for labels, one in checks if one.value is not None],
            ),
        ]
    )


def junit(report: HealthReport) -> str:
    """A suite for each target: bad is a failure, UNKNOWN an error, and what somebody accepted passes with a note."""
    return junit_format.document(
        [
            junit_format.Suite(
                name=f"dbops health {target.name}",
                at=target.started_at.isoformat(timespec="seconds"),
                seconds=target.seconds,
                cases=tuple(_case(one) for one in _of(report, target)),
            )
            for target in report.targets
        ]
    )


def sarif(report: HealthReport) -> str:
    """One result for each object that is not well; what somebody accepted is suppressed, not left out."""
    bad = [one for one in report.checks if one.status not in (Status.OK, Status.SKIPPED)]
    rules = {one.id: one for one in bad}
    results = [found for one in bad for found in _found(one)]
    return sarif_format.document([_rule(one) for one in rules.values()], results)


def catalogue(checks: Sequence[Check]) -> str:
    """The catalogue as a table."""
    rows = [
        (
            one.id,
            one.engine or "any",
            one.title,
            _limit(one.threshold.warning),
            _limit(one.threshold.critical),
            one.unit,
            one.privilege,
        )
        for one in checks
    ]
    return table(("ID", "ENGINE", "TITLE", "WARNING", "CRITICAL", "UNIT", "NEEDS"), rows)


def _of(report: HealthReport, target: TargetHealth) -> list[CheckResult]:
    return [one for one in report.checks if one.target == target.name]


def _sorted(checks: Sequence[CheckResult]) -> list[CheckResult]:
    return sorted(checks, key=lambda one: _WORST_FIRST.index(one.status))


def _counts(checks: Sequence[CheckResult]) -> str:
    counts = Counter(one.status for one in checks)
    return ", ".join(f"{counts[status]} {status.value}" for status in _WORST_FIRST if counts[status])


def _target(target: TargetHealth, checks: Sequence[CheckResult]) -> str:
    what = f"{target.engine} {target.server_version}".strip()
    head = f"{target.name}: {target.status.value.upper()}  ({what}, {target.role}, {target.seconds:.2f} s)\n"
    width = max((len(one.id) for one in checks), default=0)
    lines = "".join(line for one in _sorted(checks) for line in _lines(one, width))
    return f"{head}{lines}{_counts(checks)}; answered: {target.coverage:.0%}\n"


def _lines(one: CheckResult, width: int) -> Iterator[str]:
    why = f" [{one.reason}]" if one.reason else ""
    yield f"  {one.status.value.upper():<9} {one.id:<{width}}  {' '.join(one.summary.split())}{why}\n"
    margin = " " * 12
    if one.waived is not None:
        until = f", until {one.waived.until.isoformat()}" if one.waived.until else ""
        yield f"{margin}accepted{f' by {one.waived.by}' if one.waived.by else ''}: {one.waived.reason}{until}\n"
    elif one.remedy is not None:
        yield from (f"{margin}{line}\n" for line in _advice(one.remedy))
    else:
        yield from (f"{margin}{hint}\n" for hint in dict.fromkeys(_said(row, "hint") for row in one.evidence) if hint)


def _advice(remedy: Remedy) -> Iterator[str]:
    risk = f" (risk: {remedy.risk})" if remedy.risk not in ("", "safe") else ""
    yield f"{remedy.text}{risk}"
    statements = remedy.sql.splitlines()
    yield from statements[:STATEMENTS]
    if len(statements) > STATEMENTS:
        yield f"… and {len(statements) - STATEMENTS} more (--format json has them all)"


def _case(one: CheckResult) -> junit_format.Case:
    detail = "\n".join(_advice(one.remedy)) if one.remedy else ""
    said = f"accepted: {one.waived.reason}; {one.summary}" if one.waived else one.summary
    return junit_format.Case(
        group=f"dbops.health.{one.target}",
        name=one.id,
        outcome=_OUTCOMES.get(one.status, "passed"),
        message=f"{said} [{one.reason}]" if one.reason else said,
        detail=detail,
    )


def _rule(one: CheckResult) -> sarif_format.Rule:
    remedy = one.remedy or Remedy(text="")
    return sarif_format.Rule(id=one.id, title=one.title, help=remedy.text, url=remedy.url)


def _found(one: CheckResult) -> Iterator[sarif_format.Result]:
    for row in one.evidence:
        detail = _said(row, "detail")
        yield sarif_format.Result(
            rule=one.id,
            level=_LEVELS.get(_said(row, "status"), "note"),
            message=f"{_said(row, 'summary')}: {detail}" if detail else _said(row, "summary"),
            target=one.target,
            object=_said(row, "object"),
            fingerprint=_said(row, "fingerprint"),
            suppressed=_said(row, "waived"),
        )


def _said(row: Row, name: str) -> str:
    return str(row.get(name, ""))


def _limit(value: float | None) -> str:
    return "-" if value is None else f"{value:,.0f}"
