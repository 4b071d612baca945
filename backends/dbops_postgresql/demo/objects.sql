-- 14+, superuser: what stands on the tables: keys, views, functions, row-level security, rights.
ALTER TABLE sales.orders ADD FOREIGN KEY (customer) REFERENCES people.customers;
ALTER TABLE sales.items ADD FOREIGN KEY (product) REFERENCES catalog.products;
SET ROLE shop_owner;

CREATE VIEW sales.open_orders AS
  SELECT id, ordered, customer, total FROM sales.orders WHERE status IN ('new', 'paid');
CREATE VIEW people.directory WITH (security_barrier) AS
  SELECT id, name, country FROM people.customers;
CREATE MATERIALIZED VIEW sales.revenue AS
  SELECT date_trunc('month', ordered)::date AS month, sum(total) AS revenue FROM sales.orders GROUP BY 1;
CREATE UNIQUE INDEX revenue_month ON sales.revenue (month);

CREATE FUNCTION sales.total(customer integer, since date) RETURNS numeric
  LANGUAGE sql STABLE PARALLEL SAFE
  RETURN (SELECT coalesce(sum(o.total), 0) FROM sales.orders o
           WHERE o.customer = total.customer AND o.ordered >= total.since);
CREATE FUNCTION internal.log_status() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO internal.events (at, kind, detail)
  VALUES (now(), 'status', jsonb_build_object('order', NEW.id, 'status', NEW.status));
  RETURN NEW;
END
$$;
CREATE TRIGGER log_status AFTER UPDATE OF status ON sales.orders
  FOR EACH ROW WHEN (OLD.status IS DISTINCT FROM NEW.status) EXECUTE FUNCTION internal.log_status();

ALTER TABLE people.customers ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_country ON people.customers FOR SELECT TO app_read
  USING (country = current_setting('shop.country', true));
CREATE POLICY everything ON people.customers TO app_admin USING (true);

GRANT USAGE ON SCHEMA catalog, people, sales TO app_read;
GRANT SELECT ON ALL TABLES IN SCHEMA catalog, people, sales TO app_read;
GRANT INSERT, UPDATE ON sales.orders, sales.items TO app_write;
GRANT UPDATE (note) ON people.customers TO team_support;
GRANT DELETE ON sales.orders, sales.items TO app_admin;
GRANT EXECUTE ON FUNCTION sales.total(integer, date) TO app_read;
ALTER DEFAULT PRIVILEGES FOR ROLE shop_owner IN SCHEMA sales GRANT SELECT ON TABLES TO app_read;
RESET ROLE;
