-- MariaDB 10.6+, SELECT on the sequence: what it gives next at the latest.
SELECT next_not_cached_value, increment, cycle_option FROM :table
