-- MySQL 8.0+, MariaDB 10.6+, no privilege: those of these variables that this server has.
SHOW GLOBAL VARIABLES WHERE Variable_name IN (
    'partial_revokes', 'mandatory_roles', 'activate_all_roles_on_login', 'activate_mandatory_roles',
    'lower_case_table_names', 'skip_name_resolve')
