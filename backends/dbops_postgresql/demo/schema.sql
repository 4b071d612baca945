-- 14+, superuser: the shop's schemas, tables, views and functions.
CREATE SCHEMA catalog AUTHORIZATION shop_owner;
CREATE SCHEMA people AUTHORIZATION shop_owner;
CREATE SCHEMA sales AUTHORIZATION shop_owner;
CREATE SCHEMA internal AUTHORIZATION shop_owner;
SET ROLE shop_owner;

CREATE TYPE sales.status AS ENUM ('new', 'paid', 'sent', 'returned');
CREATE DOMAIN people.email AS text CHECK (VALUE LIKE '%_@_%');

CREATE TABLE catalog.categories (
  id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name text NOT NULL UNIQUE,
  parent integer REFERENCES catalog.categories
);
CREATE TABLE catalog.products (
  id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  category integer NOT NULL REFERENCES catalog.categories,
  name text NOT NULL,
  price numeric(10, 2) NOT NULL CHECK (price >= 0),
  attributes jsonb NOT NULL DEFAULT '{}'
);
CREATE TABLE people.customers (
  id integer GENERATED ALWAYS AS IDENTITY,
  name text NOT NULL,
  email people.email NOT NULL,
  country char(2) NOT NULL,
  joined date NOT NULL,
  note text
);
CREATE TABLE sales.orders (
  id bigint GENERATED ALWAYS AS IDENTITY,
  ordered date NOT NULL,
  customer integer NOT NULL,
  status sales.status NOT NULL,
  total numeric(12, 2) NOT NULL
) PARTITION BY RANGE (ordered);
DO $$
DECLARE
  month timestamp;
BEGIN
  FOR month IN SELECT generate_series(timestamp '2025-01-01', timestamp '2025-12-01', interval '1 month') LOOP
    EXECUTE format('CREATE TABLE sales.orders_%s PARTITION OF sales.orders FOR VALUES FROM (%L) TO (%L)',
                   to_char(month, 'YYYY_MM'), month::date, (month + interval '1 month')::date);
  END LOOP;
END
$$;
CREATE TABLE sales.items (
  order_id bigint NOT NULL,
  line smallint NOT NULL,
  product integer NOT NULL,
  quantity smallint NOT NULL CHECK (quantity > 0),
  price numeric(10, 2) NOT NULL
);
CREATE TABLE internal.events (
  id serial PRIMARY KEY,
  at timestamptz NOT NULL,
  kind text NOT NULL,
  detail jsonb NOT NULL
);
RESET ROLE;
