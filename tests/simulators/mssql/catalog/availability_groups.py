"""Availability groups: none, until a test sets rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from tests.simulators.mssql.registry import view
from tests.simulators.mssql.rights import has_server
from tests.simulators.mssql.scope import Scope

Rows = Iterable[Mapping[str, object]]
STATE = ("VIEW SERVER STATE", "VIEW SERVER PERFORMANCE STATE")


def _given(scope: Scope, name: str) -> Rows:
    """Rows that a test put under another key than the view's, so that who may not see definitions sees none of them."""
    return scope.state.rows.get(f"all {name}", []) if has_server(scope.session, "VIEW ANY DEFINITION") else []


@view(
    "sys.availability_groups",
    """
    group_id uniqueidentifier
    name sysname?
    resource_id nvarchar(40)?
    resource_group_id nvarchar(40)?
    failure_condition_level int?
    health_check_timeout int?
    automated_backup_preference tinyint?
    automated_backup_preference_desc nvarchar(60)?
    version smallint?
    basic_features bit?
    dtc_support bit?
    db_failover bit?
    is_distributed bit?
    cluster_type tinyint? 14+
    cluster_type_desc nvarchar(60)? 14+
    required_synchronized_secondaries_to_commit int? 14+
    sequence_number bigint? 14+
    is_contained bit? 15+
    """,
)
def groups(scope: Scope) -> Rows:
    return _given(scope, "sys.availability_groups")


@view(
    "sys.availability_replicas",
    """
    replica_id uniqueidentifier?
    group_id uniqueidentifier?
    replica_metadata_id int?
    replica_server_name nvarchar(256)?
    owner_sid varbinary(85)?
    endpoint_url nvarchar(128)?
    availability_mode tinyint?
    availability_mode_desc nvarchar(60)?
    failover_mode tinyint?
    failover_mode_desc nvarchar(60)?
    session_timeout int?
    primary_role_allow_connections tinyint?
    primary_role_allow_connections_desc nvarchar(60)?
    secondary_role_allow_connections tinyint?
    secondary_role_allow_connections_desc nvarchar(60)?
    create_date datetime?
    modify_date datetime?
    backup_priority int?
    read_only_routing_url nvarchar(256)?
    seeding_mode tinyint?
    seeding_mode_desc nvarchar(60)?
    read_write_routing_url nvarchar(256)? 15+
    """,
)
def replicas(scope: Scope) -> Rows:
    return _given(scope, "sys.availability_replicas")


@view(
    "sys.availability_databases_cluster",
    """
    group_id uniqueidentifier
    group_database_id uniqueidentifier
    database_name sysname?
    """,
)
def cluster_databases(scope: Scope) -> Rows:
    return scope.state.rows.get("all sys.availability_databases_cluster", [])


@view(
    "sys.dm_hadr_availability_replica_states",
    """
    replica_id uniqueidentifier
    group_id uniqueidentifier
    is_local bit
    role tinyint?
    role_desc nvarchar(60)?
    operational_state tinyint?
    operational_state_desc nvarchar(60)?
    connected_state tinyint?
    connected_state_desc nvarchar(60)?
    recovery_health tinyint?
    recovery_health_desc nvarchar(60)?
    synchronization_health tinyint?
    synchronization_health_desc nvarchar(60)?
    last_connect_error_number int?
    last_connect_error_description nvarchar(1024)?
    last_connect_error_timestamp datetime?
    write_lease_remaining_ticks bigint? 14+
    current_configuration_commit_start_time_utc datetime? 14+
    is_internal bit? 16+
    """,
    needs=STATE,
)
def replica_states(scope: Scope) -> Rows:
    return ()


@view(
    "sys.dm_hadr_database_replica_states",
    """
    database_id int
    group_id uniqueidentifier
    replica_id uniqueidentifier
    group_database_id uniqueidentifier
    is_local bit?
    is_primary_replica bit?
    synchronization_state tinyint?
    synchronization_state_desc nvarchar(60)?
    is_commit_participant bit?
    synchronization_health tinyint?
    synchronization_health_desc nvarchar(60)?
    database_state tinyint?
    database_state_desc nvarchar(60)?
    is_suspended bit?
    suspend_reason tinyint?
    suspend_reason_desc nvarchar(60)?
    recovery_lsn numeric(25,0)?
    truncation_lsn numeric(25,0)?
    last_sent_lsn numeric(25,0)?
    last_sent_time datetime?
    last_received_lsn numeric(25,0)?
    last_received_time datetime?
    last_hardened_lsn numeric(25,0)?
    last_hardened_time datetime?
    last_redone_lsn numeric(25,0)?
    last_redone_time datetime?
    log_send_queue_size bigint?
    log_send_rate bigint?
    redo_queue_size bigint?
    redo_rate bigint?
    filestream_send_rate bigint?
    end_of_log_lsn numeric(25,0)?
    last_commit_lsn numeric(25,0)?
    last_commit_time datetime?
    low_water_mark_for_ghosts bigint?
    secondary_lag_seconds bigint?
    quorum_commit_lsn numeric(25,0)? 15+
    quorum_commit_time datetime? 15+
    """,
    needs=STATE,
)
def database_states(scope: Scope) -> Rows:
    return ()


@view(
    "sys.dm_hadr_auto_page_repair",
    """
    database_id int
    file_id int
    page_id bigint
    error_type int
    page_status int
    modification_time datetime
    """,
    needs=STATE,
)
def page_repairs(scope: Scope) -> Rows:
    return ()
