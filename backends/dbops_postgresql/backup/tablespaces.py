"""Where a physical copy's tablespaces lie. Unless every trace of the original's places is replaced, a copy that is
started on the same machine writes into the original's files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from dbops.errors import CouldNotTell

__all__ = ["link", "place"]

MAP = "tablespace_map"


def place(data: Path, where: Mapping[str, Path]) -> None:
    """Point the copy in ``data`` to its own tablespaces, by oid: the links, and the map that recovery makes them from.

    :raises CouldNotTell: a link is left that points outside of the copy.
    """
    link(data, where)
    if (data / MAP).exists():
        lines = [f"{oid} {_escaped(str(target))}\n" for oid, target in where.items()]
        (data / MAP).write_text("".join(lines), encoding="utf-8")


def link(data: Path, where: Mapping[str, Path]) -> None:
    """The links alone: the map is one of the files that the backup's manifest has a sum of.

    :raises CouldNotTell: a link is left that points outside of the copy.
    """
    links = data / "pg_tblspc"
    for oid, target in where.items():
        one = links / oid
        one.unlink(missing_ok=True)
        one.symlink_to(target)
    stray = [one.name for one in links.iterdir() if one.is_symlink() and one.name not in where]
    if stray:
        raise CouldNotTell(
            f"the backup's tablespace {stray[0]} was not restored, and its link points into the original's files",
            hint="Do not start this copy.",
            reason="environment",
        )


def _escaped(path: str) -> str:
    return path.replace("\\", "\\\\").replace("\n", "\\\n").replace("\r", "\\\r")
