"""Connections as they are, those of the simulator's own clients, and what they run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

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
