-- MySQL 8.0+, MariaDB 10.6+, SELECT on mysql.procs_priv: rights on routines, a set as its bits.
SELECT User, Host, Db, Routine_name, Routine_type, Proc_priv + 0 AS actions
  FROM mysql.procs_priv
 ORDER BY Host, User, Db, Routine_name
