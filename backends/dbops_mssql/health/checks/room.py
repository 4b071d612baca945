"""How far files can grow: to their own limits, and to what is left on the volumes that they share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from dbops.health.answers import Answers

__all__ = ["PAGE", "Growing", "Placed", "places", "reach"]

PAGE = 8192
ROWS, LOG = "ROWS", "LOG"
UNLIMITED = -1


class Placed(msgspec.Struct, frozen=True):
    """A file as the server's own list has it, and its volume where one is told. Pages are of 8 KiB."""

    id: int
    file_id: int
    kind: str
    pages: int
    max_pages: int
    growth: int
    volume: str | None = None
    label: str | None = None
    total_bytes: int | None = None
    available_bytes: int | None = None
    is_read_only: int | None = None


class Growing(msgspec.Struct, frozen=True):
    """A file and its room. ``available_bytes`` None: the room on its volume is not known."""

    pages: int
    max_pages: int
    growth: int
    volume: str = ""
    available_bytes: int | None = None

    @property
    def own_room(self) -> float:
        """Pages that its own settings let it grow by."""
        if self.growth == 0 or self.max_pages == 0:
            return 0.0
        return float("inf") if self.max_pages == UNLIMITED else float(max(0, self.max_pages - self.pages))


def places(answers: Answers) -> dict[tuple[int, int], Placed]:
    """By database and file; empty where the list could not be read, or is another's business."""
    if answers.missing("volumes"):
        return {}
    return {(one.id, one.file_id): one for one in answers.rows("volumes", Placed)}


def reach(files: Iterable[Growing]) -> float | None:
    """Pages that files can have in all; room on a volume counts once, however many of them lie there.

    None: at least one grows without limit on a volume whose room is not known.
    """
    wanted: dict[tuple[str, int | None], float] = {}
    size = 0.0
    for one in files:
        size += one.pages
        key = (one.volume, one.available_bytes)
        wanted[key] = wanted.get(key, 0.0) + one.own_room
    room = _rooms(wanted)
    return None if room is None else size + room


def _rooms(wanted: Mapping[tuple[str, int | None], float]) -> float | None:
    found = 0.0
    for (_, available), room in wanted.items():
        if available is None:
            if room == float("inf"):
                return None
            found += room
        else:
            found += min(room, available / PAGE)
    return found
