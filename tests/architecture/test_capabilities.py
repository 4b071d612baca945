"""What is promised is proved: the capability matrix rests on tests that run against real servers."""

from __future__ import annotations

from pathlib import Path

import pytest

from dbops import registry
from dbops.capabilities import Capability, supported
from dbops.testing.matrix import SERVER, proofs

TESTS = Path(__file__).parents[1]
PROVED = proofs(TESTS / "live")


def test_markers_name_engines_and_capabilities_that_there_are() -> None:
    assert {engine for engine, _ in PROVED} <= set(registry.names())
    assert {capability for _, capability in PROVED} <= {one.value for one in Capability}


@pytest.mark.parametrize("engine", ["postgresql", "mysql", "mariadb"])
@pytest.mark.parametrize("capability", Capability)
def test_what_an_engine_can_is_proved_against_a_server_and_nothing_else_is(capability: Capability, engine: str) -> None:
    promised = supported(registry.backend(engine).support(capability, None))
    assert (PROVED.get((engine, capability.value)) == SERVER) == promised


@pytest.mark.parametrize("capability", Capability)
def test_what_sql_server_can_is_proved_against_a_simulator_and_nothing_else_is(capability: Capability) -> None:
    """No server of it can be had; whoever has one proves more, and says so."""
    promised = supported(registry.backend("mssql").support(capability, None))
    assert (PROVED.get(("mssql", capability.value)) == "a simulator") == promised
