-- MySQL 8.0+, MariaDB 10.6+, an administrator: some 50 MB of categories, products, customers, orders, items and events.
CREATE TABLE shop.numbers (n int PRIMARY KEY) AS
SELECT 1 + a.n + 10 * b.n + 100 * c.n + 1000 * d.n + 10000 * e.n AS n
  FROM shop.digits a, shop.digits b, shop.digits c, shop.digits d, shop.digits e;
INSERT INTO shop.categories (name, parent)
SELECT CONCAT('category ', n), IF(n > 10, 1 + n % 10, NULL) FROM shop.numbers WHERE n <= 60 ORDER BY n;
INSERT INTO shop.products (category, name, price, attributes)
SELECT 1 + n % 60, CONCAT('product ', n), (n % 20000) / 100,
       JSON_OBJECT('weight', n % 900, 'colour', ELT(1 + n % 3, 'red', 'green', 'blue'))
  FROM shop.numbers WHERE n <= 5000 ORDER BY n;
INSERT INTO shop.customers (name, email, country, joined, note)
SELECT CONCAT('customer ', n), CONCAT('customer', n, '@example.com'), ELT(1 + n % 5, 'DE', 'FR', 'IT', 'PL', 'US'),
       DATE '2020-01-01' + INTERVAL n % 2000 DAY, IF(n % 10 = 0, REPEAT('calls often; ', 5), NULL)
  FROM shop.numbers WHERE n <= 60000 ORDER BY n;
INSERT INTO shop.orders (id, ordered, customer, status, total)
SELECT n, DATE '2025-01-01' + INTERVAL n % 365 DAY, 1 + (n * 7919) % 60000,
       ELT(1 + n % 6, 'new', 'paid', 'sent', 'sent', 'sent', 'returned'), (n % 50000) / 100
  FROM shop.numbers ORDER BY n;
INSERT INTO shop.items (order_id, line, product, quantity, price)
SELECT o.n, line.n, 1 + (o.n * 31) % 5000, 1 + o.n % 4, (o.n % 9000) / 100
  FROM shop.numbers o, (SELECT 1 AS n UNION ALL SELECT 2) AS line ORDER BY 1, 2;
INSERT INTO shop.events (at, kind, detail)
SELECT TIMESTAMP '2025-06-01 00:00:00' + INTERVAL n MINUTE, 'visit',
       JSON_OBJECT('customer', 1 + n % 60000, 'page', CONCAT('/product/', n % 5000))
  FROM shop.numbers ORDER BY n;
INSERT INTO warehouse.places SELECT n, CONCAT('shelf ', n) FROM shop.numbers WHERE n <= 200;
INSERT INTO warehouse.levels SELECT n % 5000, 1 + n DIV 5000, n % 300 FROM shop.numbers WHERE n < 50000;
DROP TABLE shop.numbers, shop.digits;
