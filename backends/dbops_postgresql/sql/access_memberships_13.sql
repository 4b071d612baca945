-- 13 to 15, no privilege: whether a member inherits is its own attribute.
SELECT m.member::int8, m.roleid::int8, m.grantor::int8, r.rolinherit, true, m.admin_option
FROM pg_catalog.pg_auth_members m
JOIN pg_catalog.pg_roles r ON r.oid = m.member
ORDER BY 1, 2, 3
