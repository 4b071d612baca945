-- MySQL 8.0+, SELECT on mysql.role_edges and mysql.default_roles: who was granted which role; whether it is a default.
SELECT e.TO_USER, e.TO_HOST, e.FROM_USER, e.FROM_HOST, e.WITH_ADMIN_OPTION = 'Y' AS admin, d.USER IS NOT NULL AS starts
  FROM mysql.role_edges AS e
  LEFT JOIN mysql.default_roles AS d
    ON d.USER = e.TO_USER AND d.HOST = e.TO_HOST
   AND d.DEFAULT_ROLE_USER = e.FROM_USER AND d.DEFAULT_ROLE_HOST = e.FROM_HOST
 ORDER BY e.TO_HOST, e.TO_USER, e.FROM_HOST, e.FROM_USER
