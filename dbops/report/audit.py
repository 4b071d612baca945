"""Answers about access, for people and for other programs."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator

from dbops.model.audit import (
    AccessReport,
    AuditReport,
    AuditRun,
    Comparison,
    Explanation,
    Holders,
    Hop,
    Rules,
    TargetAudit,
)
from dbops.model.finding import Finding, Severity
from dbops.report import junit as junit_format
from dbops.report import sarif as sarif_format
from dbops.report.table import table

__all__ = ["access", "comparison", "csv_rows", "explanation", "holders", "junit", "rules", "run", "sarif"]

COLUMNS = ("principal", "object", "action", "nominal", "usable")
Line = tuple[str, str, str, bool, bool]
_LEVELS: dict[Severity, sarif_format.Level] = {
    Severity.CRITICAL: "error",
    Severity.HIGH: "error",
    Severity.MEDIUM: "warning",
    Severity.LOW: "note",
    Severity.INFO: "note",
}


def run(found: AuditRun) -> str:
    """Each target with its findings, the worst first, and what was not looked at."""
    return "\n".join("\n".join(_target(one)) for one in found.targets) + "\n"


def _target(one: TargetAudit) -> Iterator[str]:
    if one.error is not None:
        yield f"{one.target}: FAILED  {one.error.message}"
        yield from (f"  {line}" for line in one.error.hint.splitlines())
    if one.report is None:
        return
    counted = [finding for finding in one.report.findings if finding.waived is None]
    waived = len(one.report.findings) - len(counted)
    aside = f", {waived} waived" if waived else ""
    yield f"{one.target}: {len(counted)} finding(s){aside}"
    for finding in one.report.findings:
        yield from _finding(finding)
    yield from _gaps(one.report)


def _finding(finding: Finding) -> Iterator[str]:
    word = "waived" if finding.waived else finding.severity.value
    yield f"  {word.upper():<9} {finding.id}  {finding.summary}"
    if finding.waived:
        yield f"            accepted: {finding.waived.reason}"
        return
    yield f"            {finding.remedy.text}"
    if finding.remedy.sql:
        yield from (f"            {line}" for line in finding.remedy.sql.splitlines())


def _gaps(report: AuditReport) -> Iterator[str]:
    for unknown in report.unknown:
        yield f"  UNKNOWN   {unknown.id}  {unknown.detail or unknown.reason}"
    for name, why in report.databases_missing.items():
        yield f"  NOT READ  database {name}  {why}"
    for name, why in report.kinds_missing.items():
        yield f"  NOT READ  some of kind {name}  {why}"
    if report.checked:
        yield f"  self-check: {report.checked} answers compared with the server's, {len(report.disagreements)} differ"
    for wrong in report.disagreements:
        ours, server = ("may" if value else "may not" for value in (wrong.ours, wrong.server))
        yield (
            f"  BUG       {wrong.principal} {wrong.action} on {wrong.object}: dbops says {ours}, the server says "
            f"{server}; please report it"
        )


def sarif(found: AuditRun) -> str:
    """SARIF 2.1.0."""
    known: dict[str, sarif_format.Rule] = {}
    results: list[sarif_format.Result] = []
    for target, finding in _all(found):
        known.setdefault(finding.id, sarif_format.Rule(id=finding.id, title=finding.id, help=finding.remedy.text))
        results.append(
            sarif_format.Result(
                rule=finding.id,
                level=_LEVELS[finding.severity],
                message=finding.summary,
                target=target,
                object=finding.object or finding.principal,
                fingerprint=finding.fingerprint,
                suppressed=finding.waived.reason if finding.waived else "",
            )
        )
    return sarif_format.document(list(known.values()), results)


def junit(found: AuditRun) -> str:
    """JUnit XML: one case for each finding, failed at the threshold."""
    suites: list[junit_format.Suite] = []
    for one in found.targets:
        cases = tuple(_case(finding, found.fail_on) for finding in one.report.findings) if one.report else ()
        if one.error is not None:
            cases = (junit_format.Case(group=one.target, name="audit", outcome="error", message=one.error.message),)
        at = one.report.taken_at.isoformat() if one.report else ""
        suites.append(junit_format.Suite(name=one.target, at=at, seconds=0.0, cases=cases))
    return junit_format.document(suites)


def _case(finding: Finding, fail_on: Severity) -> junit_format.Case:
    bad = finding.waived is None and finding.severity.rank >= fail_on.rank
    where = finding.object or finding.principal
    return junit_format.Case(
        group=finding.id,
        name=where,
        outcome="failure" if bad else "skipped" if finding.waived else "passed",
        message=finding.summary,
        detail=finding.remedy.text,
    )


def _all(found: AuditRun) -> Iterator[tuple[str, Finding]]:
    for one in found.targets:
        for finding in one.report.findings if one.report else ():
            yield one.target, finding


def explanation(found: Explanation) -> str:
    """Yes or no, every way, what is in the way, and the least revoke."""
    verdict = "yes" if found.usable else "yes, but not usable" if found.allowed else "no"
    lines = [f"{found.principal}: {found.action} on {found.object}: {verdict}"]
    for number, path in enumerate(found.paths, 1):
        lines.append(f"  way {number}: {_path(path)}")
    if found.more_paths:
        lines.append("  … and more ways")
    lines += [f"  in the way: {one.summary}{f' ({one.fix})' if one.fix else ''}" for one in found.blocked_by]
    lines += [f"  limited: {limit}" for limit in found.limits]
    if found.allowed:
        lines.append("  to take it away:" if found.minimal_revoke else "  no revoke takes it away")
    lines += [f"    {line}" for sql in found.minimal_revoke for line in sql.splitlines()]
    return "\n".join(lines) + "\n"


def _path(path: tuple[Hop, ...]) -> str:
    return " → ".join([*(hop.from_ for hop in path[:1]), *(_hop(hop) for hop in path)])


def _hop(hop: Hop) -> str:
    by = f", granted by {hop.grantor}" if hop.grantor else ""
    if hop.kind in ("member", "public"):
        return f"{hop.to}{f' (member{by})' if hop.kind == 'member' else ''}"
    if hop.kind == "implicit":
        return f"{hop.to} ({hop.via})"
    return f"{hop.via}{f' (by {hop.grantor})' if hop.grantor else ''}"


def holders(found: Holders) -> str:
    """Everybody who may, one in a line."""
    head = f"{found.action} on {found.object}: {len(found.holders)} principal(s)"
    public = ["granted to PUBLIC: every present and future account"] if found.public else []
    public += [f"not known: who is in {name}, and may it too" for name in found.members_unknown]
    rows = [
        (one.principal, "login" if one.login else "role", "usable" if one.usable else "nominal", _limited(one.limited))
        for one in found.holders
    ]
    body = table(("principal", "kind", "access", ""), rows) if rows else ""
    return "\n".join([head, *public]) + "\n" + body


def _limited(limited: bool) -> str:
    return "row-level security" if limited else ""


def access(found: AccessReport) -> str:
    """One principal: whom it stands for, what it owns, what it may do."""
    lines = [f"{found.principal}: {', '.join(found.attributes) or 'no attributes'}"]
    for title, names in (
        ("inherits from", found.inherits),
        ("can become", found.becomes),
        ("administers", found.administers),
        ("owns", found.owns),
    ):
        if names:
            lines.append(f"{title}: {', '.join(names)}")
    rows = [(row.object, row.action, "usable" if row.usable else "nominal") for row in found.rows]
    return "\n".join(lines) + "\n" + (table(("object", "action", "access"), rows) if rows else "nothing may be done\n")


def comparison(found: Comparison) -> str:
    """What differs, a section for each kind of thing."""
    if found.equal:
        return "no difference\n"
    lines: list[str] = []
    for title in ("principals", "memberships", "owners", "objects", "defaults"):
        changed: tuple[str, ...] = getattr(found, title)
        if changed:
            lines += [f"{title}:", *(f"  {line}" for line in changed)]
    for delta in found.deltas:
        lines.append(f"{delta.principal}:")
        lines += [f"  + {line}" for line in delta.gains]
        lines += [f"  - {line}" for line in delta.loses]
    return "\n".join(lines) + "\n"


def rules(found: Rules) -> str:
    """The catalogue."""
    engines: dict[tuple[str, str], list[str]] = {}
    for one in found.rules:
        text = f"{one.id}  [{one.severity.value}]", f"    {one.title}. {one.why}"
        engines.setdefault(text, []).append(one.engine)
    several = len({one.engine for one in found.rules}) > 1
    lines = (f"{head}{'  ' + ', '.join(names) if several else ''}\n{body}\n" for (head, body), names in engines.items())
    return "".join(lines)


def csv_rows(rows: Iterable[Line]) -> Iterator[str]:
    """The matrix as CSV, in pieces of many lines, so that it never stands in memory as a whole."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(COLUMNS)
    for number, row in enumerate(rows, 1):
        writer.writerow((row[0], row[1], row[2], "true", "true" if row[4] else "false"))
        if number % 5000 == 0:
            yield buffer.getvalue()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue()
