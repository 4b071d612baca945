-- 14+, superuser: the bad habits that the demo is to find.
GRANT CREATE ON SCHEMA public TO PUBLIC;
GRANT SELECT ON people.customers TO PUBLIC;
GRANT USAGE ON SCHEMA people TO PUBLIC;
GRANT SELECT ON sales.orders TO reporting WITH GRANT OPTION;
ALTER DEFAULT PRIVILEGES FOR ROLE shop_owner GRANT SELECT ON TABLES TO PUBLIC;
-- Runs as a superuser, callable by everybody, and whoever calls it decides what its names mean.
CREATE FUNCTION internal.reset_note(customer integer) RETURNS void LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
  UPDATE people.customers SET note = NULL WHERE id = customer;
END
$$;
-- An int4 key that is nearly used up.
SELECT setval('internal.events_id_seq', 2040109465);
-- A slot that nobody reads keeps log for ever.
SELECT pg_create_physical_replication_slot('standby_that_is_gone', true);
