"""Backups whose bytes the server keeps: what is promised of them, and what is not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from dbops.backup import case
from dbops.backup.case import Room, Wanted, source_bytes
from dbops.backup.retention import decide
from dbops.backup.verify import judge
from dbops.config import parse
from dbops.errors import ConfigError
from dbops.model.backup import (
    BackupFacts,
    BackupRecord,
    Custody,
    DatabaseFacts,
    Depot,
    Evidence,
    Keep,
    Method,
    Objective,
    ProofCheck,
    Verdict,
)
from dbops.model.finding import Missing
from dbops.model.repository import BackupCheck, Manifest, ObjectCheck, record

Make = Callable[..., BackupRecord]
EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
FULL = Method(name="full", kind="physical", title="", custody=Custody.SERVER, partial=True)
MANIFEST = Manifest(
    id="b-1",
    target="shop",
    incarnation="7",
    engine="mssql",
    server_version="16.0",
    method="full",
    kind="physical",
    started_at=EPOCH,
    finished_at=EPOCH,
    dbops="1",
    custody=Custody.SERVER,
    location="D:\\backup",
    kept_bytes=5000,
)


def test_a_manifest_says_where_the_server_wrote_and_how_much() -> None:
    found = record(MANIFEST, "main")
    assert (found.custody, found.location, found.bytes) == (Custody.SERVER, "D:\\backup", 5000)
    assert found.stored_bytes == Missing("custody", "the bytes are kept by the server")
    assert found.kept_bytes == 5000


def test_what_a_backup_takes_is_told_by_whoever_keeps_it(make_record: Make) -> None:
    mine = make_record(1, bytes=900, stored_bytes=100)
    assert mine.kept_bytes == 100
    remembered = msgspec.structs.replace(mine, custody=Custody.SERVER)
    assert remembered.kept_bytes == 100, "msdb tells both"
    unknown = Missing("x", "nobody said")
    assert msgspec.structs.replace(mine, stored_bytes=unknown).kept_bytes == unknown


def test_retention_leaves_what_the_server_keeps(make_record: Make) -> None:
    old = [make_record(hours, id=f"b-{hours}", custody=Custody.SERVER) for hours in range(5)]
    found = decide(old, Keep(last=1), EPOCH + timedelta(days=9))
    assert found.forget == ()
    assert "kept by the server: it is deleted there, not here" in found.keep[-1].reasons


@pytest.mark.parametrize("level", ["checksum", "restore", "full"])
def test_a_manifest_that_is_intact_proves_nothing_about_bytes_elsewhere(make_record: Make, level: str) -> None:
    intact = ObjectCheck(name="manifest", verdict=Verdict.VERIFIED, bytes=1)
    stored = (BackupCheck(backup="b-1", level="checksum", verdict=Verdict.VERIFIED, objects=(intact,)),)
    missing = Missing("ConfigError", "no instance is configured that could restore what the server keeps")
    found = judge(
        make_record(1, custody=Custody.SERVER),
        level,  # type: ignore[arg-type]  # one of the three words
        stored=stored,
        evidence=missing,
        started_at=EPOCH,
        finished_at=EPOCH,
    )
    assert found.verdict is Verdict.COULD_NOT_VERIFY
    assert "no instance is configured" in found.reasons[0]


def test_the_server_may_say_that_every_checksum_is_right_without_restoring(make_record: Make) -> None:
    seen = ProofCheck(id="verifyonly", verdict=Verdict.VERIFIED, summary="every page is what its checksum says")
    nothing = Missing("not_asked", "nothing was restored")
    found = judge(
        make_record(1, custody=Custody.SERVER),
        "checksum",
        stored=(),
        evidence=Evidence(checks=(seen,), fingerprints=nothing, recovered_to=nothing),
        started_at=EPOCH,
        finished_at=EPOCH,
    )
    assert found.verdict is Verdict.VERIFIED


def test_a_plan_does_not_measure_a_place_that_only_the_server_sees() -> None:
    facts = BackupFacts(
        databases=(DatabaseFacts(name="a", bytes=10), DatabaseFacts(name="b", bytes=20)),
        total_bytes=30,
        log_bytes_per_s=1.0,
    )
    built = case.build(FULL, Wanted(objective=Objective()), facts, (), Room(free=1000))
    assert built.room.free == case.ELSEWHERE.free
    assert source_bytes(FULL, ("b",), facts) == 20
    assert source_bytes(msgspec.structs.replace(FULL, partial=False), ("b",), facts) == 30


SHOP = """
[targets.shop]
url = "mssql://db/master"
[targets.shop.backup]
to = ["D:\\\\a", "E:\\\\b"]
owns_chain = true
certificate = "BackupCert"
[targets.shop.verify]
into = "{into}"
password = "{password}"
"""


def test_the_configuration_says_where_the_server_writes_and_who_owns_the_chain() -> None:
    target = parse(SHOP.format(into="mssql://proof@other", password="env:PROOF")).targets["shop"]
    assert target.backup.depot == Depot(to=("D:\\a", "E:\\b"), owns_chain=True, certificate="BackupCert")
    assert target.verify.password == "env:PROOF"


@pytest.mark.parametrize(
    ("into", "password", "said"),
    [
        ("mssql://proof:secret@other", "env:PROOF", "targets.shop.verify.into holds a password"),
        ("mssql://proof@other", "secret", "targets.shop.verify.password: this is not a reference"),
    ],
)
def test_a_secret_has_no_place_in_the_configuration(into: str, password: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(SHOP.format(into=into, password=password))
    assert said in caught.value.message
    assert "secret@" not in str(caught.value)
