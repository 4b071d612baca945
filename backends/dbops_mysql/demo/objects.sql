-- MySQL 8.0+, MariaDB 10.6+, an administrator: what stands on the tables: views, routines, a trigger, an event, rights.
CREATE DEFINER = shop_owner@localhost VIEW shop.open_orders AS
  SELECT id, ordered, customer, total FROM shop.orders WHERE status IN ('new', 'paid');
CREATE DEFINER = shop_owner@localhost SQL SECURITY INVOKER VIEW shop.directory AS
  SELECT id, name, country FROM shop.customers;
CREATE DEFINER = shop_owner@localhost FUNCTION shop.total(customer int, since date) RETURNS decimal(12, 2)
  READS SQL DATA
  RETURN (SELECT COALESCE(SUM(o.total), 0) FROM shop.orders o WHERE o.customer = customer AND o.ordered >= since);
CREATE DEFINER = shop_owner@localhost PROCEDURE shop.forget(before_day date)
  DELETE FROM shop.events WHERE at < before_day;
CREATE DEFINER = shop_owner@localhost TRIGGER shop.log_status AFTER UPDATE ON shop.orders FOR EACH ROW
  INSERT INTO shop.events (at, kind, detail) VALUES (NOW(3), 'status', JSON_OBJECT('order', NEW.id));
CREATE DEFINER = shop_owner@localhost EVENT shop.forget_visits ON SCHEDULE EVERY 1 DAY
  DO CALL shop.forget(CURRENT_DATE - INTERVAL 2 YEAR);
GRANT SELECT, EXECUTE ON shop.* TO app_read;
GRANT SELECT ON warehouse.* TO app_read;
GRANT INSERT, UPDATE ON shop.orders TO app_write;
GRANT INSERT, UPDATE ON shop.items TO app_write;
GRANT UPDATE (note) ON shop.customers TO team_support;
GRANT DELETE ON shop.orders TO app_admin;
GRANT DELETE ON shop.items TO app_admin;
GRANT SELECT, INSERT, UPDATE, DELETE, EXECUTE, TRIGGER, EVENT ON shop.* TO shop_owner@localhost;
