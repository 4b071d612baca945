"""The published schemas: of every document there is, closed, and true of whatever the renderer can print."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from enum import Enum
from functools import cache
from importlib.resources import files
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

import click
import msgspec
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, FormatChecker

from dbops.cli.main import cli
from dbops.model.access import AccessSnapshot
from dbops.plan import Plan, dump_plan
from dbops.report.json import document
from dbops.report.schemas import DOCUMENTS, FILES, schema
from dbops.report.shapes import Shapes

AT = datetime(2026, 3, 1, 2, 15, tzinfo=UTC)
NAME = re.compile(r"dbops\.[a-z.]+/\d+")
DEEP = 4
FORMATS = FormatChecker(formats=())
DRAWN = settings(
    max_examples=10,
    # Without shrinking: it takes minutes on such documents, and the validator names the place anyway.
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@FORMATS.checks("date-time", raises=(AssertionError, ValueError))
def is_utc(text: object) -> bool:
    """An instant in UTC that says so."""
    assert datetime.fromisoformat(str(text)).utcoffset() == timedelta(0)
    return True


@cache
def validator(name: str) -> Draft202012Validator:
    return Draft202012Validator(schema(name), format_checker=FORMATS)


def names_on_the_command_line() -> set[str]:
    """Every document's name that is written anywhere below ``dbops.cli``."""
    sources = [one.read_text("utf-8") for one in files("dbops.cli").iterdir() if one.name.endswith(".py")]
    return {
        node.value
        for source in sources
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and NAME.fullmatch(node.value)
    }


def commands_with_json(group: click.Group = cli, path: str = "") -> Iterator[str]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from commands_with_json(command, f"{path}{name} ")
        elif command is not None and any(
            isinstance(one.type, click.Choice) and "json" in one.type.choices for one in command.params
        ):
            yield path + name


def test_every_document_that_a_command_prints_has_a_schema() -> None:
    failure = {"dbops.error/1"}
    assert names_on_the_command_line() == set(DOCUMENTS) - failure


def test_every_command_with_json_is_in_the_table() -> None:
    assert sorted(commands_with_json()) == sorted(one.command for one in DOCUMENTS.values() if one.command)


@pytest.mark.parametrize("name", [*DOCUMENTS, *FILES])
def test_it_is_a_json_schema(name: str) -> None:
    Draft202012Validator.check_schema(schema(name))


def objects(shape: Any) -> Iterator[dict[str, Any]]:
    """Every shape of an object with named properties, at any depth."""
    if isinstance(shape, dict):
        if isinstance(shape.get("properties"), dict) and shape.get("type") == "object":
            yield shape
        for inner in shape.values():
            yield from objects(inner)
    elif isinstance(shape, list):
        for inner in shape:
            yield from objects(inner)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_field_is_always_there_and_there_is_no_other(name: str) -> None:
    found = list(objects(schema(name)))
    assert found
    for one in found:
        assert one["required"] == list(one["properties"])
        assert one["additionalProperties"] is False


@pytest.mark.parametrize("name", DOCUMENTS)
def test_the_envelope_is_the_same_everywhere(name: str) -> None:
    found, other = schema(name), schema("dbops.error/1")
    assert list(found["properties"])[:5] == ["schema", "generated_at", "dbops", "target", "status"]
    assert found["properties"]["schema"] == {"const": name}
    assert found["properties"]["target"] == other["properties"]["target"]
    for own in ("generated_at", "dbops"):
        assert found["properties"][own]["type"] == "string"


@pytest.mark.parametrize("name", DOCUMENTS)
@DRAWN
@given(data=st.data())
def test_whatever_is_printed_is_as_the_schema_says(name: str, data: st.DataObject) -> None:
    wanted = DOCUMENTS[name]
    result = data.draw(values(wanted.result, DEEP))
    target = data.draw(st.sampled_from([None, {"name": "shop", "engine": "postgresql", "address": "x"}]))
    status = data.draw(st.sampled_from(wanted.status))
    text = document(result, schema=name, generated_at=AT, status=status, target=target)
    printed = json.loads(text)
    validator(name).validate(printed)
    key = data.draw(st.sampled_from(list(printed)))
    assert not validator(name).is_valid({other: value for other, value in printed.items() if other != key})
    assert not validator(name).is_valid({**printed, "surprise": 1})
    assert not validator(name).is_valid({**printed, "status": "surprise"})


@DRAWN
@given(data=st.data())
def test_saved_files_are_as_their_schemas_say(data: st.DataObject) -> None:
    plan = data.draw(values(Plan, DEEP))
    validator("dbops.plan/1").validate(json.loads(dump_plan(plan)))
    snapshot = data.draw(values(AccessSnapshot, DEEP))
    validator("dbops.access/1").validate(json.loads(msgspec.json.encode(snapshot)))


# Any: a type as an annotation has it; and a value of that type.
def values(kind: Any, deep: int) -> st.SearchStrategy[Any]:
    """Values of whatever the models are made of; below ``deep`` lists and mappings are empty."""
    if kind in SCALARS:
        return SCALARS[kind]
    if isinstance(kind, type) and issubclass(kind, Enum):
        return st.sampled_from(list(kind))
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        fields = msgspec.structs.fields(kind)
        return st.builds(kind, **{field.name: values(field.type, deep - 1) for field in fields})
    origin, parts = get_origin(kind), get_args(kind)
    if origin is Literal:
        return st.sampled_from(parts)
    if origin in (Union, UnionType):
        return st.one_of([values(part, deep) for part in parts if deep > 0 or not contains_steps(part)])
    if origin is dict:
        most = min(1, max(deep, 0))
        return st.dictionaries(SCALARS[str], values(parts[1], deep - 1) if most else st.none(), max_size=most)
    if origin is tuple and parts[1:] == (Ellipsis,):
        return st.lists(values(parts[0], deep - 1), max_size=2).map(tuple) if deep > 0 else st.just(())
    assert origin is tuple, kind
    return st.tuples(*(values(part, deep) for part in parts))


def contains_steps(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct) and "steps" in kind.__struct_fields__


TEXT = st.sampled_from(["", "x", 'a "b" \\ ü', "2026"])
SCALARS: dict[Any, st.SearchStrategy[Any]] = {
    str: TEXT,
    int: st.integers(0, 1 << 60),
    float: st.sampled_from([0.0, 0.25, 1e12]),
    bool: st.booleans(),
    NoneType: st.none(),
    datetime: st.sampled_from([AT, AT.astimezone(timezone(timedelta(hours=2))), AT + timedelta(microseconds=7)]),
    Any: st.sampled_from([None, 1, "x", [1, {"y": None}], {"z": 0.5}]),
}


@pytest.mark.parametrize("kind", [bytes, tuple[int, str], dict[int, str], list[int]])
def test_a_type_that_nobody_described_is_refused(kind: Any) -> None:
    with pytest.raises(TypeError, match="no JSON Schema is known for"):
        Shapes().of(kind)


class Described(msgspec.Struct):
    """A thing with ``parts``, see :class:`~dbops.plan.Plan`.

    :param size: how large
        it is; :param name: what it is called.
    """

    size: int
    name: str = ""
    bare: bool = False


def test_docstrings_become_descriptions() -> None:
    shapes = Shapes()
    reference = shapes.of(Described)["$ref"]
    found = shapes.definitions[reference.removeprefix("#/$defs/")]
    assert found["description"] == "A thing with `parts`, see Plan."
    assert found["properties"] == {
        "size": {"type": "integer", "description": "how large it is."},
        "name": {"type": "string", "description": "what it is called."},
        "bare": {"type": "boolean"},
    }
