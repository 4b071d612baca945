-- What takes room in tempdb. SQL Server 2016+, Azure SQL Database; VIEW SERVER STATE (there: VIEW DATABASE STATE).
SELECT u.file_id, u.total_page_count AS pages, u.unallocated_extent_page_count AS free_pages,
       u.version_store_reserved_page_count AS version_pages, u.user_object_reserved_page_count AS user_pages,
       u.internal_object_reserved_page_count AS internal_pages, f.max_size AS max_pages, f.growth
FROM tempdb.sys.dm_db_file_space_usage AS u
JOIN tempdb.sys.database_files AS f ON f.file_id = u.file_id
