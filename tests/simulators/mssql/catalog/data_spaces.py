"""Filegroups: the primary one of each database."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tests.simulators.mssql.registry import view
from tests.simulators.mssql.scope import Scope

SPACES = """
    name sysname
    data_space_id int
    type char(2)
    type_desc nvarchar(60)?
    is_default bit
    is_system bit?
"""
PRIMARY = {
    "name": "PRIMARY",
    "data_space_id": 1,
    "type": "FG",
    "type_desc": "ROWS_FILEGROUP",
    "is_default": True,
    "is_system": False,
}


@view("sys.data_spaces", SPACES, per_database=True)
def data_spaces(scope: Scope) -> Iterator[Mapping[str, object]]:
    yield PRIMARY


@view(
    "sys.filegroups",
    SPACES
    + """
    filegroup_guid uniqueidentifier?
    log_filegroup_id int?
    is_read_only bit?
    is_autogrow_all_files bit?
    """,
    per_database=True,
)
def filegroups(scope: Scope) -> Iterator[Mapping[str, object]]:
    yield {**PRIMARY, "is_read_only": False, "is_autogrow_all_files": False}
