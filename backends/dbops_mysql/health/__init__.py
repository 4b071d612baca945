"""The health column of MySQL and MariaDB."""
