-- How many rows one table has, and the sum of the hashes of all. SQL Server 2016+; needs SELECT on the table.
SELECT COUNT_BIG(*) AS row_count, SUM(:first) AS total FROM :table AS t CROSS APPLY (:hashed) AS h
