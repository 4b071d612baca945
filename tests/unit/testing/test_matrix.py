"""The capability matrix says what is proved, and how."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from dbops.capabilities import FULL, Capability, Impossible, NotImplementedYet, Since, Support
from dbops.spi import Backend
from dbops.testing.matrix import DOCUMENTATION, SERVER, capability_matrix, cell, proofs

TESTS = """
import pytest

@pytest.mark.proves("toy", "health", by="a simulator")
def test_one() -> None: ...

@pytest.mark.proves("toy", "health", "backup.logical")
class TestTwo: ...

pytestmark = pytest.mark.proves("toy", "users.apply", by="a simulator")
"""


def test_markers_are_read_and_a_server_counts_more_than_a_simulator(tmp_path: Path) -> None:
    (tmp_path / "deeper").mkdir()
    (tmp_path / "deeper" / "test_toy.py").write_text(TESTS)
    (tmp_path / "test_other.py").write_text('import pytest\npytestmark = pytest.mark.proves("toy", "health", by="x")\n')
    assert proofs(tmp_path) == {
        ("toy", "health"): SERVER,
        ("toy", "backup.logical"): SERVER,
        ("toy", "users.apply"): "a simulator",
    }


@pytest.mark.parametrize(
    ("support", "how", "text"),
    [
        (FULL, SERVER, "supported; proved against a real server"),
        (FULL, "a simulator", "supported; proved against a simulator"),
        (Since("17"), DOCUMENTATION, "since 17; documentation only"),
        (NotImplementedYet("later"), SERVER, "not implemented: later"),
        (Impossible("no files"), DOCUMENTATION, "impossible: no files"),
    ],
)
def test_cells(support: Support, how: str, text: str) -> None:
    assert cell(support, how) == text


def test_the_table_has_a_row_for_each_capability_and_a_column_for_each_engine() -> None:
    def support(capability: Capability, server: object) -> Support:
        return Impossible("a|b") if capability is Capability.HEALTH else FULL

    toy = cast(Backend, SimpleNamespace(label="Toy", support=support))
    lines = capability_matrix({"toy": toy, "other": toy}, {("toy", "backup.logical"): SERVER}).splitlines()
    assert lines[0] == "| capability | Toy | Toy |"
    assert lines[1] == "| --- | --- | --- |"
    assert "| health | impossible: a\\|b | impossible: a\\|b |" in lines
    proved = "| backup.logical | supported; proved against a real server | supported; documentation only |"
    assert proved in lines
    assert len(lines) == 2 + len(Capability)
