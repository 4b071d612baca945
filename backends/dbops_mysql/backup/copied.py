"""What a physical backup is, as the manifest has it: how the files were copied, and what opening them needs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePath
from typing import Literal

import msgspec

from dbops_mysql.installation import Family

__all__ = ["Copied", "How", "locks", "needed"]

How = Literal["mariadb-backup", "xtrabackup", "clone"]
# Built into the files, or into the names in them.
BUILT_IN = ("innodb_page_size", "innodb_data_file_path", "lower_case_table_names")
FAMILY_NEEDS: Mapping[Family, tuple[str, ...]] = {"mysql": (), "mariadb": ("innodb_undo_tablespaces",)}


class Copied(msgspec.Struct, frozen=True, kw_only=True):
    """How a copy was made, and how to tell that it is whole.

    :param version: of the server that was copied, all of its numbers.
    :param files, bytes: as they are unpacked.
    :param lsn: ``from_lsn``, ``to_lsn`` and ``last_lsn`` of InnoDB's log; a copy of what changed since would begin at
        ``to_lsn``.
    :param held_s: which locks were held for how long.
    :param objects: what was there all the while, by kind and database.
    :param encrypted: tablespaces that are encrypted; ``keys``: the plugins that had their keys.
    :param outside: tablespaces that were outside of the data directory; in the copy they are inside.
    """

    how: How
    artifact: str
    version: tuple[int, ...]
    files: int
    bytes: int
    lsn: dict[str, int] = {}
    held_s: dict[str, float] = {}
    objects: dict[str, dict[str, int]] = {}
    encrypted: int = 0
    keys: tuple[str, ...] = ()
    outside: tuple[str, ...] = ()


def needed(family: Family, settings: Mapping[str, str]) -> dict[str, str]:
    """Pure: the settings without which a server does not open the copy, or opens it wrongly. Its files lie all in one
    directory now, so paths are left out."""
    found = {name: settings[name] for name in (*BUILT_IN, *FAMILY_NEEDS[family]) if settings.get(name)}
    if "innodb_data_file_path" in found:
        parts = (one.split(":", 1) for one in found["innodb_data_file_path"].split(";"))
        found["innodb_data_file_path"] = ";".join(":".join((PurePath(name).name, *rest)) for name, *rest in parts)
    return found


HELD_UP = {
    "BLOCK_COMMIT": "commits",
    "BLOCK_DDL": "ALTER, DROP and the like",
    "FLUSH": "changes of tables without transactions",
    "LOCK INSTANCE FOR BACKUP": "ALTER, DROP and the like",
    "FLUSH TABLES WITH READ LOCK": "all changes",
}


def locks(held_s: Mapping[str, float]) -> list[str]:
    """Pure: for how long a copy held up whom."""
    return [f"{HELD_UP[name]} waited for up to {seconds:g} s" for name, seconds in held_s.items() if name in HELD_UP]
