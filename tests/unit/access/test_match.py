"""What a spec is about: patterns of names, and what they pass over."""

from __future__ import annotations

from collections.abc import Callable
from fnmatch import fnmatchcase

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbops.access.globs import fits
from dbops.access.match import managed, places
from dbops.access.simulate import Simulation
from dbops.model.access import AccessSnapshot, Principal

Make = Callable[..., AccessSnapshot]
names = st.text("ab.\n", max_size=6)


@given(st.text("ab.*\n", max_size=5), names)
def test_a_star_stands_for_any_letters(pattern: str, name: str) -> None:
    assert fits(pattern, name) is fnmatchcase(name, pattern)


@given(names, names)
def test_a_prefix_and_a_suffix_may_not_overlap(start: str, end: str) -> None:
    assert fits(f"{start}*{end}", f"{start}{end}")
    assert not fits(f"{start}x*x{end}", f"{start}x{end}")


@pytest.mark.parametrize(
    ("patterns", "one", "expected"),
    [
        (("app_*",), Principal(name="app_read"), True),
        (("app_*",), Principal(name="other"), False),
        (("*@corp.example",), Principal(name="shop.[eve@corp.example]", user="eve@corp.example"), True),
        (("*@corp.example",), Principal(name="shop.eve", user="eve"), False),
        (("*",), Principal(name="pg_monitor", system=True), False),
        (("*", "pg_monitor"), Principal(name="pg_monitor", system=True), True),
        (("*",), Principal(name="PUBLIC", kind="public", system=True), False),
        (("*", "16384"), Principal(name="16384", kind="unknown"), False),
    ],
)
def test_who_is_managed(patterns: tuple[str, ...], one: Principal, expected: bool) -> None:
    assert managed(patterns, one) is expected


def meant(snapshot: AccessSnapshot, kind: str, *path: str) -> set[str]:
    working = Simulation(snapshot)
    return {working.objects[at].path[-1] for at in places(working, kind, path)}


def neighbours(make: Make) -> AccessSnapshot:
    """Beside the table ``t``: a view, a table of an extension, one of the system, one that lies a part deeper."""
    found = make(people={})
    kinds = {**found.rules.kinds, "view": msgspec.structs.replace(found.rules.kinds["table"], name="view")}
    table = found.objects[2]
    more = (
        msgspec.structs.replace(table, kind="view", path=("app", "s", "w")),
        msgspec.structs.replace(table, path=("app", "s", "e"), flags=("extension",)),
        msgspec.structs.replace(table, path=("app", "s", "y"), flags=("system",)),
        msgspec.structs.replace(table, path=("app", "s", "deep", "er")),
    )
    rules = msgspec.structs.replace(found.rules, kinds=kinds)
    return msgspec.structs.replace(found, rules=rules, objects=(*found.objects, *more))


def test_a_pattern_finds_the_family_and_passes_over_what_came_along(make: Make) -> None:
    found = neighbours(make)
    assert meant(found, "table", "app", "s", "*") == {"t", "w"}
    assert meant(found, "view", "app", "s", "*") == {"w"}
    assert meant(found, "table", "app", "z*", "*") == set()
    assert meant(found, "table", "app", "*") == set()


def test_a_name_finds_what_a_pattern_passes_over(make: Make) -> None:
    found = neighbours(make)
    assert meant(found, "table", "app", "s", "e") == {"e"}
    assert meant(found, "table", "app", "s", "w") == {"w"}
    assert meant(found, "view", "app", "s", "t") == set()
