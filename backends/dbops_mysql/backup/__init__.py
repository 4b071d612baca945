"""Can a MySQL or MariaDB server be brought back: making, restoring and proving its backups."""

from dbops_mysql.backup.driver import MySQLBackup
from dbops_mysql.backup.mariadb import MariaDBBackup

__all__ = ["MariaDBBackup", "MySQLBackup"]
