"""What this machine cannot test: a skip that the closing summary names, or a failure where it is required."""

from __future__ import annotations

import os
from typing import NoReturn

import pytest

__all__ = ["NOT_TESTED", "missing", "required"]

NOT_TESTED = "not tested here: "


def required() -> list[str]:
    """The words of ``DBOPS_TEST_REQUIRE``."""
    return [word for word in os.environ.get("DBOPS_TEST_REQUIRE", "").replace(" ", "").split(",") if word]


def missing(word: str, label: str) -> NoReturn:
    """There is no server for a test.

    :param word: as ``DBOPS_TEST_REQUIRE`` names it, such as ``mysql9.7``; :param label: as people do.
    """
    if word in required():
        pytest.fail(f"{label} is required by DBOPS_TEST_REQUIRE, and this machine has no server binary of it")
    pytest.skip(f"{NOT_TESTED}{label} (no server binary)")
