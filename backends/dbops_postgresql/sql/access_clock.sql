-- 13+, no privilege: the server's time of this reading.
SELECT pg_catalog.now()
