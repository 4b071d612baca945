-- MySQL 8.0 and 8.1, REPLICATION CLIENT; MariaDB 10.6+, BINLOG MONITOR: where the binary log stands.
SHOW MASTER STATUS
