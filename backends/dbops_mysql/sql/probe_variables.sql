-- MySQL 8.0+, MariaDB 10.6+, no privilege: those of these variables that this server has.
SHOW GLOBAL VARIABLES WHERE Variable_name IN (
    'server_uuid', 'hostname', 'datadir', 'read_only', 'version_comment', 'lower_case_table_names', 'partial_revokes',
    'log_bin', 'gtid_mode', 'default_authentication_plugin', 'authentication_policy', 'aurora_version', 'basedir',
    'wsrep_on', 'performance_schema', 'mandatory_roles', 'activate_all_roles_on_login', 'activate_mandatory_roles',
    'default_password_lifetime', 'caching_sha2_password_digest_rounds', 'character_set_server')
