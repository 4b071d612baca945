"""Room: volumes, tempdb, logs and counters. Computed as on a machine with much of it; tests set rows of their own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tests.simulators.mssql.registry import table_function, view
from tests.simulators.mssql.scope import Scope

Row = Mapping[str, object]
PERFORMANCE = ("VIEW SERVER STATE", "VIEW SERVER PERFORMANCE STATE")
GIB = 2**30
PAGE = 8192


@table_function(
    "sys.dm_os_volume_stats",
    """
    database_id int
    file_id int
    volume_mount_point nvarchar(512)?
    volume_id nvarchar(512)?
    logical_volume_name nvarchar(512)?
    file_system_type nvarchar(512)?
    total_bytes bigint
    available_bytes bigint
    supports_compression tinyint?
    supports_alternate_streams tinyint?
    supports_sparse_files tinyint?
    is_read_only tinyint?
    is_compressed tinyint?
    incurs_seek_penalty tinyint? 15+
    """,
    keys=("int", "int"),
    needs=PERFORMANCE,
)
def volumes(scope: Scope) -> Iterator[Row]:
    """What a test put under the function's name into ``Instance.state.rows`` goes before the one that is made up."""
    given = scope.state.rows.get("sys.dm_os_volume_stats", [])
    for found in scope.state.databases.values():
        for file in found.files:
            keys = {"database_id": found.database_id, "file_id": file.file_id}
            own = next((one for one in given if keys.items() <= one.items()), None) or {
                **keys,
                "volume_mount_point": "/var/opt/mssql",
                "logical_volume_name": "",
                "file_system_type": "ext4",
                "total_bytes": 100 * GIB,
                "available_bytes": 60 * GIB,
                "is_read_only": 0,
            }
            yield {**own, "_1": found.database_id, "_2": file.file_id}


@view(
    "sys.dm_db_file_space_usage",
    """
    database_id int?
    file_id smallint?
    filegroup_id smallint?
    total_page_count bigint?
    allocated_extent_page_count bigint?
    unallocated_extent_page_count bigint?
    version_store_reserved_page_count bigint?
    user_object_reserved_page_count bigint?
    internal_object_reserved_page_count bigint?
    mixed_extent_page_count bigint?
    modified_extent_page_count bigint?
    """,
    per_database=True,
    needs=PERFORMANCE,
)
def file_space(scope: Scope) -> Iterator[Row]:
    for file in scope.database.files:
        if file.type == 0:
            yield {
                "database_id": scope.database.database_id,
                "file_id": file.file_id,
                "filegroup_id": 1,
                "total_page_count": file.size,
                "allocated_extent_page_count": file.used,
                "unallocated_extent_page_count": file.size - file.used,
                "version_store_reserved_page_count": 0,
                "user_object_reserved_page_count": 0,
                "internal_object_reserved_page_count": 0,
                "mixed_extent_page_count": 0,
                "modified_extent_page_count": 0,
            }


@view(
    "sys.dm_db_log_space_usage",
    """
    database_id smallint
    total_log_size_in_bytes bigint
    used_log_space_in_bytes bigint
    used_log_space_in_percent real
    log_space_in_bytes_since_last_backup bigint
    """,
    per_database=True,
    needs=PERFORMANCE,
)
def log_space(scope: Scope) -> Iterator[Row]:
    size = sum(file.size for file in scope.database.files if file.type == 1) * PAGE
    yield {
        "database_id": scope.database.database_id,
        "total_log_size_in_bytes": size,
        "used_log_space_in_bytes": size // 10,
        "used_log_space_in_percent": 10.0,
        "log_space_in_bytes_since_last_backup": size // 20,
    }


@view(
    "sys.dm_os_performance_counters",
    """
    object_name nchar(128)
    counter_name nchar(128)
    instance_name nchar(128)?
    cntr_value bigint
    cntr_type int
    """,
    needs=PERFORMANCE,
)
def counters(scope: Scope) -> Iterator[Row]:
    """Of databases alone, with the blanks at the end that the server has there."""
    for found in scope.state.databases.values():
        size = sum(file.size for file in found.files if file.type == 1) * PAGE // 1024
        for name, value in (("Log File(s) Size (KB)", size), ("Log File(s) Used Size (KB)", size // 10)):
            yield {
                "object_name": "SQLServer:Databases".ljust(128),
                "counter_name": name.ljust(128),
                "instance_name": found.name.ljust(128),
                "cntr_value": value,
                "cntr_type": 65792,
            }
