"""What is left of SQL when names and texts are taken out: it must not depend on what they are."""

from __future__ import annotations

import re

__all__ = ["HARMLESS", "HOSTILE", "Quoting", "shape", "words_in"]

HARMLESS = "Plain Name"
"""A name that every engine must quote, and that holds nothing to be afraid of."""

HOSTILE = (
    'we"ird',
    "o'clock",
    "back\\slash",
    "ends with\\",
    "per%cent %(x)s %s",
    "a.dot",
    "ba`ck`tick",
    "[bra]cket]",
    "semi; colon",
    "-- comment",
    "/* comment */",
    "$$ $1 $tag$ :name {brace}",
    '"; drop table x; --',
    "'; drop table x; --",
    "ünïcödé 漢字 𝄞",
    " leading and trailing ",
    "UPPER lower",
    "select",
    "é" * 31,
    "x" * 63,
)
"""Names that have broken programs before."""


class Quoting:
    """How an engine quotes.

    :param names: the opening and the closing character around a name; the closing one is doubled inside.
    :param backslash: whether a backslash escapes inside of ``'…'`` (else only inside of ``E'…'``).
    """

    def __init__(self, names: tuple[str, str] = ('"', '"'), *, backslash: bool = False) -> None:
        start, self.end = re.escape(names[0]), names[1]
        end = re.escape(self.end)
        text = r"'(?:[^'\\]|''|\\.)*'" if backslash else r"'(?:[^']|'')*'"
        self.token = re.compile(
            rf"(?P<name>{start}(?:[^{end}]|{end}{end})*{end})"
            rf"|(?P<escaped>\b[Ee]'(?:[^'\\]|''|\\.)*')|(?P<text>{text})"
            r"|(?P<dollar>\$(?P<tag>\w*)\$.*?\$(?P=tag)\$)|(?P<comment>--[^\n]*|/\*.*?\*/)",
            re.DOTALL,
        )


STANDARD = Quoting()


def shape(sql: str, quoting: Quoting = STANDARD) -> str:
    """``ALTER ROLE "a" PASSWORD 'b'`` as ``ALTER ROLE " PASSWORD '``: keywords, operators, and where names stand."""

    def symbol(found: re.Match[str]) -> str:
        if found["comment"]:
            return " "
        return '"' if found["name"] else "'"

    return " ".join(quoting.token.sub(symbol, sql).split())


def words_in(sql: str, quoting: Quoting = STANDARD) -> list[str]:
    """The names and texts of a statement, as the engine will read them."""
    found: list[str] = []
    for token in quoting.token.finditer(sql):
        inner = token[0][1:-1]
        if token["name"]:
            found.append(inner.replace(quoting.end * 2, quoting.end))
        elif token["escaped"]:
            found.append(re.sub(r"\\(.)|''", lambda one: one[1] or "'", token[0][2:-1]))
        elif token["text"]:
            found.append(inner.replace("''", "'"))
    return found
