-- audit: accounts, roles, every row of rights, routines and events. The hashes of passwords are in these tables too, and
-- can be read.
GRANT SELECT ON mysql.* TO :login;

-- audit: the names of all databases, and the structure of every table, no row of any. Without a right on a table,
-- information_schema leaves it out. (A foreign key, which REFERENCES is for, needs CREATE as well.)
GRANT SHOW DATABASES, REFERENCES ON *.* TO :login;

-- audit: whose rights views and triggers run with. TRIGGER also allows to make and drop them.
GRANT SHOW VIEW, TRIGGER ON *.* TO :login;
