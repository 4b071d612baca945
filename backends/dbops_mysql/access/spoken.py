"""What the server says that somebody was granted (``SHOW GRANTS``), level by level."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import msgspec

from dbops.access.tokens import Tokens, statements
from dbops.model.access import Kind
from dbops_mysql.access.kinds import GRANT
from dbops_mysql.access.lexicon import LEXICON

__all__ = ["Said", "said"]

_ROUTINES = (("PROCEDURE",), ("FUNCTION",), ("LIBRARY",), ("PACKAGE", "BODY"), ("PACKAGE",))
_SHOWN = msgspec.structs.replace(LEXICON, forms="SHOW GRANTS")
Name = tuple[str, str]


class Said(NamedTuple):
    """Rights of one principal on one level. ``path`` is as the statement has it, a pattern of databases too.

    :param denied: taken away from what is granted on the whole server.
    """

    grantee: Name
    kind: str
    path: tuple[str, ...]
    actions: frozenset[str]
    denied: bool = False


def said(lines: Iterable[str], kinds: dict[str, Kind]) -> Iterator[Said]:
    """Grants of roles, of proxies and of nothing say nothing here.

    :raises UsageError: a statement of another form.
    """
    for line in lines:
        for words in statements(line, _SHOWN):
            yield from _Line(words, kinds).rights()


class _Line:
    def __init__(self, words: Tokens, kinds: dict[str, Kind]) -> None:
        self._words = words
        self._kinds = kinds

    def rights(self) -> Iterator[Said]:
        denied = self._words.accept("REVOKE")
        if not denied and not self._words.accept("GRANT"):
            return  # SET DEFAULT ROLE …
        items = self._words.items()
        if not self._words.accept("ON") or items[0].text == "PROXY":
            return
        kind, path = self._level()
        self._words.next()  # TO, FROM
        grantee = self._grantee()
        option = self._option()
        whole = [one.text for one in items if not one.columns]
        yield Said(grantee, kind, path, self._actions(kind, whole, option=option), denied)
        for one in items:
            for column in one.columns:
                yield Said(grantee, "column", (*path, column), frozenset((one.text,)))

    def _level(self) -> tuple[str, tuple[str, ...]]:
        if self._words.accept("*", ".", "*"):
            return "server", ()
        kind = next((" ".join(one) for one in _ROUTINES if self._words.accept(*one)), "table").lower().replace(" ", "_")
        first = self._words.name()
        self._words.accept(".")
        return ("database", (first,)) if self._words.accept("*") else (kind, (first, self._words.name()))

    def _grantee(self) -> Name:
        name = self._words.name()
        return name, self._words.name() if self._words.accept("@") else ""

    def _option(self) -> bool:
        while self._words.peek():
            if self._words.accept("WITH", "GRANT", "OPTION") or self._words.accept("GRANT", "OPTION"):
                return True
            self._words.next()
        return False

    def _actions(self, kind: str, whole: list[str], *, option: bool) -> frozenset[str]:
        """Privileges that components registered have options of their own, and stand on lines of their own."""
        known = self._kinds[kind]
        if "ALL PRIVILEGES" in whole:
            found = {action for action in known.actions if action not in (known.option, *known.own_options)}
        else:
            found = set(whole) - {"USAGE"}
        own = bool(found) and found <= set(known.own_options)
        return frozenset({*found, GRANT} if option and not own else found)
