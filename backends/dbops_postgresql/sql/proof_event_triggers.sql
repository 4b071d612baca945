-- 13+, no privilege: event triggers of this database that fire.
SELECT evtname::text FROM pg_catalog.pg_event_trigger WHERE evtenabled <> 'D' ORDER BY evtname
