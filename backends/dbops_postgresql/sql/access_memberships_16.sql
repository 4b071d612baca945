-- 16+, no privilege: each membership has options of its own, and one row for each grantor.
SELECT m.member::int8, m.roleid::int8, m.grantor::int8, m.inherit_option, m.set_option, m.admin_option
FROM pg_catalog.pg_auth_members m
ORDER BY 1, 2, 3
