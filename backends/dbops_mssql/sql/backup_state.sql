-- The state of one database, if there is one of that name. SQL Server 2016+; needs VIEW ANY DATABASE, which everybody has.
SELECT d.state_desc FROM sys.databases AS d WHERE d.name = :name
