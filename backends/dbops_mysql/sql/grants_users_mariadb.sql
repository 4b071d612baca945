-- users: makes, alters, locks and drops accounts and roles, and sets passwords. Whoever has this can take over every
-- other account.
GRANT CREATE USER ON *.* TO :login;

-- users: sees and ends the sessions of an account that is to go, and gives views and events another definer.
GRANT PROCESS, CONNECTION ADMIN, SET USER ON *.* TO :login;

-- users: reads who has what, and sets the default role of others, for which the server asks UPDATE on all of its tables:
-- with that alone, this login can give itself everything.
GRANT SELECT, UPDATE ON mysql.* TO :login;

-- users: the names of all databases, so that nothing that would break is overlooked.
GRANT SHOW DATABASES ON *.* TO :login;

-- users: nobody can grant what he has not. Say here what this login may give away: one line for each database, after
-- which it can read and write all that is in there, and one for privileges on the whole server.
--   GRANT ALL ON `shop`.* TO :login WITH GRANT OPTION;
--   GRANT PROCESS, RELOAD ON *.* TO :login WITH GRANT OPTION;

-- users: not even an account with all privileges can pass on a role that it is no administrator of. Those that this
-- login makes are its own; for each that is there already, run as one of its administrators:
--   GRANT `app_read` TO :login WITH ADMIN OPTION;
