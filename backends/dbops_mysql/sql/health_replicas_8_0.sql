-- Replication into this server, a row for each channel. MySQL 8.0.0 to 8.0.21; REPLICATION CLIENT.
SHOW SLAVE STATUS
