-- MariaDB 10.6+, an administrator: which role is active at login.
SET DEFAULT ROLE team_sales FOR alice@'%';
SET DEFAULT ROLE team_support FOR bob@'%';
SET DEFAULT ROLE app_admin FOR carol@localhost;
