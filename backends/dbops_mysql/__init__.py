"""MySQL 8.0 to 9 and MariaDB 10.6 and later for dbops: one package, two registered backends."""

from dbops_mysql.backend import MySQL
from dbops_mysql.mariadb import MariaDB

__all__ = ["mariadb", "mysql"]

mysql = MySQL()
mariadb = MariaDB()
