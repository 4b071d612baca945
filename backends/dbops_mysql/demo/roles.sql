-- MySQL 8.0+, MariaDB 10.6+, an administrator: the people and programs of the shop; PASSWORD is another one each time.
-- Roles are nested three deep: alice > team_sales > app_write > app_read.
CREATE ROLE app_read, app_write, app_admin, team_support, team_sales;
GRANT app_read TO app_write;
GRANT app_write TO app_admin;
GRANT app_read TO team_support;
GRANT app_write TO team_sales;
CREATE USER alice@'%' IDENTIFIED BY 'PASSWORD';
CREATE USER bob@'%' IDENTIFIED BY 'PASSWORD';
CREATE USER carol@localhost IDENTIFIED BY 'PASSWORD';
CREATE USER reporting@'10.%' IDENTIFIED BY 'PASSWORD';
CREATE USER shop_owner@localhost IDENTIFIED BY 'PASSWORD' ACCOUNT LOCK;
-- Bad habits: the application may do everything, a contractor's account outlived the contract.
CREATE USER shop_app@'%' IDENTIFIED BY 'PASSWORD';
CREATE USER contractor_2019@'%' IDENTIFIED BY 'PASSWORD';
GRANT team_sales TO alice@'%';
GRANT team_support TO bob@'%';
GRANT app_admin TO carol@localhost, contractor_2019@'%';
GRANT ALL ON *.* TO shop_app@'%' WITH GRANT OPTION;
GRANT FILE ON *.* TO contractor_2019@'%';
