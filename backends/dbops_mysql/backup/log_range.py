"""Where the binary log stood when a copy was made: what a restore to a later moment needs beside it."""

from __future__ import annotations

from dbops.model.backup import LogRange
from dbops_mysql.backup.artifacts import Position

__all__ = ["position_of", "range_of"]


def position_of(binlog_info: str) -> Position | None:
    """Pure: what a copying program noted: file, offset, and GTIDs, which MySQL writes on several lines."""
    file, _, rest = binlog_info.partition("\t")
    offset, _, gtids = rest.partition("\t")
    if not offset.strip().isdigit():
        return None
    return Position(file=file.strip(), offset=int(offset), gtids="".join(gtids.split()))


def range_of(start: Position | None, end: Position | None) -> LogRange | None:
    """Pure: where the binary log stood before a copy, and where after; the copy's own moment is between them, and a
    restore to a later one needs the log from there on."""
    if start is None or end is None:
        return None
    if start.gtids and end.gtids:
        return LogRange(unit="gtid", start=start.gtids, end=end.gtids)
    return LogRange(unit="binlog", start=f"{start.file}:{start.offset}", end=f"{end.file}:{end.offset}")
