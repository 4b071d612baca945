-- MySQL 8.0+, MariaDB 10.6+, no privilege: who we are here, and whether this login may do everything.
SELECT VERSION() AS banner,
       CURRENT_USER() AS login,
       DATABASE() AS current_schema,
       (SELECT COUNT(*) FROM information_schema.USER_PRIVILEGES
         WHERE PRIVILEGE_TYPE = 'SUPER'
           AND GRANTEE = CONCAT('''', REPLACE(SUBSTRING_INDEX(CURRENT_USER(), '@', LENGTH(CURRENT_USER()) - LENGTH(REPLACE(CURRENT_USER(), '@', ''))), '''', ''''''),
                                '''@''', SUBSTRING_INDEX(CURRENT_USER(), '@', -1), '''')) AS superuser
