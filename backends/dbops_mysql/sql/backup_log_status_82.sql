-- MySQL 8.2+, REPLICATION CLIENT: where the binary log stands.
SHOW BINARY LOG STATUS
