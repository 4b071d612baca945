"""JSON documents: one envelope, every field always there."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from enum import Enum

import msgspec

from dbops import __version__
from dbops.model.finding import Missing
from dbops.plan import SecretRef
from dbops.report.json import document, failure, plain

AT = datetime(2026, 3, 1, 2, 15, tzinfo=UTC)


class Colour(Enum):
    RED = "red"


class Inner(msgspec.Struct, frozen=True, rename={"class_": "class"}):
    class_: str
    at: datetime


class Outer(msgspec.Struct, frozen=True):
    size: int | Missing
    inner: tuple[Inner, ...] = ()
    colour: Colour = Colour.RED
    secret: SecretRef | None = None
    by_name: dict[str, Inner] = {}
    status: str = "its own"


def test_the_envelope_comes_first_and_every_field_is_there() -> None:
    text = document(Outer(size=3), schema="dbops.a.b/1", generated_at=AT)
    assert text.endswith("}\n")
    found = json.loads(text)
    assert list(found) == [
        "schema", "generated_at", "dbops", "target", "status", "size", "inner", "colour", "secret", "by_name",
    ]  # fmt: skip
    assert (found["schema"], found["dbops"], found["target"], found["status"]) == (
        "dbops.a.b/1", __version__, None, "its own",
    )  # fmt: skip


def test_a_given_status_wins_over_the_results_own() -> None:
    assert json.loads(document(Outer(size=3), schema="s", generated_at=AT, status="given"))["status"] == "given"


def test_time_is_utc_with_an_offset() -> None:
    local = AT.astimezone(timezone(timedelta(hours=2)))
    found = json.loads(document(Inner("x", local), schema="s", generated_at=local))
    assert found["generated_at"] == "2026-03-01T02:15:00+00:00"
    assert found["at"] == "2026-03-01T02:15:00+00:00"


def test_an_absent_fact_says_why_at_any_depth() -> None:
    missing = Missing("no_permission", "needs pg_monitor")
    expected = {"missing": "no_permission", "detail": "needs pg_monitor"}
    assert plain(Outer(size=missing))["size"] == expected
    assert plain({"list": [{"deep": missing}]}) == {"list": [{"deep": expected}]}


def test_names_and_tags_are_those_of_the_struct() -> None:
    found = plain(Outer(size=1, inner=(Inner("x", AT),), secret=SecretRef("env:A"), by_name={"k": Inner("y", AT)}))
    assert found["inner"] == [{"class": "x", "at": "2026-03-01T02:15:00+00:00"}]
    assert found["by_name"]["k"]["class"] == "y"
    assert found["secret"] == {"kind": "secret", "ref": "env:A"}
    assert found["colour"] == "red"


def test_what_is_no_struct_is_a_value() -> None:
    assert plain([1, "a"]) == {"value": [1, "a"]}


def test_a_failure_has_the_same_envelope() -> None:
    found = json.loads(failure({"class": "Locked", "code": 75, "message": "m", "hint": "h"}, AT))
    assert found == {
        "schema": "dbops.error/1",
        "generated_at": "2026-03-01T02:15:00+00:00",
        "dbops": __version__,
        "target": None,
        "status": "error",
        "error": {"class": "Locked", "code": 75, "message": "m", "hint": "h"},
    }
    assert datetime.fromisoformat(json.loads(failure({}))["generated_at"]).tzinfo is not None
