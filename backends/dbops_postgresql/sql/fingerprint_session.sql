-- 13+, no privilege: the text of a value depends on these, so both sides set the same; a policy hides no row in silence.
SET search_path = pg_catalog;
SET TimeZone = 'UTC';
SET DateStyle = 'ISO, YMD';
SET IntervalStyle = 'postgres';
SET bytea_output = 'hex';
SET extra_float_digits = 1;
SET lc_monetary = 'C';
SET xmlbinary = 'base64';
SET quote_all_identifiers = off;
SET row_security = off;
-- Whoever waits here holds a snapshot, and vacuum with it.
SET lock_timeout = '5min'
