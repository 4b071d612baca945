"""Sessions and requests: those that are connected, and those that a test makes up under the view's name after ``all``.

Without the right to view the server's state a login sees its own session alone, and no error.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tests.simulators.mssql.names import login_name
from tests.simulators.mssql.registry import view
from tests.simulators.mssql.rights import has_server
from tests.simulators.mssql.scope import Scope

Row = Mapping[str, object]
ISOLATION = {"READ UNCOMMITTED": 1, "READ COMMITTED": 2, "REPEATABLE READ": 3, "SERIALIZABLE": 4, "SNAPSHOT": 5}


def _seen(scope: Scope, rows: Iterator[Row], name: str) -> Iterator[Row]:
    right = "VIEW SERVER PERFORMANCE STATE" if scope.instance.major >= 16 else "VIEW SERVER STATE"
    every = has_server(scope.session, right)
    for one in (*rows, *scope.state.rows.get(f"all {name}", [])):
        if every or one["session_id"] == scope.session.spid:
            yield one


@view(
    "sys.dm_exec_sessions",
    """
    session_id smallint
    login_time datetime
    host_name nvarchar(128)?
    program_name nvarchar(128)?
    host_process_id int?
    client_version int?
    client_interface_name nvarchar(32)?
    security_id varbinary(85)
    login_name nvarchar(128)
    nt_domain nvarchar(128)?
    nt_user_name nvarchar(128)?
    status nvarchar(30)
    context_info varbinary(128)?
    cpu_time int
    memory_usage int
    total_scheduled_time int
    total_elapsed_time int
    endpoint_id int
    last_request_start_time datetime
    last_request_end_time datetime?
    reads bigint
    writes bigint
    logical_reads bigint
    is_user_process bit
    text_size int
    language nvarchar(128)?
    date_format nvarchar(3)?
    date_first smallint
    quoted_identifier bit
    arithabort bit
    ansi_null_dflt_on bit
    ansi_defaults bit
    ansi_warnings bit
    ansi_padding bit
    ansi_nulls bit
    concat_null_yields_null bit
    transaction_isolation_level smallint
    lock_timeout int
    deadlock_priority int
    row_count bigint
    prev_error int
    original_security_id varbinary(85)
    original_login_name nvarchar(128)
    last_successful_logon datetime?
    last_unsuccessful_logon datetime?
    unsuccessful_logons bigint?
    group_id int
    database_id smallint
    authenticating_database_id int?
    open_transaction_count int
    page_server_reads bigint 15+
    contained_availability_group_id uniqueidentifier? 16+
    """,
)
def sessions(scope: Scope) -> Iterator[Row]:
    return _seen(scope, _sessions(scope), "sys.dm_exec_sessions")


def _sessions(scope: Scope) -> Iterator[Row]:
    for one in scope.instance.sessions.values():
        yield {
            "session_id": one.spid,
            "login_time": one.login_time,
            "host_name": one.host,
            "program_name": one.application,
            "login_name": login_name(one),
            "original_login_name": one.original_login,
            "status": "running" if one.text else "sleeping",
            "last_request_start_time": one.login_time,
            "last_request_end_time": one.login_time,
            "is_user_process": True,
            "transaction_isolation_level": ISOLATION.get(str(one.options.get("ISOLATION", "")), 2),
            "lock_timeout": one.options["LOCK_TIMEOUT"],
            "database_id": one.database_id,
            "authenticating_database_id": one.authenticating_database_id,
            "open_transaction_count": one.transactions,
        }


@view(
    "sys.dm_exec_requests",
    """
    session_id smallint
    request_id int
    start_time datetime
    status nvarchar(30)
    command nvarchar(32)
    sql_handle varbinary(64)?
    statement_start_offset int?
    statement_end_offset int?
    plan_handle varbinary(64)?
    database_id smallint
    user_id int
    connection_id uniqueidentifier?
    blocking_session_id smallint?
    wait_type nvarchar(60)?
    wait_time int
    last_wait_type nvarchar(60)
    wait_resource nvarchar(256)
    open_transaction_count int
    open_resultset_count int
    transaction_id bigint
    context_info varbinary(128)?
    percent_complete real
    estimated_completion_time bigint
    cpu_time int
    total_elapsed_time int
    scheduler_id int?
    task_address varbinary(8)?
    reads bigint
    writes bigint
    logical_reads bigint
    text_size int
    language nvarchar(128)?
    date_format nvarchar(3)?
    date_first smallint
    quoted_identifier bit
    arithabort bit
    ansi_null_dflt_on bit
    ansi_defaults bit
    ansi_warnings bit
    ansi_padding bit
    ansi_nulls bit
    concat_null_yields_null bit
    transaction_isolation_level smallint
    lock_timeout int
    deadlock_priority int
    row_count bigint
    prev_error int
    nest_level int
    granted_query_memory int
    executing_managed_code bit
    group_id int
    query_hash binary(8)?
    query_plan_hash binary(8)?
    statement_sql_handle varbinary(64)?
    statement_context_id bigint?
    dop int
    parallel_worker_count int?
    external_script_request_id uniqueidentifier?
    is_resumable bit 14+
    page_resource binary(8)? 15+
    page_server_reads bigint 15+
    dist_statement_id uniqueidentifier? 16+
    """,
)
def requests(scope: Scope) -> Iterator[Row]:
    return _seen(scope, _requests(scope), "sys.dm_exec_requests")


def _requests(scope: Scope) -> Iterator[Row]:
    for one in scope.instance.sessions.values():
        if one.text:
            yield {
                "session_id": one.spid,
                "request_id": 0,
                "start_time": one.login_time,
                "status": "running",
                "command": one.text.split(maxsplit=1)[0].upper()[:32],
                "database_id": one.database_id,
                "sql_handle": one.spid.to_bytes(20, "big"),
                "statement_start_offset": 0,
                "statement_end_offset": -1,
                "blocking_session_id": scope.instance.blocker_of(one),
                "wait_type": "WAITFOR" if one.waits else None,
                "wait_time": 0,
                "wait_resource": "",
                "open_transaction_count": one.transactions,
                "percent_complete": one.percent_complete,
            }
