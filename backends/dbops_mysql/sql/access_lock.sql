-- MySQL 8.0+, MariaDB 10.6+, no privilege: 1 when this session has the lock of dbops users now, 0 when another has it.
SELECT GET_LOCK('dbops.users', 0)
