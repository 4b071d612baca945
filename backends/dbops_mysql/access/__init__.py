"""The access column of MySQL and MariaDB."""
