-- MySQL 8.0+, MariaDB 10.6+, needs PROCESS: the sessions of a user from hosts that fit a pattern, those that end already left
-- out. A host with a netmask (a slash) fits all.
SELECT ID
  FROM information_schema.PROCESSLIST
 WHERE USER = %(user)s
   AND ID <> CONNECTION_ID()
   AND COMMAND <> 'Killed'
   AND (%(host)s LIKE '%%/%%'
        OR %(host)s = 'localhost'
        OR HOST LIKE %(host)s
        OR HOST LIKE CONCAT(%(host)s, ':%%'))
