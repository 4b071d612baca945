"""Backups, plans, retention and coverage: for people, and as the documents that other tools rely on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from dbops.model.backup import BackupRecord, Custody
from dbops.model.finding import Missing
from dbops.model.recovery import BackupPlan, Coverage, Span
from dbops.model.stored import Backups, Details, MadeBackup, Pruned
from dbops.report.amounts import bytes_, instant, seconds, span
from dbops.report.documents import (
    ForgottenEntry,
    KeptEntry,
    ListDocument,
    MadeDocument,
    PruneDocument,
    ShowDocument,
    StoredBackup,
    fields,
)
from dbops.report.table import table

__all__ = [
    "coverage_text", "entry", "list_document", "list_text", "made_document", "made_text", "plan_text", "prune_document",
    "prune_text", "show_document", "show_text",
]  # fmt: skip

_ENTRY = tuple(name for name in StoredBackup.__struct_fields__ if name != "manifest")


def entry(record: BackupRecord) -> StoredBackup:
    """A backup without what only a restore needs."""
    elsewhere = Missing("custody", f"the bytes are kept by the {record.custody.value}")
    manifest = record.digest if record.custody is Custody.REPOSITORY else elsewhere
    return StoredBackup(**{name: getattr(record, name) for name in _ENTRY}, manifest=manifest)


def made_document(made: MadeBackup) -> MadeDocument:
    """What ``backup run`` prints."""
    return MadeDocument(**fields(made, backup=entry(made.backup)))


def made_text(made: MadeBackup) -> str:
    """A backup that was just made."""
    one = made.backup
    lines = [
        f"{one.id}  {one.method} of {one.target}, made in {seconds(made.seconds)}",
        f"  holds the state of {instant(one.instant)}: {_databases(one)}",
        f"  {bytes_(one.bytes)} {_kept(one)}",
    ]
    if made.cleaned:
        lines.append(f"  cleared away first: {bytes_(made.cleaned_bytes)} that a dead run had left")
    lines += [f"  note: {note}" for note in made.notes]
    lines.append(f"  prove it: dbops backup verify {one.id}")
    return "\n".join(lines) + "\n"


def _kept(one: BackupRecord) -> str:
    if one.custody is Custody.REPOSITORY:
        return f"stored as {bytes_(one.stored_bytes)} in {one.location}"
    return f"kept by the {one.custody.value} in {one.location}"


def list_document(found: Backups) -> ListDocument:
    """What ``backup list`` prints."""
    return ListDocument(**fields(found, backups=tuple(entry(one) for one in found.backups)))


def list_text(found: Backups) -> str:
    """One line for each, oldest first."""
    lost = [f"the manifest of {one.id} ({one.target}) cannot be read: {one.reason}" for one in found.unreadable]
    tail = _lines([f"warning: {words}" for words in (*lost, *found.notes)])
    if not found.backups:
        return f"There is no backup in {found.repository}.\n{tail}"
    rows = [
        (one.id, one.target, one.method, instant(one.instant), bytes_(one.kept_bytes), _databases(one), _fate(one))
        for one in found.backups
    ]
    return table(("BACKUP", "TARGET", "METHOD", "STATE OF", "STORED", "DATABASES", ""), rows) + tail


def show_document(found: Details) -> ShowDocument:
    """What ``backup show`` prints."""
    return ShowDocument(**fields(found, backup=entry(found.backup)))


def show_text(found: Details) -> str:
    """Everything about one backup."""
    one, manifest = found.backup, found.manifest
    lines = [
        f"{one.id}  {one.method} of {one.target} ({one.engine} {one.server_version}, incarnation {one.incarnation})",
        f"  made       {instant(one.started_at)} to {instant(one.finished_at)}, by dbops {manifest.dbops}",
        f"  state of   {instant(one.instant)}",
        f"  databases  {_databases(one)}",
        f"  lies in    {found.location if one.custody is Custody.REPOSITORY else one.location}",
        f"  manifest   {one.digest}",
        f"  {_fate(one) or 'never verified'}",
        "",
    ]
    rows = [
        (item.name, bytes_(item.clear.size), bytes_(item.stored.size), "+".join(f.name for f in item.filters) or "-")
        for item in manifest.artifacts
    ]
    happened = [f"  {instant(event.at)}  {event.kind} {event.reason} {event.by}".rstrip() for event in found.events]
    return "\n".join(lines) + table(("  STREAM", "BYTES", "STORED", "FILTERS"), _indented(rows)) + _lines(happened)


def plan_text(found: BackupPlan) -> str:
    """The verdict first, then why, then what to do."""
    lines = [f"{found.verdict.value.upper()}", *(f"  {reason}" for reason in found.reasons)]
    if found.counterexample is not None:
        lines += ["", "Counterexample:", f"  {found.counterexample.text}"]
    if found.server_changes:
        lines += ["", "To be set on the server first:"]
        lines += [
            f"  {one.setting} = {one.value}{' (needs a restart)' if one.restart else ''}: {one.reason}"
            for one in found.server_changes
        ]
    lines += ["", "Schedule (UTC):" if found.schedule else "No schedule."]
    lines += [f"  {one.at:<14} {one.do} {one.method}: {one.reason}" for one in found.schedule]
    return "\n".join([*lines, "", *_predicted(found)]) + "\n"


def _predicted(found: BackupPlan) -> list[str]:
    predicted = found.predicted
    storage = predicted.storage_bytes
    return [
        "Predicted:",
        f"  loss at worst    {span(predicted.rpo_s)}",
        f"  time to recover  {span(predicted.rto_s)}",
        f"  a backup takes   {span(predicted.backup_s)}",
        f"  storage          {storage.detail if isinstance(storage, Missing) else 'at most ' + bytes_(storage)}",
    ]


def prune_document(found: Pruned) -> PruneDocument:
    """What ``backup prune`` prints."""
    keep = [KeptEntry(id=one.backup.id, manifest=one.backup.digest, reasons=one.reasons) for one in found.keep]
    forget = [ForgottenEntry(id=one.backup.id, manifest=one.backup.digest, reason=one.reason) for one in found.forget]
    return PruneDocument(**fields(found, keep=tuple(keep), forget=tuple(forget)))


def prune_text(found: Pruned) -> str:
    """What stays and why, what goes and why."""
    done = found.status == "done"
    rows = [(one.backup.id, "keep", "; ".join(one.reasons)) for one in found.keep]
    rows += [(one.backup.id, "deleted" if done else "delete", one.reason) for one in found.forget]
    rows.sort(reverse=True)
    text = table(("BACKUP", "", ""), rows) if rows else "There is no backup.\n"
    text += _lines([f"note: {note}" for note in found.notes])
    if done:
        text += f"{len(found.deleted)} deleted, {bytes_(found.freed_bytes)} freed.\n"
    return text + ("Nothing to delete.\n" if found.status == "nothing_to_do" else "")


def coverage_text(found: Coverage) -> str:
    """A line for each stretch of the window."""
    rows = [(instant(first.start), instant(last.end), *_span(worst)) for first, last, worst in _stretches(found.spans)]
    head = {"covered": "Every failure in this window was within the objective.", "gaps": "There are gaps:"}
    lines = [head.get(found.verdict, "Whether every failure was within the objective is not known:")]
    lines += [f"  {reason}" for reason in found.reasons]
    columns = ("FROM", "TO", "BRINGS BACK", "LOSES AT MOST", "TAKES", "")
    return "\n".join(lines) + "\n\n" + table(columns, rows)


def _stretches(spans: Sequence[Span]) -> Iterator[tuple[Span, Span, Span]]:
    """Logs one after the other that all meet the objective make one line: the first span, the last, and the worst."""
    for alike, group in groupby(spans, lambda one: one.exact and one.within_objective is True):
        for part in [list(group)] if alike else [[one] for one in group]:
            yield part[0], part[-1], max(part, key=lambda one: one.loss_s or 0.0)


def _span(one: Span) -> tuple[str, str, str, str]:
    if not one.recoverable or one.loss_s is None:
        return "nothing", "everything", "-", "GAP"
    mark = {True: "", False: "GAP"}.get(one.within_objective is True, "?")
    takes = "not known" if isinstance(one.rto_s, Missing) else span(one.rto_s)
    unsure = "?" if isinstance(one.within_objective, Missing) else mark
    back = "every instant, by logs" if one.exact else f"{one.backup} ({instant(one.recovers_to)})"
    return back, seconds(one.loss_s), takes, unsure


def _fate(one: BackupRecord) -> str:
    said = ["pinned"] if one.pinned else []
    # A look at the checksums after a restore test takes nothing of it back.
    shallower = one.proven is not None and one.proven != one.proof
    proofs = [one.proven if shallower else None, one.proof]
    said += [f"{it.verdict.value.replace('_', ' ')} ({it.level}) {it.at:%Y-%m-%d}" for it in proofs if it is not None]
    return ", ".join(said)


def _databases(one: BackupRecord) -> str:
    if one.whole:
        return "all" if not one.databases else f"all ({len(one.databases)})"
    return ", ".join(one.databases)


def _indented(rows: list[tuple[str, str, str, str]]) -> list[tuple[str, ...]]:
    return [(f"  {row[0]}", *row[1:]) for row in rows]


def _lines(lines: list[str]) -> str:
    return "".join(f"{line}\n" for line in lines)
