"""Where the documentation explains what a check is about."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["PAGES"]

_SQL = "https://learn.microsoft.com/sql/"
_BACKUP = f"{_SQL}relational-databases/backup-restore/"
_GROUPS = f"{_SQL}database-engine/availability-groups/windows/"

PAGES: Mapping[str, str] = {
    "up": f"{_SQL}database-engine/configure-windows/troubleshoot-connecting-to-the-sql-server-database-engine",
    "release": f"{_SQL}sql-server/end-of-support/sql-server-end-of-support-overview",
    "state": f"{_SQL}relational-databases/databases/database-states",
    "page_verify": f"{_SQL}t-sql/statements/alter-database-transact-sql-set-options",
    "options": f"{_SQL}t-sql/statements/alter-database-transact-sql-set-options",
    "backup": f"{_BACKUP}back-up-and-restore-of-sql-server-databases",
    "log_backup": f"{_BACKUP}back-up-a-transaction-log-sql-server",
    "damaged": f"{_BACKUP}possible-media-errors-during-backup-and-restore-sql-server",
    "checkdb": f"{_SQL}t-sql/database-console-commands/dbcc-checkdb-transact-sql",
    "suspects": f"{_BACKUP}manage-the-suspect-pages-table-sql-server",
    "log": f"{_SQL}relational-databases/logs/troubleshoot-a-full-transaction-log-sql-server-error-9002",
    "files": f"{_SQL}relational-databases/databases/increase-the-size-of-a-database",
    "volumes": f"{_SQL}relational-databases/system-dynamic-management-views/sys-dm-os-volume-stats-transact-sql",
    "tempdb": f"{_SQL}relational-databases/databases/tempdb-database",
    "memory": f"{_SQL}database-engine/configure-windows/server-memory-server-configuration-options",
    "blocking": f"{_SQL}relational-databases/sql-server-transaction-locking-and-row-versioning-guide",
    "replicas": f"{_GROUPS}monitor-availability-groups-transact-sql",
    "lag": f"{_GROUPS}monitor-performance-for-always-on-availability-groups",
    "jobs": f"{_SQL}ssms/agent/view-the-job-history",
}
