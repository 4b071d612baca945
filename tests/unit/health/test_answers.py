"""Typed rows out of answers: NULL, no row and a failed question are never zero."""

from __future__ import annotations

import msgspec
import pytest

from dbops.health.answers import Answers, Unanswered
from dbops.model.finding import Missing
from dbops.model.health import Answer, Row


class One(msgspec.Struct):
    count: int
    name: str | None = None


def answers(*rows: Row) -> Answers:
    return Answers({"q": Answer(rows=rows), "failed": Missing("no_permission", "denied")})


def test_rows_are_structs() -> None:
    assert answers({"count": 3, "name": None}).rows("q", One) == [One(3)]
    assert answers().rows("q", One) == []
    assert answers({"count": 3}).one("q", One) == One(3)


@pytest.mark.parametrize(
    ("question", "rows", "reason"),
    [
        ("failed", (), "no_permission"),
        ("other", (), "not_asked"),
        ("q", ({"count": None},), "null_value"),
        ("q", ({"name": "x"},), "null_value"),
        ("q", (), "no_rows"),
    ],
)
def test_what_is_no_answer_says_why(question: str, rows: tuple[Row, ...], reason: str) -> None:
    with pytest.raises(Unanswered) as caught:
        answers(*rows).one(question, One)
    assert caught.value.missing.reason == reason


def test_missing() -> None:
    assert answers().missing("q") is None
    assert answers().missing("failed") == Missing("no_permission", "denied")
    assert answers().missing("other") == Missing("not_asked", "other was not asked")


def test_rows_as_they_came() -> None:
    assert answers({"Grants for x@%": "GRANT …"}).plain("q") == ({"Grants for x@%": "GRANT …"},)
    with pytest.raises(Unanswered, match="denied"):
        answers().plain("failed")
