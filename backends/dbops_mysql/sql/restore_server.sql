-- MySQL 8.0+, MariaDB 10.6+, no privilege: what the server is, and the longest statement that it takes.
SELECT VERSION(), @@GLOBAL.max_allowed_packet, @@GLOBAL.log_bin AND @@SESSION.sql_log_bin
