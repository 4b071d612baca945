-- backup: a dump reads every table and the accounts. Whoever has SELECT on everything reads the stored passwords too.
GRANT SELECT ON *.* TO :login;

-- backup: the definitions of views, triggers and events. TRIGGER and EVENT also allow to make and drop them.
GRANT SHOW VIEW, TRIGGER, EVENT ON *.* TO :login;

-- backup: all tables are locked for a moment, in which every snapshot begins, and none is altered until the dump is done.
-- RELOAD also allows to flush whatever can be flushed; BACKUP_ADMIN to hold up those who alter tables, and to let the
-- server copy itself into a directory (CLONE), which a physical backup is made from.
GRANT RELOAD, BACKUP_ADMIN ON *.* TO :login;

-- backup: who keeps that lock from being had, and where the binary log stands.
GRANT PROCESS, REPLICATION CLIENT ON *.* TO :login;
