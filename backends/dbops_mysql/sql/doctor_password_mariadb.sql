-- When the password of the account in use was set. MariaDB 10.6+; SELECT on mysql.global_priv.
SELECT FROM_UNIXTIME(JSON_VALUE(Priv, '$.password_last_changed')) FROM mysql.global_priv
WHERE CONCAT(User, '@', Host) = CURRENT_USER()
