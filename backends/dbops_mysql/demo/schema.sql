-- MySQL 8.0+, MariaDB 10.6+, an administrator: the shop's tables, and a second, small database.
CREATE DATABASE shop CHARACTER SET utf8mb4;
CREATE DATABASE warehouse CHARACTER SET utf8mb4;
CREATE TABLE shop.categories (
  id int AUTO_INCREMENT PRIMARY KEY,
  name varchar(80) NOT NULL UNIQUE,
  parent int,
  FOREIGN KEY (parent) REFERENCES shop.categories (id)
);
CREATE TABLE shop.products (
  id int AUTO_INCREMENT PRIMARY KEY,
  category int NOT NULL,
  name varchar(200) NOT NULL,
  price decimal(10, 2) NOT NULL CHECK (price >= 0),
  attributes json NOT NULL,
  FOREIGN KEY (category) REFERENCES shop.categories (id)
);
CREATE TABLE shop.customers (
  id int AUTO_INCREMENT PRIMARY KEY,
  name varchar(200) NOT NULL,
  email varchar(200) NOT NULL UNIQUE,
  country char(2) NOT NULL,
  joined date NOT NULL,
  note text
);
CREATE TABLE shop.orders (
  id bigint NOT NULL AUTO_INCREMENT,
  ordered date NOT NULL,
  customer int NOT NULL,
  status enum('new', 'paid', 'sent', 'returned') NOT NULL,
  total decimal(12, 2) NOT NULL,
  PRIMARY KEY (id, ordered),
  KEY orders_customer (customer)
) PARTITION BY RANGE COLUMNS (ordered) (
  PARTITION q1 VALUES LESS THAN ('2025-04-01'), PARTITION q2 VALUES LESS THAN ('2025-07-01'),
  PARTITION q3 VALUES LESS THAN ('2025-10-01'), PARTITION q4 VALUES LESS THAN (MAXVALUE)
);
CREATE TABLE shop.items (
  order_id bigint NOT NULL,
  line smallint NOT NULL,
  product int NOT NULL,
  quantity smallint NOT NULL CHECK (quantity > 0),
  price decimal(10, 2) NOT NULL,
  PRIMARY KEY (order_id, line)
);
CREATE TABLE shop.events (
  id int AUTO_INCREMENT PRIMARY KEY,
  at timestamp(3) NOT NULL,
  kind varchar(40) NOT NULL,
  detail json NOT NULL,
  KEY events_at (at)
);
CREATE TABLE shop.digits (n int PRIMARY KEY);
INSERT INTO shop.digits VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9);
CREATE TABLE warehouse.places (id int PRIMARY KEY, shelf varchar(80) NOT NULL);
CREATE TABLE warehouse.levels (
  product int NOT NULL, place int NOT NULL, amount int NOT NULL, PRIMARY KEY (product, place),
  FOREIGN KEY (place) REFERENCES warehouse.places (id)
);
