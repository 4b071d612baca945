-- MySQL 8.0+, the privilege EVENT: events, and whose rights they run with.
SELECT EVENT_SCHEMA, EVENT_NAME, DEFINER
  FROM information_schema.EVENTS
 ORDER BY EVENT_SCHEMA, EVENT_NAME
