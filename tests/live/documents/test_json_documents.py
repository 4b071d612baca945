"""Every command with ``--format json`` against a real server: one document on standard output and nothing else, as its
published schema says, with the fields that other tools rely on and the exit code that goes with the answer."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from dbops.cli.main import run
from dbops.report.schemas import DOCUMENTS, schema

pytestmark = [pytest.mark.postgres(newest=True), pytest.mark.slow]

ORDERS = "--on table:shop.sales.orders --can select"
PAST = "--to 2001-01-01T00:00:00Z"


class Case(NamedTuple):
    """A command line, and the exit code and status of the document that is its answer."""

    line: str
    code: int
    status: str
    name: str


def answer(line: str, code: int, status: str, name: str) -> Case:
    return Case(line, code, status, f"dbops.{name}/1")


def failure(line: str, code: int) -> Case:
    return Case(line, code, "error", "dbops.error/1")


# In this order: what a command finds is what those before it did. {id} is the backup's; {damaged} makes it so.
CASES = (
    answer("targets list", 0, "ok", "targets.list"),
    answer("targets test shop", 0, "ok", "targets.test"),
    answer("targets test shop down", 69, "failed", "targets.test"),
    answer("targets test wrong", 77, "failed", "targets.test"),
    failure("targets list --nonsense", 2),
    failure("targets list --config /nonexistent", 78),
    failure("nonsense", 2),
    failure("grants postgresql --for health", 2),
    answer("doctor shop", 0, "ok", "doctor"),
    answer("doctor down", 1, "problem", "doctor"),
    answer("health check shop", 1, "critical", "health.check"),
    answer("health check shop --only pg.sequence.*", 0, "ok", "health.check"),
    answer("health check shop down --only pg.sequence.*", 69, "unknown", "health.check"),
    answer("health check wrong", 1, "critical", "health.check"),
    answer("health check limited --only pg.activity.*", 76, "unknown", "health.check"),
    failure("health check nosuch", 2),
    answer("health list", 0, "ok", "health.list"),
    answer("audit run shop --self-check 20", 1, "findings", "audit.run"),
    answer("audit run shop down", 1, "findings", "audit.run"),
    answer("audit run down", 69, "failed", "audit.run"),
    answer("audit rules", 0, "done", "audit.rules"),
    answer(f"audit explain shop {ORDERS} --who alice", 0, "usable", "audit.explain"),
    answer(f"audit explain shop {ORDERS} --who bob", 1, "denied", "audit.explain"),
    failure(f"audit explain shop {ORDERS} --who nobody", 2),
    failure(f"audit explain wrong {ORDERS} --who alice", 77),
    answer(f"audit who shop {ORDERS}", 0, "done", "audit.who"),
    answer("audit access shop --who alice", 0, "done", "audit.access"),
    answer("audit matrix shop --who alice", 0, "done", "audit.matrix"),
    answer("audit diff {place}/before.json shop", 0, "equal", "audit.diff"),
    failure("audit diff {place}/users.yaml shop", 65),
    answer("users plan {place}/users.yaml shop -o {place}/plan.json", 1, "drift", "users.plan"),
    answer("plan show {place}/plan.json", 0, "ok", "plan.show"),
    failure("plan show {place}/users.yaml", 65),
    failure("apply {place}/plan.json", 2),
    answer("apply {place}/plan.json --yes", 0, "done", "plan.apply"),
    failure("apply {place}/plan.json --yes", 65),
    answer("users plan {place}/users.yaml shop", 0, "in_sync", "users.plan"),
    answer("users apply {place}/users.yaml shop --yes", 0, "in_sync", "users.apply"),
    failure("users plan {place}/none.yaml shop", 65),
    answer("audit diff {place}/before.json shop", 1, "different", "audit.diff"),
    answer("users rotate shop alice --generate file:{place}/alice --yes", 0, "done", "users.rotate"),
    answer("users offboard shop bob --yes", 0, "done", "users.offboard"),
    failure("users offboard shop bob", 2),
    answer("backup coverage shop", 1, "gaps", "backup.coverage"),
    answer("restore plan shop", 1, "unreachable", "restore.plan"),
    failure("backup verify shop", 76),
    failure("backup run down", 69),
    answer("backup run shop --method dump --database shop", 0, "done", "backup.run"),
    answer("backup list shop", 0, "ok", "backup.list"),
    answer("backup show {id}", 0, "ok", "backup.show"),
    failure("backup show b-none", 65),
    answer("backup plan shop", 76, "unknown", "backup.plan"),
    answer("backup verify {id}", 0, "verified", "backup.verify"),
    answer("backup plan shop", 0, "feasible", "backup.plan"),
    answer("backup plan shop --rpo 1s", 1, "infeasible", "backup.plan"),
    answer("backup coverage shop", 0, "covered", "backup.coverage"),
    answer("backup pin {id}", 0, "done", "backup.pin"),
    answer("backup unpin {id}", 0, "done", "backup.unpin"),
    answer("restore plan shop", 0, "reachable", "restore.plan"),
    answer(f"restore plan shop {PAST}", 1, "unreachable", "restore.plan"),
    failure("restore plan shop --to 2001-01-01T00:00:00", 2),
    answer("restore plan shop --into {url}/fresh", 0, "reachable", "restore.plan"),
    failure("restore run shop --into {url}/shop --yes", 73),
    failure("restore run shop --into {url}/fresh", 2),
    answer("restore run shop --into {url}/fresh --yes", 0, "done", "restore.run"),
    answer(f"restore run shop --into {{url}}/other --yes {PAST}", 1, "unreachable", "restore.plan"),
    answer("backup prune shop --yes", 0, "nothing_to_do", "backup.prune"),
    answer("backup verify {damaged} --level checksum", 1, "failed", "backup.verify"),
    answer("job list", 0, "ok", "job.list"),
    answer("job run checks", 1, "failed", "job.run"),
    answer("job run hopeless", 69, "failed", "job.run"),
    answer("job run --due", 0, "done", "job.run"),
    failure("job run nosuch", 2),
    answer("job history", 0, "ok", "job.history"),
    answer("report shop down", 0, "ok", "report"),
    failure("report", 2),
)


class Printed(Protocol):
    """What a command did: the one of conftest."""

    code: int
    out: str
    err: str

    # Any: JSON.
    @property
    def document(self) -> Any: ...


class Site(Protocol):
    """The one of conftest."""

    place: Path

    @property
    def secrets(self) -> Sequence[str]: ...

    def dbops(self, line: str) -> Printed: ...


@pytest.fixture(scope="module")
def printed(site: Site) -> list[Printed]:
    """Everything that was printed, case by case."""
    assert run(["audit", "snapshot", "shop", "-o", str(site.place / "before.json")]) == 0
    return [site.dbops(case.line) for case in CASES]


FORMATS = FormatChecker(formats=())


@FORMATS.checks("date-time", raises=(AssertionError, ValueError))
def is_utc(text: object) -> bool:
    assert datetime.fromisoformat(str(text)).utcoffset() == timedelta(0)
    return True


def hold(document: object, name: str) -> None:
    """The document is as the published schema says."""
    Draft202012Validator(schema(name), format_checker=FORMATS).validate(document)


def ids() -> Iterator[str]:
    for case in CASES:
        yield re.sub(r"[^\w.-]+", "_", f"{case.line}={case.code}")


@pytest.mark.parametrize("number", range(len(CASES)), ids=ids())
def test_one_document_as_its_schema_says(number: int, printed: list[Printed]) -> None:
    case, got = CASES[number], printed[number]
    document = got.document
    assert (got.code, document["schema"], document["status"]) == (case.code, case.name, case.status), got
    hold(document, document["schema"])
    assert got.out.endswith("}\n")
    if "code" in document:
        assert document["code"] == got.code
    if case.status == "error":
        error = document["error"]
        assert error["code"] == got.code
        assert error["message"] in got.err
        assert error["hint"] in got.err


def test_every_document_was_printed() -> None:
    assert {case.name for case in CASES} == set(DOCUMENTS)


def test_no_password_is_in_any_document(site: Site, printed: list[Printed]) -> None:
    for secret in site.secrets:
        assert len(secret) > 8
        assert not [got for got in printed if secret in got.out]


def test_files_that_are_read_back_are_as_their_schemas_say(site: Site, printed: list[Printed]) -> None:
    assert printed
    hold(json.loads((site.place / "before.json").read_text()), "dbops.access/1")
    hold(json.loads((site.place / "plan.json").read_text()), "dbops.plan/1")


# What other tools rely on, whatever else changes: an entry of a list is there, and every one has the field.
KEPT: Mapping[str, str] = {
    "health check shop": "status coverage checks[].id checks[].status checks[].reason checks[].summary checks[].value "
    "checks[].unit checks[].warning checks[].critical checks[].remedy checks[].evidence[]",
    "audit run shop --self-check 20": "findings[].id findings[].severity findings[].principal findings[].object "
    "findings[].summary findings[].remedy.text findings[].remedy.sql findings[].benchmarks findings[].fingerprint "
    "findings[].waived",
    f"audit explain shop {ORDERS} --who alice": "allowed usable paths[][].kind paths[][].from paths[][].to "
    "paths[][].via paths[][].grantor blocked_by minimal_revoke[]",
    f"audit explain shop {ORDERS} --who bob": "allowed usable paths blocked_by[] minimal_revoke",
    "users plan {place}/users.yaml shop -o {place}/plan.json": "changes steps[].summary steps[].risk steps[].sql "
    "steps[].undo access_delta[].principal access_delta[].gains[] access_delta[].loses",
    "backup plan shop --rpo 1s": "verdict reasons[] methods[] schedule[] predicted.rpo_s "
    "predicted.rto_s predicted.storage_bytes server_changes counterexample.text",
    "backup run shop --method dump --database shop": "backup.id backup.method backup.custody backup.location "
    "backup.started_at backup.finished_at backup.bytes backup.stored_bytes backup.manifest",
    "backup verify {id}": "verdict checks[].id recovered_to phases[].name phases[].seconds phases[].bytes rto_s rpo_s "
    "fingerprints.compared fingerprints.equal fingerprints.different",
    "restore plan shop --into {url}/fresh": "verdict chain[].id missing nearest.before nearest.after steps[].summary "
    "estimate.seconds",
    f"restore plan shop {PAST}": "verdict chain missing nearest.after steps estimate",
    "health check shop down --only pg.sequence.*": "targets[].name targets[].code",
    "audit run shop down": "targets[].target targets[].code targets[].error",
    "targets test shop down": "targets[].target targets[].code targets[].error",
    "job run hopeless": "jobs[].targets[].code jobs[].targets[].error.class",
    "targets list --nonsense": "error.class error.code error.message error.hint",
}


def picked(value: Any, path: str) -> list[Any]:
    """Every value at a path such as ``checks[].id``; a list on the way must not be empty."""
    found = [value]
    for part in path.replace("[]", ".[]").split("."):
        if part == "[]":
            assert all(found), f"{path}: an empty list"
            found = [inner for one in found for inner in one]
        elif part:
            found = [one[part] for one in found]
    return found


@pytest.mark.parametrize("line", KEPT, ids=lambda line: re.sub(r"[^\w.-]+", "_", line))
def test_kept_names_are_there(line: str, printed: list[Printed]) -> None:
    document = next(got.document for case, got in zip(CASES, printed, strict=True) if case.line == line)
    for path in KEPT[line].split():
        assert picked(document, path)


def test_words_that_other_tools_compare_with(printed: list[Printed]) -> None:
    documents = {case.line: got.document for case, got in zip(CASES, printed, strict=True)}
    health = documents["health check shop"]
    words = {"ok", "warning", "critical", "unknown", "skipped", "waived"}
    assert {one["status"] for one in health["checks"]} <= words
    assert any(one["remedy"]["sql"] for one in health["checks"] if one["remedy"])
    found = documents["audit run shop --self-check 20"]["findings"]
    assert {one["severity"] for one in found} <= {"info", "low", "medium", "high", "critical"}
    methods = documents["backup plan shop --rpo 1s"]["methods"]
    [dump] = [one["predicted"] for one in methods if one["name"] == "dump"]
    assert set(dump["rpo_s"]) == set(dump["rto_s"]) == {"low", "high"}
    backup = documents["backup run shop --method dump --database shop"]["backup"]
    assert backup["id"].startswith("b-")
    assert backup["custody"] == "repository"
    assert re.fullmatch("[0-9a-f]{64}", backup["manifest"])
