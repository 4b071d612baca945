"""One database as the catalogue has it, which half of the checks look at."""

from __future__ import annotations

import msgspec

from dbops.health.answers import Answers

__all__ = ["Database", "catalogue"]

TEMPDB = "tempdb"


class Database(msgspec.Struct, frozen=True):
    """:param snapshot_of: not None: a snapshot of that database. :param in_group: it is in an availability group.
    :param family: survives restores, as backups tell it. :param log_backup_lsn: None: no log backup can be made.
    :param created_min: minutes since it was made or renamed."""

    name: str
    id: int
    state: str
    user_access: str | None = None
    is_read_only: int | None = None
    is_in_standby: int | None = None
    auto_close: int | None = None
    auto_shrink: int | None = None
    recovery_model: str | None = None
    page_verify: str | None = None
    log_reuse_wait: str | None = None
    snapshot_of: int | None = None
    in_group: int = 0
    updateability: str | None = None
    family: str | None = None
    log_backup_lsn: str | None = None
    created_min: int | None = None

    @property
    def online(self) -> bool:
        """Open for use."""
        return self.state == "ONLINE"

    @property
    def is_copy(self) -> bool:
        """What is in it comes from the primary of its group, or from log shipping; nothing is set or written here."""
        return bool(self.is_in_standby) or (self.in_group == 1 and self.updateability != "READ_WRITE")

    @property
    def kept(self) -> bool:
        """Open, and would be missed: tempdb is made anew at each start."""
        return self.online and self.name != TEMPDB and not self.is_copy


def catalogue(answers: Answers) -> list[Database]:
    """Every database but snapshots.

    :raises Unanswered: the catalogue could not be read.
    """
    return [one for one in answers.rows("catalogue", Database) if one.snapshot_of is None]
