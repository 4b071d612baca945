-- MySQL 8.0+, SELECT on mysql.global_grants: privileges that components register, held everywhere.
SELECT USER, HOST, PRIV, WITH_GRANT_OPTION = 'Y' AS grantable
  FROM mysql.global_grants
 ORDER BY HOST, USER, PRIV
