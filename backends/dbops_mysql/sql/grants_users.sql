-- users: makes, alters, locks and drops accounts and roles, and sets passwords; not those of accounts that have
-- SYSTEM_USER. Whoever has this can take over every other account.
GRANT CREATE USER ON *.* TO :login;

-- users: gives and takes every role, whoever made it.
GRANT ROLE_ADMIN ON *.* TO :login;

-- users: sees and ends the sessions of an account that is to go.
GRANT PROCESS, CONNECTION_ADMIN ON *.* TO :login;

-- users: reads who has what.
GRANT SELECT ON mysql.* TO :login;

-- users: the names of all databases, so that nothing that would break is overlooked.
GRANT SHOW DATABASES ON *.* TO :login;

-- users: nobody can grant what he has not. Say here what this login may give away: one line for each database, after
-- which it can read and write all that is in there, and one for privileges on the whole server.
--   GRANT ALL ON `shop`.* TO :login WITH GRANT OPTION;
--   GRANT PROCESS, RELOAD ON *.* TO :login WITH GRANT OPTION;

-- users: offboarding gives views and events another definer. From 8.2 on, and before:
--   GRANT SET_ANY_DEFINER ON *.* TO :login;
--   GRANT SET_USER_ID ON *.* TO :login;
