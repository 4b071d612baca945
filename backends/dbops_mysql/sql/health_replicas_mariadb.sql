-- Replication into this server, a row for each connection. MariaDB 10.6+; needs SLAVE MONITOR.
SHOW ALL REPLICAS STATUS
