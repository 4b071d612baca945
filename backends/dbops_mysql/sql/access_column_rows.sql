-- MySQL 8.0+, MariaDB 10.6+, SELECT on mysql.columns_priv: rights on columns, a set as its bits.
SELECT User, Host, Db, Table_name, Column_name, Column_priv + 0 AS actions
  FROM mysql.columns_priv
 ORDER BY Host, User, Db, Table_name, Column_name
