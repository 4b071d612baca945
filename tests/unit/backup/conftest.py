"""Makers of facts, for tests of decisions."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from dbops.model.backup import BackupRecord, Custody, PastRun, Proof, Verdict

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
PLAIN = BackupRecord(
    id="b-0",
    target="shop",
    incarnation="7001",
    engine="postgresql",
    server_version="17.10",
    method="dump",
    kind="logical",
    custody=Custody.REPOSITORY,
    location="main",
    started_at=EPOCH,
    finished_at=EPOCH,
    bytes=1000,
    stored_bytes=300,
    source_bytes=2000,
    whole=True,
)


@pytest.fixture(scope="session")
def make_record() -> Callable[..., BackupRecord]:
    """``make_record(hours, id=…, took_s=60, failed=True, proven=True)``: a backup begun ``hours`` after the epoch."""

    # Any: fields of the struct by name.
    def make(
        hours: float, id: str = "", *, took_s: float = 60, failed: bool = False, proven: bool = False, **fields: Any
    ) -> BackupRecord:
        begun = EPOCH + timedelta(hours=hours)
        done = begun + timedelta(seconds=took_s)
        good = Proof(at=done, verdict=Verdict.VERIFIED, level="full")
        bad = Proof(at=done, verdict=Verdict.FAILED, level="full")
        changes: dict[str, Any] = {
            "id": id or f"b-{hours:09.2f}",
            "started_at": begun,
            "finished_at": done,
            "proof": bad if failed else good if proven else None,
            "proven": good if proven else None,
            **fields,
        }
        return msgspec.structs.replace(PLAIN, **changes)

    return make


@pytest.fixture(scope="session")
def make_run() -> Callable[..., PastRun]:
    """``make_run("restore", seconds=…, source=…, stored=…)``: a past run by dump, unless ``method`` says otherwise."""

    def make(
        what: str, *, seconds: float, source: int = 1 << 30, stored: int = 1 << 28, method: str = "dump",
        fixed: float = 0.0,
    ) -> PastRun:  # fmt: skip
        return PastRun(
            what="restore" if what == "restore" else "backup",
            method=method,
            started_at=EPOCH,
            seconds=seconds,
            source_bytes=source,
            bytes=source,
            stored_bytes=stored,
            fixed_s=fixed,
        )

    return make
