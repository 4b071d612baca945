-- How the account in use was made, of which the rules about its password are read and nothing else. MySQL 8.0+,
-- MariaDB 10.6+; no privilege: it is one's own.
SHOW CREATE USER CURRENT_USER()
