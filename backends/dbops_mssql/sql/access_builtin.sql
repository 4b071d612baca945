-- SQL Server 2016+, Azure SQL. No privilege (public may call it).
SELECT
    class_desc,
    permission_name,
    COALESCE(covering_permission_name, N'') AS covering,
    COALESCE(parent_class_desc, N'') AS parent_class,
    COALESCE(parent_covering_permission_name, N'') AS parent_covering
FROM sys.fn_builtin_permissions(DEFAULT)
