-- MySQL 8.0+, MariaDB 10.6+, an administrator: the bad habits that the demo is to find.
CREATE USER IF NOT EXISTS ''@localhost;
GRANT SELECT ON `shop`.* TO ''@localhost;
GRANT SELECT ON shop.orders TO reporting@'10.%' WITH GRANT OPTION;
GRANT SELECT ON mysql.* TO reporting@'10.%';
CREATE TABLE shop.searches (at timestamp NOT NULL, words varchar(200) NOT NULL) ENGINE = MyISAM;
INSERT INTO shop.searches SELECT at, kind FROM shop.events WHERE id <= 1000;
-- Runs with the rights of an account that is not there any more: it fails, or starts to work for whoever takes the name.
CREATE DEFINER = gone@'%' VIEW shop.revenue AS SELECT ordered, SUM(total) AS revenue FROM shop.orders GROUP BY ordered;
-- An int key that is nearly used up.
ALTER TABLE shop.events AUTO_INCREMENT = 2040109465;
