-- MySQL 8.0+, SELECT on mysql.user: accounts and roles; what they hold everywhere as bits, never how they log in.
SELECT User, Host, plugin, authentication_string IS NULL OR authentication_string = '' AS passwordless,
       account_locked = 'Y' AS locked, password_expired = 'Y' AS expired, ssl_type, max_user_connections,
       JSON_EXTRACT(User_attributes, '$.Restrictions') AS restrictions,
       JSON_CONTAINS_PATH(User_attributes, 'one', '$.additional_password') AS second_password,
       ((Select_priv = 'Y') << 0)
     + ((Insert_priv = 'Y') << 1)
     + ((Update_priv = 'Y') << 2)
     + ((Delete_priv = 'Y') << 3)
     + ((Create_priv = 'Y') << 4)
     + ((Drop_priv = 'Y') << 5)
     + ((Grant_priv = 'Y') << 6)
     + ((References_priv = 'Y') << 7)
     + ((Index_priv = 'Y') << 8)
     + ((Alter_priv = 'Y') << 9)
     + ((Create_tmp_table_priv = 'Y') << 10)
     + ((Lock_tables_priv = 'Y') << 11)
     + ((Create_view_priv = 'Y') << 12)
     + ((Show_view_priv = 'Y') << 13)
     + ((Create_routine_priv = 'Y') << 14)
     + ((Alter_routine_priv = 'Y') << 15)
     + ((Execute_priv = 'Y') << 16)
     + ((Event_priv = 'Y') << 17)
     + ((Trigger_priv = 'Y') << 18)
     + ((Reload_priv = 'Y') << 19)
     + ((Shutdown_priv = 'Y') << 20)
     + ((Process_priv = 'Y') << 21)
     + ((File_priv = 'Y') << 22)
     + ((Show_db_priv = 'Y') << 23)
     + ((Super_priv = 'Y') << 24)
     + ((Repl_slave_priv = 'Y') << 25)
     + ((Repl_client_priv = 'Y') << 26)
     + ((Create_user_priv = 'Y') << 27)
     + ((Create_tablespace_priv = 'Y') << 28)
     + ((Create_role_priv = 'Y') << 29)
     + ((Drop_role_priv = 'Y') << 30) AS actions
  FROM mysql.user
 ORDER BY Host, User
