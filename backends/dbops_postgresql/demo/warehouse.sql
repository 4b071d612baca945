-- 14+, superuser: a second, small database.
CREATE SCHEMA stock AUTHORIZATION shop_owner;
SET ROLE shop_owner;
CREATE TABLE stock.places (id integer PRIMARY KEY, shelf text NOT NULL);
CREATE TABLE stock.levels (product integer, place integer REFERENCES stock.places, amount integer NOT NULL,
                           PRIMARY KEY (product, place));
INSERT INTO stock.places SELECT n, 'shelf ' || n FROM generate_series(1, 200) AS n;
INSERT INTO stock.levels SELECT n % 5000, 1 + n / 5000, n % 300 FROM generate_series(0, 49999) AS n;
GRANT USAGE ON SCHEMA stock TO app_read;
GRANT SELECT ON ALL TABLES IN SCHEMA stock TO app_read;
RESET ROLE;
ANALYZE;
