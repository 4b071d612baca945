"""Backups, proofs and restores as text: read the way a person at 3 a.m. would."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from dbops.model.backup import BackupRecord, Custody, Fingerprints, Objective, Phase, Proof, ProofCheck, Until, Verdict
from dbops.model.finding import Missing
from dbops.model.recovery import (
    BackupPlan,
    Counterexample,
    Coverage,
    Feasibility,
    Forgotten,
    Kept,
    Nearest,
    Predicted,
    Range,
    Reachability,
    ScheduleEntry,
    ServerChange,
    Span,
    Verification,
)
from dbops.model.repository import Unreadable
from dbops.model.stored import Backups, Estimate, MadeBackup, Pruned, RestoreAnswer, Restored
from dbops.plan import Call, Hold, Opening, Risk
from dbops.report import backup, restore, verify
from dbops.report.amounts import bytes_, instant, seconds, span
from dbops.report.documents import ForgottenEntry

AT = datetime(2026, 3, 1, 2, 15, tzinfo=UTC)
RECORD = BackupRecord(
    id="b-1", target="shop", incarnation="7", engine="postgresql", server_version="17.10", method="dump",
    kind="logical", custody=Custody.REPOSITORY, location="main", started_at=AT,
    finished_at=AT + timedelta(seconds=30), bytes=1536, stored_bytes=512, databases=("shop", "hr"), digest="d" * 64,
)  # fmt: skip
GONE = Missing("no_history", "no past run was measured")


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 B"), (1023, "1023 B"), (1536, "1.5 KiB"), (3 << 40, "3.0 TiB"), (GONE, "?")]
)
def test_bytes(count: float | Missing, text: str) -> None:
    assert bytes_(count) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(1.25, "1.2s"), (42, "42s"), (95, "1m 35s"), (90_061, "1d 1h"), (GONE, "not known (no past run was measured)")],
)
def test_seconds(value: float | Missing, text: str) -> None:
    assert seconds(value) == text


def test_ranges_and_instants() -> None:
    assert span(Range(60, 60)) == "1m"
    assert span(Range(60, 120)) == "1m to 2m"
    assert span(GONE).startswith("not known")
    assert (instant(AT), instant(None)) == ("2026-03-01 02:15:00+00:00", "-")


def test_a_new_backup() -> None:
    made = MadeBackup(backup=RECORD, seconds=30, cleaned=("a",), cleaned_bytes=2048, notes=("no passwords",))
    assert backup.made_text(made) == (
        "b-1  dump of shop, made in 30s\n"
        "  holds the state of 2026-03-01 02:15:00+00:00: shop, hr\n"
        "  1.5 KiB stored as 512 B in main\n"
        "  cleared away first: 2.0 KiB that a dead run had left\n"
        "  note: no passwords\n"
        "  prove it: dbops backup verify b-1\n"
    )
    assert backup.made_document(made).backup == backup.entry(RECORD)


def test_the_manifest_of_bytes_that_are_not_ours_is_missing() -> None:
    elsewhere = msgspec.structs.replace(RECORD, custody=Custody.PROVIDER)
    assert backup.entry(RECORD).manifest == "d" * 64
    assert backup.entry(elsewhere).manifest == Missing("custody", "the bytes are kept by the provider")


def test_a_list_with_pins_proofs_and_losses() -> None:
    proof = Proof(at=AT, verdict=Verdict.COULD_NOT_VERIFY, level="full")
    one = msgspec.structs.replace(RECORD, pinned=True, proof=proof, whole=True)
    lost = Unreadable(id="b-2", target="shop", key="k", reason="it is of a newer dbops")
    text = backup.list_text(Backups(repository="main", backups=(one,), unreadable=(lost,)))
    assert "all (2)" in text
    assert "pinned, could not verify (full) 2026-03-01" in text
    assert "warning: the manifest of b-2 (shop) cannot be read: it is of a newer dbops\n" in text
    whole = msgspec.structs.replace(one, databases=())
    assert "  all  " in backup.list_text(Backups(repository="main", backups=(whole,)))


def test_a_list_shows_what_the_server_says_its_backups_take() -> None:
    theirs = msgspec.structs.replace(
        RECORD, custody=Custody.SERVER, stored_bytes=Missing("custody", "the bytes are kept by the server")
    )
    assert "  1.5 KiB  " in backup.list_text(Backups(repository="main", backups=(theirs,)))


def test_a_plan() -> None:
    example = Counterexample(objective="rpo", text="It goes like this.", value=2, limit=1, unit="s")
    entry = ScheduleEntry(do="backup", method="dump", at="15 2 * * *", every_s=86_400, reason="daily")
    change = ServerChange(setting="wal_level", value="replica", reason="copies need it", restart=True)
    predicted = Predicted(rpo_s=Range(60, 120), rto_s=GONE, storage_bytes=2048, backup_s=Range(1, 1))
    plan = BackupPlan(
        verdict=Feasibility.INFEASIBLE, objective=Objective(), reasons=("Too slow.",), methods=(), schedule=(entry,),
        predicted=predicted, server_changes=(change,), counterexample=example,
    )  # fmt: skip
    text = backup.plan_text(plan)
    assert text.startswith("INFEASIBLE\n  Too slow.\n\nCounterexample:\n  It goes like this.\n")
    assert "  wal_level = replica (needs a restart): copies need it\n" in text
    assert "  15 2 * * *     backup dump: daily\n" in text
    assert "loss at worst    1m to 2m" in text
    assert "storage          at most 2.0 KiB" in text
    bare = msgspec.structs.replace(
        plan, schedule=(), server_changes=(), counterexample=None,
        predicted=msgspec.structs.replace(predicted, storage_bytes=Missing("x", "grows for ever")),
    )  # fmt: skip
    assert "No schedule." in backup.plan_text(bare)
    assert "storage          grows for ever" in backup.plan_text(bare)


def test_pruning() -> None:
    keep = (Kept(backup=RECORD, reasons=("newest", "daily 1 of 7")),)
    old = msgspec.structs.replace(RECORD, id="b-0")
    forget = (Forgotten(backup=old, reason="no rule keeps it"),)
    planned = backup.prune_text(Pruned(status="planned", keep=keep, forget=forget, notes=("look",)))
    assert "b-0     delete  no rule keeps it\n" in planned
    assert "b-1     keep    newest; daily 1 of 7\n" in planned
    assert "note: look\n" in planned
    done = Pruned(status="done", keep=keep, forget=forget, deleted=("b-0",), freed_bytes=512)
    assert "1 deleted, 512 B freed." in backup.prune_text(done)
    assert backup.prune_document(done).forget == (
        ForgottenEntry(id="b-0", manifest="d" * 64, reason="no rule keeps it"),
    )
    assert backup.prune_text(Pruned(status="nothing_to_do", keep=(), forget=())) == (
        "There is no backup.\nNothing to delete.\n"
    )


def test_coverage() -> None:
    plain = Span(
        start=AT, end=AT + timedelta(hours=1), recoverable=True, exact=False, backup="b-1", recovers_to=AT, loss_s=3600,
        rto_s=Range(9, 9), within_objective=True,
    )  # fmt: skip
    gap = msgspec.structs.replace(plain, within_objective=False)
    unsure = msgspec.structs.replace(plain, within_objective=GONE, rto_s=GONE)
    nothing = msgspec.structs.replace(plain, recoverable=False, loss_s=None, within_objective=False)
    found = Coverage(
        start=AT, end=AT, spans=(plain, gap, unsure, nothing), worst_loss_s=3600, verdict="gaps", reasons=("Here.",)
    )
    head, _, body = backup.coverage_text(found).partition("\n\n")
    assert head == "There are gaps:\n  Here."
    ends = [line.split()[-1] for line in body.splitlines()]
    assert ends == ["TAKES", "9.0s", "GAP", "?", "GAP"]
    covered = msgspec.structs.replace(found, verdict="covered", reasons=())
    assert backup.coverage_text(covered).startswith("Every failure in this window was within the objective.\n")
    unknown = msgspec.structs.replace(found, verdict="unknown", reasons=())
    assert backup.coverage_text(unknown).startswith("Whether every failure")


def test_logs_one_after_the_other_are_one_line() -> None:
    one = Span(
        start=AT, end=AT + timedelta(minutes=15), recoverable=True, exact=True, backup="b-1", recovers_to=AT,
        loss_s=900.0, rto_s=Range(60, 60), within_objective=True,
    )  # fmt: skip
    next_ = msgspec.structs.replace(one, start=one.end, end=AT + timedelta(minutes=45), loss_s=1800.0)
    last = msgspec.structs.replace(next_, start=next_.end, end=AT + timedelta(hours=2), exact=False)
    found = Coverage(start=AT, end=last.end, spans=(one, next_, last), worst_loss_s=1800.0, verdict="covered")
    body = backup.coverage_text(found).splitlines()[3:]
    assert len(body) == 2
    assert f"{instant(AT)}  {instant(next_.end)}  every instant, by logs" in body[0]
    assert "30m" in body[0]
    assert "b-1" in body[1]


def test_a_restore_test_is_told_beside_what_came_after_it() -> None:
    full = Proof(at=AT, verdict=Verdict.VERIFIED, level="full", event="e-1")
    later = Proof(at=AT, verdict=Verdict.VERIFIED, level="checksum", event="e-2")

    def fate(proof: Proof) -> str:
        one = msgspec.structs.replace(RECORD, proof=proof, proven=full)
        return backup.list_text(Backups(repository="main", backups=(one,)))

    assert "verified (full) 2026-03-01, verified (checksum) 2026-03-01" in fate(later)
    assert fate(full).count("verified (") == 1


def test_a_proof() -> None:
    proof = Verification(
        backup="b-1", source="shop", level="full", verdict=Verdict.FAILED, reasons=("1 of 3 objects differ",),
        checks=(ProofCheck(id="amcheck", verdict=Verdict.VERIFIED, summary="read all"),),
        phases=(Phase(name="restore-shop", seconds=2, bytes=1536),),
        fingerprints=Fingerprints(compared=3, equal=2, different=("t",)), recovered_to=AT, rto_s=5, rpo_s=60,
        started_at=AT, finished_at=AT,
    )  # fmt: skip
    text = verify.text(proof)
    assert text.startswith("FAILED  b-1  (full)\n  1 of 3 objects differ\n")
    assert "recovered to     2026-03-01 02:15:00+00:00" in text
    assert "content          2 of 3 objects are equal" in text
    assert "restore-shop  2.0s  1.5 KiB" in text
    bare = msgspec.structs.replace(
        proof, verdict=Verdict.COULD_NOT_VERIFY, checks=(), phases=(), fingerprints=GONE, recovered_to=GONE
    )
    assert verify.text(bare).startswith("COULD NOT VERIFY")
    assert "content          not compared (no past run was measured)" in verify.text(bare)
    assert "Nothing was looked at." in verify.text(bare)


def test_a_restore() -> None:
    answer = RestoreAnswer(
        verdict=Reachability.UNREACHABLE, reason="No backup ends there.", until=Until(), repository="main", chain=(),
        missing=("b-9",), nearest=Nearest(before=AT, after=AT), recovers_to=None, destination=None, steps=(),
        estimate=Estimate(seconds=GONE, stored_bytes=GONE, bytes=GONE),
    )  # fmt: skip
    assert restore.plan_text(answer) == (
        "UNREACHABLE  No backup ends there.\n"
        "  missing: b-9\n"
        "  nearest before: 2026-03-01 02:15:00+00:00\n"
        "  nearest after:  2026-03-01 02:15:00+00:00\n"
    )
    found = msgspec.structs.replace(answer, verdict=Reachability.REACHABLE, chain=(RECORD,), notes=("never proven",))
    text = restore.plan_text(found)
    assert "  from b-1, dump of 2026-03-01 02:15:00+00:00\n" in text
    assert "  note: never proven\n" in text
    assert "say where to with --into" in text
    inner = Call(id="i", summary="do it", risk=Risk.WRITE, provider="backend", operation="x")
    held = Hold(id="h", summary="hold it", risk=Risk.READ, opening=Opening(what="x"), steps=(inner,))
    steps = restore.plan_text(msgspec.structs.replace(found, steps=(held,)))
    assert "  - hold it  [read]\n    - do it  [write]\n" in steps
    assert restore.plan_document(found).chain == (backup.entry(RECORD),)
    done = Restored(backup="b-1", recovered_to="now", into="/new", seconds=65, bytes=1536, notes=("look",))
    assert restore.restored_text(done) == (
        "Restored b-1 into /new in 1m 5s\n  the state of now; 1.5 KiB were moved\n  note: look\n"
    )
