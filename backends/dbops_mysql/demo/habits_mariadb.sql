-- MariaDB 10.6+, an administrator: a table that a crash can damage, and without a key.
CREATE TABLE shop.searches (at timestamp NOT NULL, words varchar(200) NOT NULL) ENGINE = MyISAM;
INSERT INTO shop.searches SELECT at, kind FROM shop.events WHERE id <= 1000;
