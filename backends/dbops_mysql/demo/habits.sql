-- MySQL 8.0+, MariaDB 10.6+, an administrator: the bad habits that the demo is to find.
-- (At localhost it would be taken for everybody who is let in from everywhere: rows are tried by host first.)
CREATE USER IF NOT EXISTS ''@'10.9.%';
GRANT SELECT ON `shop`.* TO ''@'10.9.%';
GRANT SELECT ON shop.orders TO reporting@'10.%' WITH GRANT OPTION;
GRANT SELECT ON mysql.* TO reporting@'10.%';
-- Runs with the rights of an account that is not there any more: it fails, or starts to work for whoever takes the name.
CREATE DEFINER = gone@'%' VIEW shop.revenue AS SELECT ordered, SUM(total) AS revenue FROM shop.orders GROUP BY ordered;
-- An int key that is nearly used up.
ALTER TABLE shop.events AUTO_INCREMENT = 2040109465;
