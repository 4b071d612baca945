"""Sessions, requests and connections as they are: those of the simulator's own clients."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tests.simulators.mssql.names import login_name
from tests.simulators.mssql.registry import table_function, view
from tests.simulators.mssql.rights import has_server
from tests.simulators.mssql.scope import Scope
from tests.simulators.mssql.session import Session

Row = Mapping[str, object]
STATE = ("VIEW SERVER STATE", "VIEW SERVER PERFORMANCE STATE")


def shown(scope: Scope) -> Iterator[Session]:
    """Everybody sees their own session; the others take VIEW SERVER STATE, and no error says so."""
    every = has_server(scope.session, STATE[scope.instance.major >= 16])
    for one in scope.instance.sessions.values():
        if every or one is scope.session:
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
    for one in shown(scope):
        yield {
            **dict.fromkeys(("cpu_time", "memory_usage", "total_scheduled_time", "total_elapsed_time"), 0),
            **dict.fromkeys(("reads", "writes", "logical_reads", "page_server_reads", "prev_error"), 0),
            "session_id": one.spid,
            "login_time": one.login_time,
            "host_name": one.host,
            "program_name": one.application,
            "login_name": login_name(one),
            "original_login_name": one.original_login,
            "status": "running" if one.text else "sleeping",
            "last_request_start_time": one.login_time,
            "last_request_end_time": one.login_time,
            "endpoint_id": 4,
            "is_user_process": True,
            "language": one.options["LANGUAGE"],
            "lock_timeout": one.options["LOCK_TIMEOUT"],
            "row_count": one.row_count,
            "database_id": one.database_id,
            "authenticating_database_id": one.first_database_id if one.identities[0].login is None else 1,
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
    reads bigint
    writes bigint
    logical_reads bigint
    text_size int
    language nvarchar(128)?
    row_count bigint
    prev_error int
    granted_query_memory int
    group_id int
    dop int 13+
""",
)
def requests(scope: Scope) -> Iterator[Row]:
    for one in shown(scope):
        if one.text:
            words = one.text.split(maxsplit=2)
            yield {
                "session_id": one.spid,
                "request_id": 0,
                "start_time": one.login_time,
                "status": "running" if one is scope.instance.running else "suspended",
                "command": words[0].upper() if words else "",
                "sql_handle": one.spid.to_bytes(20, "big"),
                "statement_start_offset": 0,
                "statement_end_offset": -1,
                "database_id": one.database_id,
                "user_id": 1,
                "blocking_session_id": scope.instance.blocker_of(one),
                "wait_type": "WAITFOR" if one.waits else None,
                "wait_time": 0,
                "last_wait_type": "",
                "wait_resource": "",
                "open_transaction_count": one.transactions,
                "percent_complete": one.percent_complete,
                "estimated_completion_time": 0,
                "cpu_time": 0,
                "total_elapsed_time": 0,
                "row_count": one.row_count,
                "prev_error": 0,
            }


@view(
    "sys.dm_exec_connections",
    """
    session_id int?
    most_recent_session_id int?
    connect_time datetime
    net_transport nvarchar(40)
    protocol_type nvarchar(40)?
    protocol_version int?
    endpoint_id int?
    encrypt_option nvarchar(40)
    auth_scheme nvarchar(40)
    node_affinity smallint
    num_reads int?
    num_writes int?
    last_read datetime?
    last_write datetime?
    net_packet_size int?
    client_net_address nvarchar(48)?
    client_tcp_port int?
    local_net_address nvarchar(48)?
    local_tcp_port int?
    connection_id uniqueidentifier
    parent_connection_id uniqueidentifier?
    most_recent_sql_handle varbinary(64)?
""",
    needs=("VIEW SERVER STATE", "VIEW SERVER SECURITY STATE"),
)
def connections(scope: Scope) -> Iterator[Row]:
    for one in shown(scope):
        yield {
            "session_id": one.spid,
            "most_recent_session_id": one.spid,
            "connect_time": one.login_time,
            "net_transport": "TCP",
            "protocol_type": "TSQL",
            "endpoint_id": 4,
            "encrypt_option": "TRUE",
            "auth_scheme": "SQL",
            "client_net_address": "127.0.0.1",
            "most_recent_sql_handle": one.spid.to_bytes(20, "big"),
        }


@table_function(
    "sys.dm_exec_sql_text",
    "dbid smallint?\nobjectid int?\nnumber smallint?\nencrypted bit\ntext nvarchar(max)?",
    keys=("varbinary(64)",),
    needs=STATE,
)
def sql_text(scope: Scope) -> Iterator[Row]:
    for one in scope.instance.sessions.values():
        yield {
            "_1": one.spid.to_bytes(20, "big"),
            "dbid": one.database_id,
            "encrypted": False,
            "text": one.text or None,
        }
