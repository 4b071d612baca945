"""Schemas, objects and columns. Who has no permission on an object and does not own it, does not see it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tests.simulators.mssql import kinds, rights
from tests.simulators.mssql.model import Object
from tests.simulators.mssql.registry import view
from tests.simulators.mssql.scope import Scope

Row = Mapping[str, object]
DESCRIPTIONS = {
    "U": "USER_TABLE",
    "V": "VIEW",
    "P": "SQL_STORED_PROCEDURE",
    "FN": "SQL_SCALAR_FUNCTION",
    "IF": "SQL_INLINE_TABLE_VALUED_FUNCTION",
    "TF": "SQL_TABLE_VALUED_FUNCTION",
    "TR": "SQL_TRIGGER",
    "SN": "SYNONYM",
    "SO": "SEQUENCE_OBJECT",
    "PK": "PRIMARY_KEY_CONSTRAINT",
    "S": "SYSTEM_TABLE",
}
OBJECTS = """
    name sysname
    object_id int
    principal_id int?
    schema_id int
    parent_object_id int
    type char(2)?
    type_desc nvarchar(60)?
    create_date datetime
    modify_date datetime
    is_ms_shipped bit
    is_published bit
    is_schema_published bit
"""
SYSTEM_TYPES: dict[str, tuple[int, int, int, int]] = {
    "image": (34, 16, 0, 0),
    "text": (35, 16, 0, 0),
    "uniqueidentifier": (36, 16, 0, 0),
    "date": (40, 3, 10, 0),
    "time": (41, 5, 16, 7),
    "datetime2": (42, 8, 27, 7),
    "datetimeoffset": (43, 10, 34, 7),
    "tinyint": (48, 1, 3, 0),
    "smallint": (52, 2, 5, 0),
    "int": (56, 4, 10, 0),
    "smalldatetime": (58, 4, 16, 0),
    "real": (59, 4, 24, 0),
    "money": (60, 8, 19, 4),
    "datetime": (61, 8, 23, 3),
    "float": (62, 8, 53, 0),
    "sql_variant": (98, 8016, 0, 0),
    "ntext": (99, 16, 0, 0),
    "bit": (104, 1, 1, 0),
    "decimal": (106, 17, 38, 38),
    "numeric": (108, 17, 38, 38),
    "smallmoney": (122, 4, 10, 4),
    "bigint": (127, 8, 19, 0),
    "varbinary": (165, 8000, 0, 0),
    "varchar": (167, 8000, 0, 0),
    "binary": (173, 8000, 0, 0),
    "char": (175, 8000, 0, 0),
    "timestamp": (189, 8, 0, 0),
    "nvarchar": (231, 8000, 0, 0),
    "nchar": (239, 8000, 0, 0),
    "xml": (241, -1, 0, 0),
}
"""system_type_id, max_length, precision, scale, as in ``sys.types``."""


@view("sys.schemas", "name sysname\nschema_id int\nprincipal_id int?", per_database=True)
def schemas(scope: Scope) -> Iterator[Row]:
    for one in scope.database.schemas.values():
        yield {"name": one.name, "schema_id": one.schema_id, "principal_id": one.owner}


def shown(scope: Scope, *types: str) -> Iterator[Object]:
    for found in scope.database.objects.values():
        if (not types or found.type in types) and rights.sees(scope.session, scope.database, found):
            yield found


def described(found: Object) -> dict[str, object]:
    return {
        "name": found.name,
        "object_id": found.object_id,
        "principal_id": found.owner,
        "schema_id": found.schema_id,
        "parent_object_id": found.parent,
        "type": found.type.ljust(2),
        "type_desc": DESCRIPTIONS[found.type],
        "create_date": found.create_date,
        "modify_date": found.modify_date,
        "is_ms_shipped": found.is_shipped,
        "is_published": False,
        "is_schema_published": False,
    }


@view("sys.objects", OBJECTS, per_database=True)
@view("sys.all_objects", OBJECTS, per_database=True)
def objects(scope: Scope) -> Iterator[Row]:
    return map(described, shown(scope))


@view(
    "sys.tables",
    OBJECTS
    + """
    lob_data_space_id int
    filestream_data_space_id int?
    max_column_id_used int
    lock_on_bulk_load bit
    uses_ansi_nulls bit?
    is_replicated bit?
    has_replication_filter bit?
    is_merge_published bit?
    is_sync_tran_subscribed bit?
    has_unchecked_assembly_data bit
    text_in_row_limit int?
    large_value_types_out_of_row bit?
    is_tracked_by_cdc bit?
    lock_escalation tinyint?
    lock_escalation_desc nvarchar(60)?
    is_filetable bit?
    is_memory_optimized bit?
    durability tinyint?
    durability_desc nvarchar(60)?
    temporal_type tinyint?
    temporal_type_desc nvarchar(60)?
    history_table_id int?
    is_remote_data_archive_enabled bit?
    is_external bit
    is_node bit 14+
    is_edge bit 14+
    ledger_type tinyint? 16+
    ledger_type_desc nvarchar(60)? 16+
    ledger_view_id int? 16+
    is_dropped_ledger_table bit? 16+
""",
    per_database=True,
)
def tables(scope: Scope) -> Iterator[Row]:
    for found in shown(scope, "U"):
        yield {
            **described(found),
            "lob_data_space_id": 0,
            "max_column_id_used": max((one.column_id for one in found.columns), default=0),
            "lock_on_bulk_load": False,
            "uses_ansi_nulls": True,
            "has_unchecked_assembly_data": False,
            "lock_escalation": 0,
            "lock_escalation_desc": "TABLE",
            "is_filetable": False,
            "is_memory_optimized": False,
            "durability": 0,
            "durability_desc": "SCHEMA_AND_DATA",
            "temporal_type": 0,
            "temporal_type_desc": "NON_TEMPORAL_TABLE",
            "is_external": False,
            "is_node": False,
            "is_edge": False,
            "ledger_type": 0,
            "ledger_type_desc": "NON_LEDGER_TABLE",
        }


@view("sys.views", OBJECTS, per_database=True)
def views(scope: Scope) -> Iterator[Row]:
    return map(described, shown(scope, "V"))


@view(
    "sys.procedures",
    OBJECTS
    + """
    is_auto_executed bit
    is_execution_replicated bit?
    is_repl_serializable_only bit?
    skips_repl_constraints bit?
""",
    per_database=True,
)
def procedures(scope: Scope) -> Iterator[Row]:
    return ({**described(one), "is_auto_executed": False} for one in shown(scope, "P"))


@view("sys.synonyms", OBJECTS + "base_object_name nvarchar(1035)?", per_database=True)
def synonyms(scope: Scope) -> Iterator[Row]:
    return ({**described(one), "base_object_name": one.base} for one in shown(scope, "SN"))


@view(
    "sys.sql_modules",
    """
    object_id int
    definition nvarchar(max)?
    uses_ansi_nulls bit?
    uses_quoted_identifier bit?
    is_schema_bound bit?
    uses_database_collation bit?
    is_recompiled bit?
    null_on_null_input bit?
    execute_as_principal_id int?
    uses_native_compilation bit
""",
    per_database=True,
)
def sql_modules(scope: Scope) -> Iterator[Row]:
    """The text takes VIEW DEFINITION on the object; without it the row is there and the text is NULL."""
    for found in shown(scope, "V", "P", "FN", "IF", "TF", "TR"):
        reads = rights.has(scope.session, "VIEW DEFINITION", rights.of_object(scope.database, found), scope.database)
        yield {
            "object_id": found.object_id,
            "definition": found.text if reads else None,
            "uses_ansi_nulls": True,
            "uses_quoted_identifier": True,
            "is_schema_bound": False,
            "is_recompiled": False,
            "execute_as_principal_id": found.execute_as,
            "uses_native_compilation": False,
        }


def measured(kind: str) -> tuple[int, int, int, int]:
    """system_type_id, max_length in bytes, precision and scale of a declared type."""
    name, given = kinds.base(kind), kinds.arguments(kind)
    if name == "sysname":
        return 231, 256, 0, 0
    number, length, precision, scale = SYSTEM_TYPES[{"rowversion": "timestamp"}.get(name, name)]
    if name in {"nvarchar", "nchar"}:
        return number, -1 if given[0] < 0 else 2 * given[0], 0, 0
    if name in {"varchar", "char", "varbinary", "binary"}:
        return number, given[0], 0, 0
    if name in {"numeric", "decimal"}:
        precision, scale = (*given, 0)[:2]
        return number, 5 if precision < 10 else 9 if precision < 20 else 13 if precision < 29 else 17, precision, scale
    if given and name in {"datetime2", "datetimeoffset", "time"}:
        return number, length - (2 if given[0] < 3 else 1 if given[0] < 5 else 0), precision - 7 + given[0], given[0]
    return number, length, precision, scale


@view(
    "sys.columns",
    """
    object_id int
    name sysname?
    column_id int
    system_type_id tinyint
    user_type_id int
    max_length smallint
    precision tinyint
    scale tinyint
    collation_name sysname?
    is_nullable bit?
    is_ansi_padded bit
    is_rowguidcol bit
    is_identity bit
    is_computed bit
    is_filestream bit
    is_replicated bit?
    is_non_sql_subscribed bit?
    is_merge_published bit?
    is_dts_replicated bit?
    is_xml_document bit
    xml_collection_id int
    default_object_id int
    rule_object_id int
    is_sparse bit?
    is_column_set bit?
    generated_always_type tinyint?
    generated_always_type_desc nvarchar(60)?
    encryption_type int?
    encryption_type_desc nvarchar(64)?
    encryption_algorithm_name sysname?
    column_encryption_key_id int?
    column_encryption_key_database_name sysname?
    is_hidden bit?
    is_masked bit
    graph_type int? 14+
    graph_type_desc nvarchar(60)? 14+
    is_data_deletion_filter_column bit? 16+
    ledger_view_column_type tinyint? 16+
    ledger_view_column_type_desc nvarchar(60)? 16+
    is_dropped_ledger_column bit? 16+
""",
    per_database=True,
)
def columns(scope: Scope) -> Iterator[Row]:
    for found in shown(scope, "U", "V", "IF", "TF"):
        for one in found.columns:
            number, length, precision, scale = measured(one.type)
            text = kinds.base(one.type) in kinds.TEXT
            yield {
                **dict.fromkeys(("is_rowguidcol", "is_filestream", "is_xml_document", "is_masked"), False),
                "object_id": found.object_id,
                "name": one.name,
                "column_id": one.column_id,
                "system_type_id": number,
                "user_type_id": 256 if kinds.base(one.type) == "sysname" else number,
                "max_length": length,
                "precision": precision,
                "scale": scale,
                "collation_name": scope.instance.collation if text else None,
                "is_nullable": one.nullable,
                "is_ansi_padded": text,
                "is_identity": one.identity,
                "is_computed": one.computed is not None,
                "xml_collection_id": 0,
                "default_object_id": 0,
                "rule_object_id": 0,
                "is_sparse": False,
                "is_column_set": False,
                "generated_always_type": 0,
                "generated_always_type_desc": "NOT_APPLICABLE",
                "is_hidden": False,
            }


@view(
    "sys.types",
    """
    name sysname
    system_type_id tinyint
    user_type_id int
    schema_id int
    principal_id int?
    max_length smallint
    precision tinyint
    scale tinyint
    collation_name sysname?
    is_nullable bit?
    is_user_defined bit
    is_assembly_type bit
    default_object_id int
    rule_object_id int
    is_table_type bit
""",
    per_database=True,
)
def types(scope: Scope) -> Iterator[Row]:
    known = {**SYSTEM_TYPES, "sysname": (231, 256, 0, 0)}
    for name, (number, length, precision, scale) in known.items():
        yield {
            "name": name,
            "system_type_id": number,
            "user_type_id": 256 if name == "sysname" else number,
            "schema_id": 4,
            "max_length": length,
            "precision": precision,
            "scale": scale,
            "collation_name": scope.instance.collation if name in kinds.TEXT else None,
            "is_nullable": name not in {"timestamp", "sysname"},
            "is_user_defined": False,
            "is_assembly_type": False,
            "default_object_id": 0,
            "rule_object_id": 0,
            "is_table_type": False,
        }
