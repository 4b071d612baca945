-- MySQL 8.0.17+, SELECT on performance_schema.clone_progress: how far the running or last clone is, by its stages.
SELECT STAGE AS stage, STATE AS state, CAST(BEGIN_TIME AS CHAR) AS began, ESTIMATE AS estimate, DATA AS copied
FROM performance_schema.clone_progress ORDER BY 3
