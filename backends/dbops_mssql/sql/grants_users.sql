-- users: makes, alters and drops logins, users and roles everywhere, gives and takes every permission and ends sessions.
-- Nothing less can grant what it was not granted itself. Whoever has this can read and change everything on the server.
GRANT CONTROL SERVER TO :login;

-- users: only members of a fixed server role can add others to it. Where a spec puts logins into one:
--   ALTER SERVER ROLE [processadmin] ADD MEMBER :login;

-- users, in Azure SQL Database: CONTROL on each database (its role db_owner has it), which also ends sessions there; for
-- logins, the role ##MS_LoginManager## and a user in master; for users of Entra, whoever is signed in with Entra.
