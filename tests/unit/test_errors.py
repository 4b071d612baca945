"""The error tree: one exit code for each class, and messages that tell what to do."""

from __future__ import annotations

import pickle
import re

import pytest

from dbops import errors
from dbops.errors import DbopsError, Locked

# The contract of docs and scripts; a class that is added is added here, with its meaning there.
CODES = {
    "DbopsError": 70,
    "UsageError": 2,
    "Unsupported": 2,
    "InputError": 65,
    "StalePlan": 65,
    "Unreachable": 69,
    "OutputError": 73,
    "DestinationExists": 73,
    "ToolFailed": 74,
    "ReadFailed": 74,
    "StorageFailed": 74,
    "Damaged": 74,
    "Locked": 75,
    "CouldNotTell": 76,
    "NotPermitted": 77,
    "ConfigError": 78,
    "Interrupted": 130,
}


def test_every_class_has_its_exit_code() -> None:
    named = {name: getattr(errors, name) for name in errors.__all__ if name[0].isupper()}
    assert {name: one.code for name, one in named.items()} == CODES


def test_the_drawing_in_the_docstring_is_the_tree() -> None:
    drawn = re.findall(r"([A-Z]\w+) +(\d+)  ", errors.__doc__ or "")
    assert {name: int(code) for name, code in drawn} == CODES


@pytest.mark.parametrize("name", CODES)
def test_every_class_is_one_of_ours(name: str) -> None:
    assert issubclass(getattr(errors, name), DbopsError)


def test_the_hint_stands_on_a_line_of_its_own() -> None:
    error = Locked("shop: busy", hint="Try again.", reason="locked")
    assert str(error) == "shop: busy\nTry again."
    assert (error.message, error.hint, error.reason) == ("shop: busy", "Try again.", "locked")


def test_what_is_taken_out_of_a_message_is_nowhere_else() -> None:
    error = Locked("shop: hunter2", hint="Try again.")
    error.message = "shop: ***"
    assert "hunter2" not in f"{error} {error!r} {error.args} {vars(error)}"


def test_an_error_survives_the_way_to_another_process() -> None:
    error = pickle.loads(pickle.dumps(Locked("shop: busy", hint="Try again.", reason="locked")))
    assert isinstance(error, Locked)
    assert (error.message, error.hint, error.reason) == ("shop: busy", "Try again.", "locked")


def test_without_a_hint_there_is_one_line() -> None:
    assert str(Locked("shop: busy")) == "shop: busy"
