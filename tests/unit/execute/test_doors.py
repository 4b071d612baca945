"""A word that an engine does not have is refused in the name of that engine."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec
import pytest

from dbops import registry
from dbops.errors import UsageError
from dbops.execute import doors
from dbops.plan import Call, FromServer, Opening, Probe, Risk, Seal, SecretRef

if TYPE_CHECKING:
    from tests.unit.execute.conftest import Rig

CALL = Call(id="c", summary="ask", risk=Risk.READ, provider="backend", operation="telepathy")


def test_every_kind_of_word_is_named(rig: Rig) -> None:
    refused: dict[str, Callable[[], object]] = {
        "stream": lambda: doors.streams(FromServer(stream="telepathy"), rig.context),
        "opening": lambda: doors.hold(Opening(what="telepathy"), rig.context),
        "operation": lambda: doors.call(CALL, rig.context),
        "probe": lambda: doors.probe(Probe(what="telepathy"), rig.context),
    }
    for kind, ask in refused.items():
        with pytest.raises(UsageError) as caught:
            ask()
        assert caught.value.message == f"Toy has no {kind} called 'telepathy'"
        assert caught.value.hint == "The plan was made by another version."


def test_an_engine_that_seals_nothing_says_so(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    without = msgspec.structs.replace(rig.backend.doors, seal=None)
    monkeypatch.setattr(type(rig.backend), "doors", without)
    with pytest.raises(UsageError) as caught:
        doors.seal(Seal(seal="scram", secret=SecretRef("env:ALICE"), name="alice"), rig.context)
    assert caught.value.message == "Toy stores no secret such as 'scram'"


@pytest.mark.parametrize(
    ("name", "label"),
    [("postgresql", "PostgreSQL"), ("mysql", "MySQL"), ("mariadb", "MariaDB"), ("mssql", "SQL Server")],
)
def test_a_fork_answers_by_its_own_name(rig: Rig, name: str, label: str) -> None:
    rig.context.backend = registry.backend(name)
    [step] = rig.run(CALL).steps
    assert step.error == f"{label} has no operation called 'telepathy'"
