-- 14+, superuser: categories, products, customers and events; the other half of the shop's 100 MB.
INSERT INTO catalog.categories (name, parent)
SELECT 'category ' || n, CASE WHEN n > 10 THEN 1 + n % 10 END FROM generate_series(1, 60) AS n;
INSERT INTO catalog.products (category, name, price, attributes)
SELECT 1 + n % 60, 'product ' || n, (n % 20000) / 100.0,
       jsonb_build_object('weight', n % 900, 'colour', (ARRAY['red', 'green', 'blue'])[1 + n % 3])
  FROM generate_series(1, 5000) AS n;
INSERT INTO people.customers (name, email, country, joined, note)
SELECT 'customer ' || n, 'customer' || n || '@example.com', (ARRAY['DE', 'FR', 'IT', 'PL', 'US'])[1 + n % 5],
       date '2020-01-01' + n % 2000, CASE WHEN n % 10 = 0 THEN repeat('calls often; ', 5) END
  FROM generate_series(1, 60000) AS n;
ALTER TABLE people.customers ADD PRIMARY KEY (id);
CREATE UNIQUE INDEX customers_email ON people.customers (email);
INSERT INTO internal.events (at, kind, detail)
SELECT timestamptz '2025-06-01 00:00Z' + n * interval '1 minute', 'visit',
       jsonb_build_object('customer', 1 + n % 60000, 'page', '/product/' || n % 5000)
  FROM generate_series(1, 250000) AS n;
CREATE INDEX events_at ON internal.events (at);
ANALYZE catalog.categories, catalog.products, people.customers, internal.events;
