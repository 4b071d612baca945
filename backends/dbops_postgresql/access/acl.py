"""PostgreSQL's access lists as the catalogue prints them: ``{alice=arw*/owner,=r/owner}``."""

from __future__ import annotations

import re
from collections.abc import Callable

from dbops.model.access import PUBLIC, Grant, Kind
from dbops_postgresql.access.kinds import LETTERS

__all__ = ["Acls", "entries"]

_ELEMENT = re.compile(r'"((?:[^"\\]|\\.)*)"|([^,{}]+)')
_ITEM = re.compile(r'("(?:[^"]|"")*"|[^="]*)=([A-Za-z*]*)/("(?:[^"]|"")*"|.*)', re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


def entries(text: str) -> list[tuple[str, str, str]]:
    """``(grantee, letters, grantor)`` of each item of an aclitem array; the public's grantee is empty.

    :raises ValueError: not an array of aclitem.
    """
    found: list[tuple[str, str, str]] = []
    for element in _ELEMENT.finditer(text):
        quoted, plain = element.groups()
        item = plain if quoted is None else _ESCAPED.sub(r"\1", quoted)
        match = _ITEM.fullmatch(item)
        if match is None:
            raise ValueError(f"not an access list entry: {item!r}")
        found.append((_name(match[1]), match[2], _name(match[3])))
    return found


def _name(text: str) -> str:
    return text[1:-1].replace('""', '"') if text.startswith('"') else text


class Acls:
    """Access lists, each distinct one parsed and kept once.

    :param number: the position of a principal by name; it makes one up for a role that is gone.
    """

    def __init__(self, number: Callable[[str], int]) -> None:
        self.lists: list[tuple[Grant, ...]] = []
        self._number = number
        self._known: dict[tuple[tuple[str, ...], str | int], int] = {}
        self._positions: dict[tuple[Grant, ...], int] = {}

    def of(self, kind: Kind, text: str | None, owner: int) -> int:
        """The position of an object's list; without one (NULL) the built-in default of its kind is meant."""
        key: tuple[tuple[str, ...], str | int] = (kind.actions, text) if text is not None else ((kind.name,), owner)
        found = self._known.get(key)
        if found is None:
            grants = self.parse(kind, text) if text is not None else default(kind, owner)
            found = self._positions.get(grants)
            if found is None:
                found = self._positions[grants] = len(self.lists)
                self.lists.append(grants)
            self._known[key] = found
        return found

    def parse(self, kind: Kind, text: str) -> tuple[Grant, ...]:
        """The grants of a printed list."""
        return tuple(self._grant(kind, *entry) for entry in entries(text))

    def _grant(self, kind: Kind, grantee: str, letters: str, grantor: str) -> Grant:
        actions = grantable = bit = 0
        for letter in letters:
            if letter == "*":
                grantable |= bit
                continue
            word = LETTERS.get(letter)
            bit = 1 << kind.actions.index(word) if word in kind.actions else 0
            actions |= bit
        number = self._number(grantee) if grantee else PUBLIC
        return Grant(number, self._number(grantor), actions, grantable)


def default(kind: Kind, owner: int) -> tuple[Grant, ...]:
    """acldefault(): what an object has on which nobody granted or revoked anything. A column has nothing."""
    public = kind.bits(kind.public_actions)
    everything = (1 << len(kind.actions)) - 1
    own = () if kind.name == "column" else (Grant(owner, owner, everything),)
    return (*((Grant(PUBLIC, owner, public),) if public else ()), *own)
