"""Which occurrence of each job was handled last, in one small file each: it needs no database to be there."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

from dbops.errors import OutputError

__all__ = ["Stamps"]


class Stamps:
    """Stamps below ``directory``; deleting one makes its job new."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def read(self, job: str) -> datetime | None:
        """The occurrence handled last; None for a job that was never seen, or whose stamp cannot be read."""
        try:
            found = datetime.fromisoformat(self._path(job).read_text("ascii").strip())
        except (OSError, ValueError):
            return None
        return found if found.tzinfo is not None else None

    def write(self, job: str, instant: datetime) -> None:
        """:raises OutputError: it cannot be written, and the job would run again and again."""
        path = self._path(job)
        draft = path.with_name(f"{path.name}.{os.getpid()}")
        try:
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            draft.write_text(f"{instant.astimezone(UTC).isoformat()}\n", "ascii")
            draft.replace(path)
        except OSError as error:
            raise OutputError(
                f"{path} cannot be written: {error.strerror}", hint="DBOPS_STATE names another state directory."
            ) from None

    def _path(self, job: str) -> Path:
        return self._directory / f"{job.encode().hex() if not job.isidentifier() else job}.stamp"
