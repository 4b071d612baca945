-- How this session is encrypted; empty when it is not. MySQL 8.0+, MariaDB 10.6+; no privilege.
SHOW SESSION STATUS LIKE 'Ssl_cipher'
