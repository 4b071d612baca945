"""What the login may do everywhere, as far as a backup asks for it."""

from __future__ import annotations

import re
from collections.abc import Iterable

from dbops.spi import Reader
from dbops_mysql.statement import text

__all__ = ["EVERYTHING", "global_rights", "lacking", "read"]

EVERYTHING = "ALL PRIVILEGES"
_GLOBAL = re.compile(r"GRANT (?P<rights>.+?) ON \*\.\* TO ", re.IGNORECASE)


def read(reader: Reader) -> frozenset[str]:
    """Global privileges of this session in capitals, those of active roles too."""
    return global_rights(str(row[0]) for row in reader.tuples(text("backup_grants")))


def global_rights(grants: Iterable[str]) -> frozenset[str]:
    """Pure: from the lines of SHOW GRANTS."""
    found = (_GLOBAL.match(line) for line in grants)
    return frozenset(word.strip().upper() for match in found if match for word in match["rights"].split(","))


def lacking(rights: frozenset[str], wanted: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    """Of ``wanted``, each a choice of privileges that will do, the first words of those that are not there."""
    if EVERYTHING in rights:
        return ()
    return tuple(choice[0] for choice in wanted if not rights.intersection(choice))
