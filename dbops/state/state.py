"""The state directory and what lies in it."""

from __future__ import annotations

import os
import re
import uuid
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path

from dbops.state.history import History
from dbops.state.journal import FileJournal
from dbops.state.lock import lock

__all__ = ["State", "default_directory"]


def default_directory(env: Mapping[str, str] | None = None) -> Path:
    """``DBOPS_STATE``, else ``/var/lib/dbops`` for root, else the user's state directory."""
    variables = os.environ if env is None else env
    if variables.get("DBOPS_STATE"):
        return Path(variables["DBOPS_STATE"])
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        return Path("/var/lib/dbops/state")
    home = Path(variables.get("HOME", "~")).expanduser()
    return Path(variables.get("XDG_STATE_HOME") or home / ".local" / "state") / "dbops"


class State:
    """Journal and locks are files of this host; history is a database, SQLite in the same directory by default."""

    def __init__(
        self,
        directory: Path,
        *,
        clock: Callable[[], datetime],
        url: str | None = None,
        password: Callable[[], str] | None = None,
    ) -> None:
        self.directory = directory
        self._clock = clock
        where = url or f"sqlite:///{directory / 'history.sqlite'}"
        self.history = History(where, directory / "queued.jsonl", password)

    def journal(self, target: str, run: str | None = None) -> FileJournal:
        """The journal of a target; ``run`` is drawn when it is not given."""
        return FileJournal(self.journal_path(target), target, run or uuid.uuid4().hex[:12], self._clock)

    def journal_path(self, target: str) -> Path:
        """Where a target's journal lies."""
        return self.directory / "journal" / f"{_file_name(target)}.jsonl"

    def lock(self, name: str, purpose: str) -> AbstractContextManager[None]:
        """Single flight on this host under ``name``.

        :raises Locked: another process holds it.
        """
        return lock(self.directory / "locks" / f"{_file_name(name)}.lock", purpose)


def _file_name(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]", lambda found: f"%{ord(found[0]):02x}", name) or "%"
