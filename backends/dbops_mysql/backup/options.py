"""How a dump program is asked, by its family and version. Nothing is left to what an option file or a version's own
default would say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dbops_mysql.installation import Family

__all__ = ["command"]

COMMON = (
    "--verbose",  # tells on standard error when the snapshot has begun
    "--single-transaction",
    "--skip-lock-tables",
    "--skip-add-drop-table",  # loaded where something is, it fails instead of replacing that
    "--no-create-db",  # a database may come back under another name
    "--routines",
    "--events",
    "--triggers",
    "--hex-blob",
    "--no-tablespaces",
    "--quote-names",
    "--tz-utc",
    "--comments",
    "--quick",
    "--extended-insert",
    "--create-options",
    "--set-charset",
    "--default-character-set=utf8mb4",
    "--max-allowed-packet=1G",
)
# The position is kept in the manifest: a part of a server must not claim all of its transactions as its own.
OWN: Mapping[Family, Sequence[str]] = {"mysql": ("--set-gtid-purged=OFF", "--column-statistics=0"), "mariadb": ()}


def command(family: Family, tool: str, names: Sequence[str], descriptor: int, *, history: bool) -> list[str]:
    """Pure: the words that dump ``names``; where the server is comes through the open ``descriptor``.

    :param history: the history of versioned tables belongs to them.
    """
    words = [tool, f"--defaults-file=/dev/fd/{descriptor}", *COMMON, *OWN[family]]
    if history:
        words.append("--dump-history")
    # What follows is a name whatever it begins with.
    return [*words, "--databases", "--", *names]
