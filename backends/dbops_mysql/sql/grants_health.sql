-- health: sessions, transactions, locks and InnoDB's metrics of the whole server, with the texts of running statements.
GRANT PROCESS ON *.* TO :login;

-- health: how replication is doing.
GRANT REPLICATION CLIENT ON *.* TO :login;

-- health: who holds the lock that others wait for, and the members of a group. No data of any table.
GRANT SELECT ON performance_schema.* TO :login;

-- health: the structure of every table, no row of any. Without a right on a table, information_schema leaves it out.
-- (A foreign key, which REFERENCES is for, needs CREATE as well.)
GRANT REFERENCES ON *.* TO :login;
