-- Replication into this server, a row for each connection. MariaDB 10.6+; SLAVE MONITOR.
SHOW ALL REPLICAS STATUS
