"""What the login may do everywhere, as far as a backup asks for it."""

from __future__ import annotations

from collections.abc import Iterable

from dbops.spi import Reader
from dbops_mysql import rights

__all__ = ["EVERYTHING", "global_rights", "lacking", "read"]

EVERYTHING = "ALL PRIVILEGES"


def read(reader: Reader) -> frozenset[str]:
    """Global privileges of this session in capitals, those of active roles too."""
    return rights.read(reader).everywhere


def global_rights(grants: Iterable[str]) -> frozenset[str]:
    """Pure: from the lines of SHOW GRANTS."""
    return rights.parse(grants).everywhere


def lacking(held: frozenset[str], wanted: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    """Of ``wanted``, each a choice of privileges that will do, the first words of those that are not there."""
    if EVERYTHING in held:
        return ()
    return tuple(choice[0] for choice in wanted if not held.intersection(choice))
