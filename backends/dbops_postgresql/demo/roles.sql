-- 14+, superuser: the people and programs of the shop. Roles are nested three deep: alice > team_sales > app_write > app_read.
CREATE ROLE shop_owner NOLOGIN;
CREATE ROLE app_read NOLOGIN;
CREATE ROLE app_write NOLOGIN IN ROLE app_read;
CREATE ROLE app_admin NOLOGIN IN ROLE app_write;
CREATE ROLE team_support NOLOGIN IN ROLE app_read;
CREATE ROLE team_sales NOLOGIN IN ROLE app_write;
CREATE ROLE alice LOGIN IN ROLE team_sales;
CREATE ROLE bob LOGIN IN ROLE team_support;
CREATE ROLE carol LOGIN CREATEROLE IN ROLE app_admin;
CREATE ROLE reporting LOGIN;
-- Bad habits: the application is a superuser, a contractor's account outlived the contract.
CREATE ROLE shop_app LOGIN SUPERUSER;
CREATE ROLE contractor_2019 LOGIN CREATEDB IN ROLE app_admin;
