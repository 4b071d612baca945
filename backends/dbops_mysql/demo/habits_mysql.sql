-- MySQL 8.0+, an administrator: a table without a key. (One of MyISAM would keep CLONE from copying the server.)
CREATE TABLE shop.searches (at timestamp NOT NULL, words varchar(200) NOT NULL);
INSERT INTO shop.searches SELECT at, kind FROM shop.events WHERE id <= 1000;
