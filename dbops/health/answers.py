"""The facts of one scope, as typed rows. What is not there, or is not what was asked for, never reads as zero."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

import msgspec

from dbops.model.finding import Missing
from dbops.model.health import Answer, Row

__all__ = ["Answers", "Unanswered"]

T = TypeVar("T", bound=msgspec.Struct)


class Unanswered(Exception):  # no error: the way in which "unknown" leaves a measuring function
    """The question at hand has no answer; it ends the measuring of one scope and becomes its UNKNOWN."""

    def __init__(self, missing: Missing) -> None:
        super().__init__(missing.detail or missing.reason)
        self.missing = missing


class Answers:
    """What was answered for the server and, in a check of databases, for one ``database``."""

    def __init__(self, answers: Mapping[str, Answer | Missing], database: str = "") -> None:
        self._answers = answers
        self.database = database

    def missing(self, question: str) -> Missing | None:
        """Why there is no answer, or None when there is one."""
        answer = self._answers.get(question, Missing("not_asked", f"{question} was not asked"))
        return answer if isinstance(answer, Missing) else None

    def plain(self, question: str) -> tuple[Row, ...]:
        """Every row as it came, for statements whose columns have no names of ours (SHOW …).

        :raises Unanswered: the question failed.
        """
        answer = self._answers.get(question)
        if not isinstance(answer, Answer):
            raise Unanswered(answer or Missing("not_asked", f"{question} was not asked"))
        return answer.rows

    def rows(self, question: str, into: type[T]) -> list[T]:
        """Every row as a struct.

        :raises Unanswered: the question failed, or a row has a NULL where the struct has none.
        """
        rows = self.plain(question)
        try:
            return [msgspec.convert(row, into, strict=False) for row in rows]
        except msgspec.ValidationError as error:
            raise Unanswered(Missing("null_value", f"{question}: {error}")) from None

    def one(self, question: str, into: type[T]) -> T:
        """The only row.

        :raises Unanswered: as ``rows``; or there is no row.
        """
        found = self.rows(question, into)
        if not found:
            raise Unanswered(Missing("no_rows", f"{question} gave no row"))
        return found[0]
