-- The account itself, locked, since it has no password yet. One that is there already stays as it is.
CREATE USER IF NOT EXISTS :login ACCOUNT LOCK;
