-- MySQL 8.0+, MariaDB 10.6+, SELECT on mysql.tables_priv: rights on tables and views, a set as its bits.
SELECT User, Host, Db, Table_name, Table_priv + 0 AS actions
  FROM mysql.tables_priv
 ORDER BY Host, User, Db, Table_name
