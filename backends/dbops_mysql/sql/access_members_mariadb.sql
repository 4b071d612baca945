-- MariaDB 10.6+, SELECT on mysql.roles_mapping: who was granted which role; a member without a host is a role. In the
-- order in which the server reads them when it starts, so unsorted.
SELECT User, Host, Role, Admin_option = 'Y' AS admin
  FROM mysql.roles_mapping
