-- When the password of the account in use was set. MySQL 8.0+; SELECT on mysql.user.
SELECT password_last_changed FROM mysql.user WHERE CONCAT(User, '@', Host) = CURRENT_USER()
