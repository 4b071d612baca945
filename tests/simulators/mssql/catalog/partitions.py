"""Partitions and indexes of tables: each has one, a heap or its primary key, and as many rows as the model keeps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tests.simulators.mssql.catalog.objects import shown
from tests.simulators.mssql.registry import view
from tests.simulators.mssql.scope import Scope

Row = Mapping[str, object]


@view(
    "sys.partitions",
    """
    partition_id bigint
    object_id int
    index_id int
    partition_number int
    hobt_id bigint
    rows bigint?
    filestream_filegroup_id smallint
    data_compression tinyint
    data_compression_desc nvarchar(60)?
    xml_compression bit? 16+
    xml_compression_desc varchar(3)? 16+
    """,
    per_database=True,
)
def partitions(scope: Scope) -> Iterator[Row]:
    for found in shown(scope, "U"):
        yield {
            "partition_id": 72057594000000000 + found.object_id,
            "object_id": found.object_id,
            "index_id": int(bool(found.key)),
            "partition_number": 1,
            "hobt_id": 72057594000000000 + found.object_id,
            "rows": len(found.rows),
            "filestream_filegroup_id": 0,
            "data_compression": 0,
            "data_compression_desc": "NONE",
            "xml_compression": False,
            "xml_compression_desc": "OFF",
        }


@view(
    "sys.indexes",
    """
    object_id int
    name sysname?
    index_id int
    type tinyint
    type_desc nvarchar(60)?
    is_unique bit?
    data_space_id int?
    ignore_dup_key bit?
    is_primary_key bit?
    is_unique_constraint bit?
    fill_factor tinyint
    is_padded bit?
    is_disabled bit?
    is_hypothetical bit?
    allow_row_locks bit?
    allow_page_locks bit?
    has_filter bit?
    filter_definition nvarchar(max)?
    compression_delay int?
    suppress_dup_key_messages bit? 14+
    auto_created bit? 14+
    optimize_for_sequential_key bit? 15+
    """,
    per_database=True,
)
def indexes(scope: Scope) -> Iterator[Row]:
    for found in shown(scope, "U"):
        keyed = bool(found.key)
        yield {
            **dict.fromkeys(("ignore_dup_key", "is_unique_constraint", "is_padded", "is_disabled"), False),
            **dict.fromkeys(("is_hypothetical", "has_filter"), False),
            "object_id": found.object_id,
            "name": f"PK_{found.name}" if keyed else None,
            "index_id": int(keyed),
            "type": int(keyed),
            "type_desc": "CLUSTERED" if keyed else "HEAP",
            "is_unique": keyed,
            "data_space_id": 1,
            "is_primary_key": keyed,
            "fill_factor": 0,
            "allow_row_locks": True,
            "allow_page_locks": True,
        }
