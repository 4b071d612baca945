"""MariaDB: what it does otherwise than MySQL."""

from __future__ import annotations

from functools import cached_property
from typing import ClassVar

from dbops.capabilities import Capability, Impossible
from dbops.spi import AccessDriver, BackupDriver, HealthDriver
from dbops_mysql.backend import MySQL
from dbops_mysql.installation import Family
from dbops_mysql.support import MYSQL, Table

__all__ = ["MARIADB", "MariaDB"]

MARIADB: Table = {
    **MYSQL,
    Capability.USERS_TWO_PASSWORDS: Impossible("an account has one password"),
}


class MariaDB(MySQL):
    """A fork with a name of its own."""

    name = "mariadb"
    label = "MariaDB"
    # A mysql:// URL may lead to MariaDB as well: the probe says.
    url_schemes: tuple[str, ...] = ("mariadb", "mysql")
    family: ClassVar[Family] = "mariadb"
    table: ClassVar[Table] = MARIADB

    @cached_property
    def access(self) -> AccessDriver:
        """Who may do what."""
        from dbops_mysql.access.driver import MariaDBAccess

        return MariaDBAccess()

    @cached_property
    def backup(self) -> BackupDriver:
        """Can we get it back."""
        from dbops_mysql.backup import MariaDBBackup

        return MariaDBBackup()

    @cached_property
    def health(self) -> HealthDriver:
        """Is it well."""
        from dbops_mysql.health import MariaDBHealth

        return MariaDBHealth()
