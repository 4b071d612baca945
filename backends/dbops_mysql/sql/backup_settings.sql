-- MySQL 8.0+, MariaDB 10.6+, no privilege: those of these variables that this server has.
SHOW GLOBAL VARIABLES WHERE Variable_name IN (
    'basedir', 'binlog_expire_logs_seconds', 'binlog_format', 'binlog_row_image', 'character_set_server',
    'collation_server', 'datadir', 'default_storage_engine', 'enforce_gtid_consistency', 'event_scheduler',
    'expire_logs_days', 'gtid_binlog_pos', 'gtid_current_pos', 'gtid_executed', 'gtid_mode', 'gtid_purged',
    'gtid_strict_mode', 'have_ssl', 'innodb_checksum_algorithm', 'innodb_data_file_path', 'innodb_data_home_dir',
    'innodb_directories', 'innodb_file_per_table', 'innodb_log_group_home_dir', 'innodb_page_size',
    'innodb_redo_log_capacity', 'innodb_undo_directory', 'innodb_undo_tablespaces', 'innodb_version', 'log_bin',
    'log_bin_basename', 'log_replica_updates', 'log_slave_updates', 'lower_case_table_names', 'max_allowed_packet',
    'max_connections', 'plugin_dir', 'read_only', 'require_secure_transport', 'secure_file_priv', 'server_id',
    'server_uuid', 'socket', 'sql_mode', 'super_read_only', 'sync_binlog', 'system_time_zone', 'time_zone', 'version',
    'version_comment', 'wsrep_on')
