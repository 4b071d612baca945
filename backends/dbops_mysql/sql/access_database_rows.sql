-- MySQL 8.0+, SELECT on mysql.db: rights on databases, as bits.
SELECT User, Host, Db,
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
     + ((Trigger_priv = 'Y') << 18) AS actions
  FROM mysql.db
 ORDER BY Host, User, Db
