"""What MySQL and MariaDB call differently, and where each of them explains it."""

from __future__ import annotations

from dbops_mysql.health.checks.rule import Family

__all__ = ["MARIADB", "MYSQL"]

_MYSQL = "https://dev.mysql.com/doc/refman/8.4/en/"
_MARIADB = "https://mariadb.com/docs/server/"

MYSQL = Family(
    name="mysql",
    label="MySQL",
    watches_replicas="REPLICATION CLIENT",
    start_replica="START REPLICA FOR CHANNEL {channel};",
    make_read_only="SET PERSIST super_read_only = ON;",
    pages={
        "up": f"{_MYSQL}can-not-connect-to-server.html",
        "connections": f"{_MYSQL}too-many-connections.html",
        "transactions": f"{_MYSQL}innodb-trx-table.html",
        "row_locks": f"{_MYSQL}innodb-information-schema-transactions.html",
        "metadata_locks": f"{_MYSQL}metadata-locking.html",
        "undo": f"{_MYSQL}innodb-purge-configuration.html",
        "redo": f"{_MYSQL}innodb-redo-log.html",
        "replication": f"{_MYSQL}replication-problems.html",
        "lag": f"{_MYSQL}replication-administration-status.html",
        "read_only": f"{_MYSQL}server-system-variables.html#sysvar_super_read_only",
        "binlog": f"{_MYSQL}binary-log.html",
        "durability": f"{_MYSQL}innodb-parameters.html",
        "sql_mode": f"{_MYSQL}sql-mode.html",
        "auto_increment": f"{_MYSQL}integer-types.html",
        "engines": f"{_MYSQL}converting-tables-to-innodb.html",
        "keys": f"{_MYSQL}create-table-gipks.html",
        "versions": "https://www.mysql.com/support/",
        "cluster": f"{_MYSQL}group-replication-monitoring.html",
        "skip_grants": f"{_MYSQL}server-options.html#option_mysqld_skip-grant-tables",
        "tls": f"{_MYSQL}using-encrypted-connections.html",
    },
)
MARIADB = Family(
    name="mariadb",
    label="MariaDB",
    watches_replicas="SLAVE MONITOR",
    start_replica="START REPLICA {channel};",
    make_read_only="SET GLOBAL read_only = ON;",
    pages={
        "up": f"{_MARIADB}mariadb-quickstart-guides/mariadb-connection-troubleshooting-guide",
        "connections": f"{_MARIADB}ha-and-performance/optimization-and-tuning/system-variables/"
        "handling-too-many-connections",
        "transactions": f"{_MARIADB}reference/system-tables/information-schema/information-schema-tables/"
        "information-schema-innodb-tables/information-schema-innodb_trx-table",
        "row_locks": f"{_MARIADB}server-usage/storage-engines/innodb/innodb-lock-modes",
        "metadata_locks": f"{_MARIADB}reference/sql-statements/transactions/metadata-locking",
        "undo": f"{_MARIADB}server-usage/storage-engines/innodb/innodb-purge",
        "redo": f"{_MARIADB}server-usage/storage-engines/innodb/innodb-redo-log",
        "replication": f"{_MARIADB}ha-and-performance/standard-replication/replication-overview",
        "lag": f"{_MARIADB}reference/sql-statements/administrative-sql-statements/show/show-replica-status",
        "read_only": f"{_MARIADB}server-management/variables-and-modes/server-system-variables#read_only",
        "binlog": f"{_MARIADB}server-management/server-monitoring-logs/binary-log",
        "durability": f"{_MARIADB}server-usage/storage-engines/innodb/innodb-system-variables",
        "sql_mode": f"{_MARIADB}server-management/variables-and-modes/sql_mode",
        "auto_increment": f"{_MARIADB}reference/data-types/auto_increment",
        "engines": f"{_MARIADB}server-usage/storage-engines/converting-tables-from-myisam-to-innodb",
        "keys": f"{_MARIADB}ha-and-performance/optimization-and-tuning/optimization-and-indexes",
        "versions": "https://mariadb.org/about/#maintenance-policy",
        "cluster": "https://mariadb.com/docs/galera-cluster/",
        "skip_grants": f"{_MARIADB}server-management/starting-and-stopping-mariadb/mariadbd-options#skip-grant-tables",
        "tls": f"{_MARIADB}security/encryption/data-in-transit-encryption",
    },
)
