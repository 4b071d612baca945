-- MySQL 8.0+, MariaDB 10.6+, needs EVENT on the database: whether an event is enabled, disabled, or so on a replica.
SELECT STATUS FROM information_schema.EVENTS
 WHERE EVENT_SCHEMA = %(database)s AND EVENT_NAME = %(event)s
