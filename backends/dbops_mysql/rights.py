"""What this login may do on the server, out of ``SHOW GRANTS``: the one answer that counts active roles and PUBLIC."""

from __future__ import annotations

import re
from collections.abc import Iterable

import msgspec

from dbops.spi import Reader
from dbops_mysql.statement import text

__all__ = ["ALL_TABLES", "Rights", "parse", "read"]

# Each of these, on *.*, shows every table and every column in information_schema: the privileges that columns can have
# (COL_ACLS in sql/auth/auth_acls.h of MySQL, sql/privilege.h of MariaDB). Others show tables without their columns.
ALL_TABLES = ("SELECT", "INSERT", "UPDATE", "REFERENCES")
_GLOBAL = re.compile(r"GRANT (.+?) ON \*\.\* TO ", re.DOTALL)
_ON = re.compile(r"GRANT (.+?) ON (?:TABLE |FUNCTION |PROCEDURE )?[`\"]?([^`\"]+)[`\"]?\.\* TO ", re.DOTALL)
_REVOKED = re.compile(r"REVOKE .+? ON [`\"]?([^`\"]+)[`\"]?\.\* FROM ", re.DOTALL)
_EVERYTHING = ("ALL PRIVILEGES", "ALL")


class Rights(msgspec.Struct, frozen=True):
    """:param everywhere: privileges on ``*.*``; ``on`` those on whole databases.
    :param everything: ALL PRIVILEGES; or nobody is asked at all (``skip-grant-tables``).
    :param revoked: databases that are taken out again (``partial_revokes``)."""

    everywhere: frozenset[str] = frozenset()
    on: dict[str, frozenset[str]] = {}
    everything: bool = False
    revoked: frozenset[str] = frozenset()

    def has(self, *privileges: str) -> bool:
        """All of these, on everything."""
        return self.everything or set(privileges) <= self.everywhere

    def reads(self, database: str) -> bool:
        """SELECT on every table of a database."""
        if database in self.revoked:
            return False
        return self.has("SELECT") or "SELECT" in self.on.get(database, ()) or bool(self._all(database))

    @property
    def all_tables(self) -> bool:
        """The structure of every table is visible."""
        if self.revoked:
            return False
        return self.everything or not self.everywhere.isdisjoint(ALL_TABLES)

    def _all(self, database: str) -> bool:
        return not self.on.get(database, frozenset()).isdisjoint(_EVERYTHING)


def read(reader: Reader) -> Rights:
    """Of this session, active roles included.

    :raises ReadFailed: among others on a server that asks nobody who he is (``skip-grant-tables``).
    """
    return parse(str(row[0]) for row in reader.tuples(text("rights")))


def parse(lines: Iterable[str]) -> Rights:
    """The lines of ``SHOW GRANTS`` for oneself."""
    everywhere: set[str] = set()
    on: dict[str, frozenset[str]] = {}
    revoked: set[str] = set()
    for line in lines:
        if found := _REVOKED.match(line):
            revoked.add(found[1])
        elif found := _GLOBAL.match(line):
            everywhere |= _words(found[1])
        elif found := _ON.match(line):
            on[found[2]] = on.get(found[2], frozenset()) | _words(found[1])
    everything = not everywhere.isdisjoint(_EVERYTHING)
    return Rights(everywhere=frozenset(everywhere), on=on, everything=everything, revoked=frozenset(revoked))


def _words(text: str) -> frozenset[str]:
    return frozenset(word.strip().upper() for word in text.split(","))
