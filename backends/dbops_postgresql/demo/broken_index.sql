-- 14+, superuser: cannot be built, since countries repeat, and stays behind as an invalid index.
CREATE UNIQUE INDEX CONCURRENTLY customers_country ON people.customers (country)
