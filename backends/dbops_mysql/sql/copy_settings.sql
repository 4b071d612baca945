-- MySQL 8.0+, MariaDB 10.6+, no privilege: those of these variables that this server has.
SHOW GLOBAL VARIABLES WHERE Variable_name IN (
    'aria_encrypt_tables', 'aria_log_dir_path', 'clone_block_ddl', 'datadir', 'encrypt_binlog', 'hostname',
    'innodb_data_file_path', 'innodb_data_home_dir', 'innodb_encrypt_log', 'innodb_encrypt_tables',
    'innodb_log_group_home_dir', 'innodb_redo_log_encrypt', 'innodb_undo_directory', 'innodb_undo_log_encrypt',
    'log_bin_basename', 'pid_file', 'plugin_dir', 'relay_log_basename', 'server_uuid', 'socket')
