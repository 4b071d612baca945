-- The members of the group that this server replicates in. MySQL 8.0+; SELECT on performance_schema.
SELECT MEMBER_ID AS id, MEMBER_HOST AS host, MEMBER_PORT AS port, MEMBER_STATE AS state, MEMBER_ROLE AS role
FROM performance_schema.replication_group_members
