"""The agent's jobs and the pages that were found damaged, in msdb; none, until a test sets rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from tests.simulators.mssql.registry import view
from tests.simulators.mssql.scope import Scope

Rows = Iterable[Mapping[str, object]]


@view(
    "dbo.suspect_pages",
    """
    database_id int
    file_id int
    page_id bigint
    event_type int
    error_count int
    last_update_date datetime
    """,
    database="msdb",
)
def suspect_pages(scope: Scope) -> Rows:
    return ()


@view(
    "dbo.sysjobs",
    """
    job_id uniqueidentifier
    originating_server_id int
    name sysname
    enabled tinyint
    description nvarchar(512)?
    start_step_id int
    category_id int
    owner_sid varbinary(85)
    notify_level_eventlog int
    notify_level_email int
    notify_level_netsend int
    notify_level_page int
    notify_email_operator_id int
    notify_netsend_operator_id int
    notify_page_operator_id int
    delete_level int
    date_created datetime
    date_modified datetime
    version_number int
    """,
    database="msdb",
)
def jobs(scope: Scope) -> Rows:
    return ()


@view(
    "dbo.sysjobservers",
    """
    job_id uniqueidentifier
    server_id int
    last_run_outcome tinyint
    last_outcome_message nvarchar(4000)?
    last_run_date int
    last_run_time int
    last_run_duration int
    """,
    database="msdb",
)
def job_servers(scope: Scope) -> Rows:
    return ()
