"""The YAML that users write: what it means, and what it says when it is wrong."""

from __future__ import annotations

import math

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dbops import yaml
from dbops.errors import InputError


def value(text: str) -> object:
    return yaml.load(text, "spec.yaml").value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("no", "no"),
        ("on", "on"),
        ("Yes", "Yes"),
        ("2027-01-01", "2027-01-01"),
        ("12:30", "12:30"),
        ("012", 12),
        ("0o17", 15),
        ("0x1F", 31),
        ("1e3", 1000.0),
        ("true", True),
        ("FALSE", False),
        ("~", None),
        ("", None),
        ("'true'", "true"),
        ("-.inf", -math.inf),
        ("[a, 1, {b: c}]", ["a", 1, {"b": "c"}]),
        ("{a: &x [1], b: *x}", {"a": [1], "b": [1]}),
    ],
)
def test_values_are_those_of_the_core_schema(text: str, expected: object) -> None:
    assert value(text) == expected


def test_not_a_number_is_one() -> None:
    assert math.isnan(value(".nan"))  # type: ignore[arg-type]  # it is one


def test_lines_are_kept_for_every_path() -> None:
    document = yaml.load("a:\n  - b\n  - c: d\n", "spec.yaml")
    assert document.where(("a", 1, "c")) == "spec.yaml:3"
    assert document.where(("a", 1, "c", "deeper")) == "spec.yaml:3"
    assert document.where(("nowhere",)) == "spec.yaml:1"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: 2\na: 3\n", "spec.yaml:3: the key 'a' is there twice, first in line 1"),
        ("a: !!python/object:os.system x", "spec.yaml:1: the tag"),
        ("a: !secret x", "spec.yaml:1: the tag !secret is not understood"),
        ("a: [1\nb: 2", "spec.yaml:2: not YAML"),
        ("a: 1\n--- \nb: 2", "spec.yaml:2: not YAML"),
        ("? [a]\n: b", "spec.yaml:1: a key must be a word"),
        ("a: &x [*x]", "the anchors make it too large"),
        ("x: '{{ env.NOT_SET }}'", "spec.yaml:1: the variable NOT_SET is not set"),
        ("x: '{{ 1 + 1 }}'", "only {{ env.NAME }} is understood"),
        ("a: \x01", "not YAML"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(text: str, message: str) -> None:
    with pytest.raises(InputError) as raised:
        value(text)
    assert message in raised.value.message


def test_a_bomb_of_anchors_is_refused() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 8)]
    with pytest.raises(InputError, match="too large"):
        value("\n".join(lines))


def test_variables_are_filled_in_keys_and_values() -> None:
    text = "'{{ env.NAME }}_app': ['{{env.NAME}}', no]"
    assert yaml.load(text, "x", {"NAME": "shop"}).value == {"shop_app": ["shop", "no"]}


texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="{}"), max_size=12)
trees = st.recursive(
    st.none() | st.booleans() | st.integers() | texts | st.sampled_from(["no", "0o7", "1e5", "012", "2027-01-01", "~"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=10,
)


@example({"\x85\u2028\r\n": "\n a\n"})
@given(trees)
def test_what_is_written_is_read_back(tree: object) -> None:
    assert value(yaml.dump(tree)) == tree
