-- What this login may do, active roles included: what it lacks hides rows silently. MySQL 8.0+, MariaDB 10.6+;
-- no privilege.
SHOW GRANTS
