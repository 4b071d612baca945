"""What drivers ask of a server on their own: which types there are, and what the parameters of a statement may be.

The columns are those of the documentation of ``sp_datatype_info`` and ``sp_describe_undeclared_parameters``.
"""

from __future__ import annotations

import re

from tests.simulators.mssql.answers import Answer, Column, Done, Rows

_COLUMNS = (
    Column("TYPE_NAME", "sysname", False),
    Column("DATA_TYPE", "smallint", False),
    Column("PRECISION", "int"),
    Column("LITERAL_PREFIX", "varchar(32)"),
    Column("LITERAL_SUFFIX", "varchar(32)"),
    Column("CREATE_PARAMS", "varchar(32)"),
    Column("NULLABLE", "smallint", False),
    Column("CASE_SENSITIVE", "smallint", False),
    Column("SEARCHABLE", "smallint", False),
    Column("UNSIGNED_ATTRIBUTE", "smallint"),
    Column("MONEY", "smallint", False),
    Column("AUTO_INCREMENT", "smallint"),
    Column("LOCAL_TYPE_NAME", "sysname"),
    Column("MINIMUM_SCALE", "smallint"),
    Column("MAXIMUM_SCALE", "smallint"),
    Column("SQL_DATA_TYPE", "smallint", False),
    Column("SQL_DATETIME_SUB", "smallint"),
    Column("NUM_PREC_RADIX", "int"),
    Column("INTERVAL_PRECISION", "smallint"),
    Column("USERTYPE", "smallint"),
)
# name, ODBC type, size, prefix, suffix, parameters
_TYPES: tuple[tuple[str, int, int, str | None, str | None, str | None], ...] = (
    ("bit", -7, 1, None, None, None),
    ("tinyint", -6, 3, None, None, None),
    ("smallint", 5, 5, None, None, None),
    ("int", 4, 10, None, None, None),
    ("bigint", -5, 19, None, None, None),
    ("float", 6, 53, None, None, None),
    ("decimal", 3, 38, None, None, "precision,scale"),
    ("char", 1, 8000, "'", "'", "length"),
    ("varchar", 12, 8000, "'", "'", "max length"),
    ("nchar", -8, 4000, "N'", "'", "length"),
    ("nvarchar", -9, 4000, "N'", "'", "max length"),
    ("binary", -2, 8000, "0x", None, "length"),
    ("varbinary", -3, 8000, "0x", None, "max length"),
    ("datetime2", 93, 27, "'", "'", "scale"),
    ("datetime", 93, 23, "'", "'", None),
    ("date", 91, 10, "'", "'", None),
    ("uniqueidentifier", -11, 36, "'", "'", None),
)


_ASKED = re.compile(r"\s*(?:exec(?:ute)?\s+)?(?:sys\.)?sp_datatype_info(?:_\d+)?\s+(-?\d+)\s*,\s*\d\s*", re.IGNORECASE)


def answers(sql: str) -> list[Answer]:
    """FreeTDS asks for types while it connects; nothing for every other batch."""
    found = _ASKED.fullmatch(sql)
    if found is None:
        return []
    rows = types(int(found[1]))
    return [rows, Done(len(rows.rows))]


def types(odbc_type: int) -> Rows:
    """:param odbc_type: 0 for all of them."""
    rows: list[tuple[object, ...]] = [
        (name, code, size, prefix, suffix, parameters, 1, 0, 3, 0, 0, 0, name, 0, 0, code, None, 10, None, 0)
        for name, code, size, prefix, suffix, parameters in _TYPES
        if odbc_type in (0, code)
    ]
    return Rows(_COLUMNS, rows)


_UNDECLARED = (
    Column("parameter_ordinal", "int", False),
    Column("name", "sysname", False),
    Column("suggested_system_type_id", "int", False),
    Column("suggested_system_type_name", "nvarchar(256)"),
    Column("suggested_max_length", "smallint", False),
    Column("suggested_precision", "tinyint", False),
    Column("suggested_scale", "tinyint", False),
    Column("suggested_user_type_id", "int"),
    Column("suggested_user_type_database", "sysname"),
    Column("suggested_user_type_schema", "sysname"),
    Column("suggested_user_type_name", "sysname"),
    Column("suggested_assembly_qualified_type_name", "nvarchar(4000)"),
    Column("suggested_xml_collection_id", "int"),
    Column("suggested_xml_collection_database", "sysname"),
    Column("suggested_xml_collection_schema", "sysname"),
    Column("suggested_xml_collection_name", "sysname"),
    Column("suggested_is_xml_document", "bit", False),
    Column("suggested_is_case_sensitive", "bit", False),
    Column("suggested_is_fixed_length_clr_type", "bit", False),
    Column("suggested_is_input", "bit", False),
    Column("suggested_is_output", "bit", False),
    Column("formal_parameter_name", "sysname"),
    Column("suggested_tds_type_id", "int", False),
    Column("suggested_tds_length", "int", False),
)


def undeclared(sql: str) -> Rows:
    """``sp_describe_undeclared_parameters``: every one is taken for ``nvarchar(4000)``, which holds any value."""
    names = dict.fromkeys(re.findall(r"@P\d+", sql))
    unknown = (None,) * 9
    rows: list[tuple[object, ...]] = [
        (place, name, 231, "nvarchar(4000)", 8000, 0, 0, *unknown, False, False, False, True, False, None, 231, 8000)
        for place, name in enumerate(names, start=1)
    ]
    return Rows(_UNDECLARED, rows)
