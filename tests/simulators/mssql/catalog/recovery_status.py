"""Which family of backups each database belongs to, and where its next log backup begins."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tests.simulators.mssql.catalog.databases import visible
from tests.simulators.mssql.registry import view
from tests.simulators.mssql.scope import Scope

SIMPLE = 3
FIRST_LSN = 37000000012300001


@view(
    "sys.database_recovery_status",
    """
    database_id int
    database_guid uniqueidentifier?
    family_guid uniqueidentifier?
    last_log_backup_lsn numeric(25,0)?
    recovery_fork_guid uniqueidentifier?
    first_recovery_fork_guid uniqueidentifier?
    fork_point_lsn numeric(25,0)?
    """,
)
def recovery_status(scope: Scope) -> Iterator[Mapping[str, object]]:
    for found in scope.state.databases.values():
        if visible(scope, found):
            yield {
                "database_id": found.database_id,
                "database_guid": found.database_guid if found.state == 0 else None,
                "family_guid": found.family_guid if found.state == 0 else None,
                "last_log_backup_lsn": None if found.options.get("recovery_model", 1) == SIMPLE else FIRST_LSN,
            }
