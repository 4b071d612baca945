"""The checks of MySQL and MariaDB, one subject to a module; each gives its rules for a family."""
