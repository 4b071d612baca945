"""JSON Schema of a Python type, as :mod:`dbops.report.json` prints its values. It knows what the models are made of,
and refuses anything else: a schema that guesses would be worse than none."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from enum import Enum
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

import msgspec

from dbops.model.finding import Missing

__all__ = ["Schema", "Shapes", "closed", "readable"]

Schema = dict[str, Any]  # Any: JSON, of which every level looks different

_SCALARS: Mapping[object, Schema] = {
    Any: {},
    str: {"type": "string"},
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    float: {"type": "number"},
    NoneType: {"type": "null"},
    datetime: {"type": "string", "format": "date-time"},
}
_PARAMETER = re.compile(r":param (\w+):\s*(.*?)(?=[;,.]?\s*:param |\Z)", re.DOTALL)
_ROLE = re.compile(r":\w+:`~?(?:[\w.]+\.)?(\w+)`")


def closed(properties: Mapping[str, Schema]) -> Schema:
    """An object that has all of these properties and no other."""
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(properties),
        "additionalProperties": False,
    }


class Shapes:
    """Schemas that refer to each other. ``definitions`` are those of every struct that was met, for ``$defs``."""

    def __init__(self) -> None:
        self.definitions: dict[str, Schema] = {}

    # Any: a type as an annotation has it, which may be a union or a generic alias.
    def of(self, kind: Any) -> Schema:
        """The schema of one type.

        :raises TypeError: nobody has said how this is printed.
        """
        if kind in _SCALARS:
            return dict(_SCALARS[kind])
        if isinstance(kind, type) and issubclass(kind, Enum):
            return {"enum": [one.value for one in kind]}
        if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
            return self._reference(kind)
        return self._composed(kind)

    def properties(self, struct: type[msgspec.Struct]) -> dict[str, Schema]:
        """By the names that are printed, in the order of printing."""
        said = _parameters(struct)
        config = struct.__struct_config__
        head: dict[str, Schema] = {} if config.tag is None else {str(config.tag_field): {"const": config.tag}}
        own = {
            field.encode_name: {**self.of(field.type), **said.get(field.name, {})}
            for field in msgspec.structs.fields(struct)
        }
        return {**head, **own}

    def _composed(self, kind: Any) -> Schema:
        origin, parts = get_origin(kind), get_args(kind)
        if origin in (Union, UnionType):
            return {"anyOf": [self.of(part) for part in parts]}
        if origin is Literal:
            return {"enum": list(parts)}
        if origin is dict and parts[0] is str:
            return {"type": "object", "additionalProperties": self.of(parts[1])}
        if origin is tuple and parts[1:] == (Ellipsis,):
            return {"type": "array", "items": self.of(parts[0])}
        raise TypeError(f"no JSON Schema is known for {kind!r}")

    def _reference(self, struct: type[msgspec.Struct]) -> Schema:
        name = f"{struct.__module__.rpartition('.')[2]}.{struct.__name__}"
        if name not in self.definitions:
            self.definitions[name] = {}  # it may contain itself
            shape = _MISSING if struct is Missing else closed(self.properties(struct))
            self.definitions[name] = {"description": readable(struct.__doc__), **shape}
        return {"$ref": f"#/$defs/{name}"}


_MISSING = closed({"missing": {"type": "string"}, "detail": {"type": "string"}})


def readable(docstring: str | None) -> str:
    """What a docstring says of the whole, without its markup."""
    return _plain((docstring or "").partition(":param ")[0])


def _parameters(struct: type[msgspec.Struct]) -> dict[str, Schema]:
    found = _PARAMETER.findall(struct.__doc__ or "")
    return {name: {"description": _plain(text)} for name, text in found}


def _plain(text: str) -> str:
    return " ".join(_ROLE.sub(r"\1", text).replace("``", "`").split()).rstrip(" ;,.") + "."
