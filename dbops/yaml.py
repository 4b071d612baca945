"""YAML as people mean it: the 1.2 core schema, no key twice, and every value's line kept for messages.

``no`` and ``on`` stay words, ``2027-01-01`` stays text, ``012`` is twelve. Anchors work; merge keys and tags of an
application do not. ``{{ env.NAME }}`` in a text is replaced by the variable of that name.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any, cast

import msgspec
import yaml
from yaml import nodes
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from dbops.errors import InputError

__all__ = ["Document", "Path", "dump", "load"]

Path = tuple[str | int, ...]
LIMIT = 200_000
_TEMPLATE = re.compile(r"\{\{\s*env\.([A-Za-z_][A-Za-z0-9_]*)\s*\}\}")
_ANY_TEMPLATE = re.compile(r"\{\{.*?\}\}", re.DOTALL)
_BREAKS = re.compile("[\r\n\x85\u2028\u2029]")
_TAG = "tag:yaml.org,2002:"
# https://yaml.org/spec/1.2.2/#103-core-schema
_CORE = (
    ("null", r"null|Null|NULL|~|", ["n", "N", "~", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("int", r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", list("-+0123456789")),
    (
        "float",
        r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)",
        list("-+.0123456789"),
    ),
)


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """Plain values (dict, list, str, int, float, bool, None) and, for each path in them, its line (from 1)."""

    # Any: a tree of plain values.
    value: Any
    lines: dict[Path, int]
    origin: str

    def where(self, path: Path) -> str:
        """``file:line`` of a path, or of the nearest part of it that has one."""
        for end in range(len(path), -1, -1):
            if path[:end] in self.lines:
                return f"{self.origin}:{self.lines[path[:end]]}"
        return self.origin


def load(text: str, origin: str, env: Mapping[str, str] | None = None) -> Document:
    """One document.

    :param env: the variables of templates; without them a template is an error.
    :raises InputError: not YAML, a key twice (with both lines), a tag, several documents, an unknown variable.
    """
    try:
        node = yaml.compose(text, Loader=_loader())
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        raise InputError(f"{origin}:{line}: not YAML: {error.problem or error.context}") from None
    except yaml.YAMLError as error:
        raise InputError(f"{origin}: not YAML: {' '.join(str(error).split())}") from None
    reading = _Reading(origin, env or {})
    value = None if node is None else reading.value(node, (), ())
    return Document(value=value, lines=reading.lines, origin=origin)


# Any: a class made of the parser that this machine's PyYAML has.
def _loader() -> Any:
    base = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    loader = type("CoreLoader", (base,), {"yaml_implicit_resolvers": {}})
    for tag, pattern, first in _CORE:
        loader.add_implicit_resolver(_TAG + tag, re.compile(rf"(?:{pattern})\Z"), first)  # type: ignore[attr-defined]
    return loader


def _text(_dumper: object, text: str) -> ScalarNode:
    # The parser takes other line breaks than a line feed for one too, and folds them; escaped they stay what they are.
    return ScalarNode(f"{_TAG}str", text, style='"' if _BREAKS.search(text) else None)


def _never_alias(_dumper: object, _data: object) -> bool:
    return True


def dump(value: object) -> str:
    """Plain values as YAML that :func:`load` reads back as the same values, keys in their order."""
    dumper = type("CoreDumper", (yaml.SafeDumper,), {"ignore_aliases": _never_alias})
    dumper.add_representer(str, _text)  # type: ignore[attr-defined]  # made above, of a class that has it
    # What either schema would read as something else than a text is quoted.
    for tag, pattern, first in _CORE:
        dumper.add_implicit_resolver(_TAG + tag, re.compile(rf"(?:{pattern})\Z"), first)  # type: ignore[attr-defined]
    return str(yaml.dump(value, Dumper=dumper, sort_keys=False, allow_unicode=True, width=120))


class _Reading:
    def __init__(self, origin: str, env: Mapping[str, str]) -> None:
        self.lines: dict[Path, int] = {}
        self._origin = origin
        self._env = env
        self._count = 0

    def value(self, node: Node, path: Path, above: tuple[Node, ...]) -> Any:
        """The value of a node; ``above`` are the nodes around it."""
        self._count += 1
        if self._count > LIMIT or any(node is one for one in above):
            raise self._wrong(node, "the anchors make it too large")
        self.lines.setdefault(path, node.start_mark.line + 1)
        if isinstance(node, nodes.MappingNode):
            return self._mapping(node, path, (*above, node))
        if isinstance(node, nodes.SequenceNode):
            return self._sequence(node, path, (*above, node))
        return self._scalar(cast("ScalarNode", node))

    def _mapping(self, node: MappingNode, path: Path, above: tuple[Node, ...]) -> dict[str, Any]:
        self._plain(node, "map")
        found: dict[str, Any] = {}
        first: dict[str, int] = {}
        for key_node, value_node in node.value:
            key, line = self._key(key_node), key_node.start_mark.line + 1
            if key in found:
                raise InputError(
                    f"{self._origin}:{line}: the key {key!r} is there twice, first in line {first[key]}",
                    hint="Remove one of them, or put both contents under one key.",
                )
            first[key] = self.lines[(*path, key)] = line
            found[key] = self.value(value_node, (*path, key), above)
        return found

    def _key(self, node: Node) -> str:
        if not isinstance(node, nodes.ScalarNode):
            raise self._wrong(node, "a key must be a word")
        return self._filled(str(node.value), node)

    def _sequence(self, node: SequenceNode, path: Path, above: tuple[Node, ...]) -> list[Any]:
        self._plain(node, "seq")
        return [self.value(one, (*path, number), above) for number, one in enumerate(node.value)]

    def _plain(self, node: Node, tag: str) -> None:
        if node.tag != _TAG + tag:
            raise self._wrong(node, f"the tag {node.tag} is not understood")

    def _scalar(self, node: ScalarNode) -> Any:
        text = str(node.value)
        if node.tag == _TAG + "str":
            return self._filled(text, node)
        if node.tag == _TAG + "null":
            return None
        if node.tag == _TAG + "bool":
            return text.lower() == "true"
        if node.tag == _TAG + "int":
            return int(text, 0) if text.startswith(("0o", "0x")) else int(text)
        if node.tag == _TAG + "float":
            return _float(text)
        raise self._wrong(node, f"the tag {node.tag} is not understood")

    def _filled(self, text: str, node: Node) -> str:
        filled = _TEMPLATE.sub(lambda found: self._variable(found[1], node), text)
        if _ANY_TEMPLATE.search(_TEMPLATE.sub("", text)):
            raise self._wrong(node, "only {{ env.NAME }} is understood between double braces")
        return filled

    def _variable(self, name: str, node: Node) -> str:
        if name not in self._env:
            raise self._wrong(node, f"the variable {name} is not set")
        return self._env[name]

    def _wrong(self, node: Node, what: str) -> InputError:
        return InputError(f"{self._origin}:{node.start_mark.line + 1}: {what}")


def _float(text: str) -> float:
    lower = text.lower()
    if lower.endswith(".inf"):
        return -math.inf if lower.startswith("-") else math.inf
    return math.nan if lower == ".nan" else float(text)
