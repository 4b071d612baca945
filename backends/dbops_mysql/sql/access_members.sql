-- MySQL 8.0+, SELECT on mysql.role_edges: who was granted which role.
SELECT TO_USER, TO_HOST, FROM_USER, FROM_HOST, WITH_ADMIN_OPTION = 'Y' AS admin
  FROM mysql.role_edges
 ORDER BY TO_HOST, TO_USER, FROM_HOST, FROM_USER
