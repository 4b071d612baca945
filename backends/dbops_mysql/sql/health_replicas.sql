-- Replication into this server, a row for each channel. MySQL 8.0.22+; REPLICATION CLIENT.
SHOW REPLICA STATUS
