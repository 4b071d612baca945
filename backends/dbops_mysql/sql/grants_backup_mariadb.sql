-- backup: a dump reads every table and the accounts. Whoever has SELECT on everything reads the stored passwords too.
GRANT SELECT ON *.* TO :login;

-- backup: the definitions of views, triggers and events. TRIGGER and EVENT also allow to make and drop them.
GRANT SHOW VIEW, TRIGGER, EVENT ON *.* TO :login;

-- backup: all tables are locked for a moment, in which every snapshot begins, and none is altered until the dump is done.
-- RELOAD also allows to flush whatever can be flushed, and to hold up everybody by BACKUP STAGE, as mariadb-backup does.
GRANT RELOAD ON *.* TO :login;

-- backup: who keeps that lock from being had, and where the binary log stands, here and at the source of a replica.
GRANT PROCESS, BINLOG MONITOR, SLAVE MONITOR ON *.* TO :login;
