"""The backup column of MySQL and MariaDB."""
