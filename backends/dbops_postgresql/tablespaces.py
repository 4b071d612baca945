"""Where a physical copy's tablespaces lie. Unless every trace of the original's places is replaced, a copy that is
started on the same machine writes into the original's files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from dbops.errors import CouldNotTell

__all__ = ["place"]

MAP = "tablespace_map"


def place(data: Path, where: Mapping[str, Path]) -> None:
    """Point the copy in ``data`` to its own tablespaces, by oid: the links, and the map that recovery makes them from.

    :raises CouldNotTell: a link is left that points outside of the copy.
    """
    links = data / "pg_tblspc"
    for oid, target in where.items():
        link = links / oid
        link.unlink(missing_ok=True)
        link.symlink_to(target)
    if (data / MAP).exists():
        lines = [f"{oid} {_escaped(str(target))}\n" for oid, target in where.items()]
        (data / MAP).write_text("".join(lines), encoding="utf-8")
    stray = [link.name for link in links.iterdir() if link.is_symlink() and link.name not in where]
    if stray:
        raise CouldNotTell(
            f"the backup's tablespace {stray[0]} was not restored, and its link points into the original's files",
            hint="Do not start this copy.",
            reason="environment",
        )


def _escaped(path: str) -> str:
    return path.replace("\\", "\\\\").replace("\n", "\\\n").replace("\r", "\\\r")
