-- MySQL 8.0+, an administrator: which roles are active at login.
SET DEFAULT ROLE team_sales TO alice@'%';
SET DEFAULT ROLE team_support TO bob@'%';
SET DEFAULT ROLE app_admin TO carol@localhost;
