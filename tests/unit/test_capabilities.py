"""Honest answers: a yes can be used, a no has a reason."""

from __future__ import annotations

import msgspec
import pytest

from dbops.capabilities import FULL, Capability, Impossible, NotImplementedYet, Since, Support, require, supported
from dbops.errors import Unsupported


@pytest.mark.parametrize(
    ("support", "answer"),
    [(FULL, True), (Since("17"), True), (NotImplementedYet("later"), False), (Impossible("no files"), False)],
)
def test_what_counts_as_a_yes(support: Support, answer: bool) -> None:
    assert supported(support) is answer


@pytest.mark.parametrize("support", [FULL, Since("17")])
def test_a_yes_raises_nothing(support: Support) -> None:
    require(Capability.HEALTH, support, "shop (PostgreSQL 17.1)")


def test_not_implemented_says_that_it_is_up_to_us() -> None:
    with pytest.raises(Unsupported) as caught:
        require(Capability.RESTORE_PITR, NotImplementedYet("needs archived WAL"), "shop (PostgreSQL 17.1)")
    assert caught.value.message == "shop (PostgreSQL 17.1): restore.pitr is not implemented: needs archived WAL"
    assert "capability matrix" in caught.value.hint
    assert caught.value.code == 2


def test_impossible_says_that_it_is_up_to_the_server() -> None:
    with pytest.raises(Unsupported) as caught:
        require(Capability.BACKUP_PHYSICAL, Impossible("RDS hands out no files"), "shop (PostgreSQL 17.1)")
    assert caught.value.message == "shop (PostgreSQL 17.1): backup.physical is not possible: RDS hands out no files"


def test_the_four_answers_keep_their_names_in_json() -> None:
    answers: list[Support] = [FULL, Since("17"), NotImplementedYet("x"), Impossible("y")]
    assert [msgspec.to_builtins(one)["type"] for one in answers] == ["full", "since", "not_implemented", "impossible"]
    assert [msgspec.convert(msgspec.to_builtins(one), Support) for one in answers] == answers
