-- MySQL 8.0+, MariaDB 10.6+, no privilege: plugins that came out of a file, and whether each is at work.
SELECT PLUGIN_NAME AS `name`, PLUGIN_STATUS AS `status`, PLUGIN_TYPE AS `type`, PLUGIN_LIBRARY AS `library`
FROM information_schema.PLUGINS WHERE PLUGIN_LIBRARY IS NOT NULL ORDER BY 1
