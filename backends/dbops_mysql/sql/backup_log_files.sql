-- MySQL 8.0+, REPLICATION CLIENT; MariaDB 10.6+, BINLOG MONITOR: the files of the binary log with their sizes.
SHOW BINARY LOGS
