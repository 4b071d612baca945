"""Is a MySQL or MariaDB server well."""

from dbops_mysql.health.driver import MySQLHealth
from dbops_mysql.health.mariadb import MariaDBHealth

__all__ = ["MariaDBHealth", "MySQLHealth"]
