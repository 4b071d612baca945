-- 14+, superuser: orders and what was ordered; half of the shop's 100 MB.
INSERT INTO sales.orders (ordered, customer, status, total)
SELECT date '2025-01-01' + (n % 365), 1 + (n * 7919) % 60000,
       (ARRAY['new', 'paid', 'sent', 'sent', 'sent', 'returned'])[1 + n % 6]::sales.status, (n % 50000) / 100.0
  FROM generate_series(1, 240000) AS n;
INSERT INTO sales.items (order_id, line, product, quantity, price)
SELECT 1 + n / 3, 1 + n % 3, 1 + (n * 31) % 5000, 1 + n % 4, (n % 9000) / 100.0
  FROM generate_series(0, 599999) AS n;
ALTER TABLE sales.orders ADD PRIMARY KEY (id, ordered);
CREATE INDEX orders_customer ON sales.orders (customer);
ALTER TABLE sales.items ADD PRIMARY KEY (order_id, line);
ANALYZE sales.orders, sales.items;
