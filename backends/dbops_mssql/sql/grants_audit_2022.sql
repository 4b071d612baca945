-- audit: principals, roles, permissions and what they are granted on, of the server and of every database. Nothing
-- that is in a table can be read with this.
GRANT VIEW ANY DATABASE, VIEW ANY DEFINITION, VIEW ANY SECURITY DEFINITION, CONNECT ANY DATABASE TO :login;
