"""Columns of text."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["table"]

Row = tuple[str, ...]


def table(columns: Row, rows: Sequence[Row]) -> str:
    """Plain columns, each as wide as its widest cell, two blanks apart; no trailing blanks."""
    lines = [columns, *rows]
    widths = [max(len(line[at]) for line in lines) for at in range(len(columns))]
    return "".join(_line(line, widths) for line in lines)


def _line(cells: Row, widths: Sequence[int]) -> str:
    padded = (cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
    return "  ".join(padded).rstrip() + "\n"
