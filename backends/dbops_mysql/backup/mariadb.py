"""The backup column of MariaDB: what it does otherwise than MySQL."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from dbops_mysql.backup.driver import MySQLBackup
from dbops_mysql.backup.logical import Logical
from dbops_mysql.backup.physical_mariadb import MariaDBPhysical
from dbops_mysql.backup.way import Way
from dbops_mysql.installation import Family

__all__ = ["MariaDBBackup"]


class MariaDBBackup(MySQLBackup):
    """A fork with ways of its own."""

    family: ClassVar[Family] = "mariadb"
    ways: ClassVar[Sequence[Way]] = (MariaDBPhysical(), Logical("mariadb"))
