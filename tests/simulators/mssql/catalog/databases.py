"""``sys.databases`` and the files of all of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tests.simulators.mssql import azure
from tests.simulators.mssql.model import Database
from tests.simulators.mssql.names import STATES, user_of
from tests.simulators.mssql.registry import fields, view
from tests.simulators.mssql.rights import has_server
from tests.simulators.mssql.scope import Scope

Row = Mapping[str, object]
COMPATIBILITY = {13: 130, 14: 140, 15: 150, 16: 160, 17: 170}
DATABASES = """
    name sysname
    database_id int
    source_database_id int?
    owner_sid varbinary(85)?
    create_date datetime
    compatibility_level tinyint
    collation_name sysname?
    user_access tinyint?
    user_access_desc nvarchar(60)?
    is_read_only bit?
    is_auto_close_on bit
    is_auto_shrink_on bit?
    state tinyint?
    state_desc nvarchar(60)?
    is_in_standby bit?
    is_cleanly_shutdown bit?
    is_supplemental_logging_enabled bit?
    snapshot_isolation_state tinyint?
    snapshot_isolation_state_desc nvarchar(60)?
    is_read_committed_snapshot_on bit?
    recovery_model tinyint?
    recovery_model_desc nvarchar(60)?
    page_verify_option tinyint?
    page_verify_option_desc nvarchar(60)?
    is_auto_create_stats_on bit?
    is_auto_create_stats_incremental_on bit?
    is_auto_update_stats_on bit?
    is_auto_update_stats_async_on bit?
    is_ansi_null_default_on bit?
    is_ansi_nulls_on bit?
    is_ansi_padding_on bit?
    is_ansi_warnings_on bit?
    is_arithabort_on bit?
    is_concat_null_yields_null_on bit?
    is_numeric_roundabort_on bit?
    is_quoted_identifier_on bit?
    is_recursive_triggers_on bit?
    is_cursor_close_on_commit_on bit?
    is_local_cursor_default bit?
    is_fulltext_enabled bit?
    is_trustworthy_on bit?
    is_db_chaining_on bit?
    is_parameterization_forced bit?
    is_master_key_encrypted_by_server bit
    is_query_store_on bit?
    is_published bit
    is_subscribed bit
    is_merge_published bit
    is_distributor bit
    is_sync_with_backup bit
    service_broker_guid uniqueidentifier
    is_broker_enabled bit
    log_reuse_wait tinyint?
    log_reuse_wait_desc nvarchar(60)?
    is_date_correlation_on bit
    is_cdc_enabled bit
    is_encrypted bit?
    is_honor_broker_priority_on bit?
    replica_id uniqueidentifier?
    group_database_id uniqueidentifier?
    resource_pool_id int?
    default_language_lcid smallint?
    default_language_name nvarchar(128)?
    default_fulltext_language_lcid int?
    default_fulltext_language_name nvarchar(128)?
    is_nested_triggers_on bit?
    is_transform_noise_words_on bit?
    two_digit_year_cutoff smallint?
    containment tinyint?
    containment_desc nvarchar(60)?
    target_recovery_time_in_seconds int?
    delayed_durability int?
    delayed_durability_desc nvarchar(60)?
    is_memory_optimized_elevate_to_snapshot_on bit?
    is_federation_member bit?
    is_remote_data_archive_enabled bit?
    is_mixed_page_allocation_on bit?
    is_temporal_history_retention_enabled bit? 14+
    catalog_collation_type int? 15+
    catalog_collation_type_desc nvarchar(60)? 15+
    physical_database_name nvarchar(128)? 15+
    is_result_set_caching_on bit? 15+
    is_accelerated_database_recovery_on bit? 15+
    is_tempdb_spill_to_remote_store bit? 15+
    is_stale_page_detection_on bit? 15+
    is_memory_optimized_enabled bit? 15+
    is_data_retention_enabled bit? 16+
    is_ledger_on bit? 16+
    is_change_feed_enabled bit? 16+
"""
WORDS: dict[str, dict[int, str]] = {
    "user_access": {0: "MULTI_USER", 1: "SINGLE_USER", 2: "RESTRICTED_USER"},
    "state": STATES,
    "snapshot_isolation_state": {0: "OFF", 1: "ON", 2: "IN_TRANSITION_TO_ON", 3: "IN_TRANSITION_TO_OFF"},
    "recovery_model": {1: "FULL", 2: "BULK_LOGGED", 3: "SIMPLE"},
    "page_verify_option": {0: "NONE", 1: "TORN_PAGE_DETECTION", 2: "CHECKSUM"},
    "containment": {0: "NONE", 1: "PARTIAL"},
    "delayed_durability": {0: "DISABLED", 1: "ALLOWED", 2: "FORCED"},
    "catalog_collation_type": {0: "DATABASE_DEFAULT", 2: "SQL_Latin1_General_CP1_CI_AS"},
    "log_reuse_wait": {
        0: "NOTHING",
        1: "CHECKPOINT",
        2: "LOG_BACKUP",
        3: "ACTIVE_BACKUP_OR_RESTORE",
        4: "ACTIVE_TRANSACTION",
        5: "DATABASE_MIRRORING",
        6: "REPLICATION",
        7: "DATABASE_SNAPSHOT_CREATION",
        8: "LOG_SCAN",
        9: "AVAILABILITY_REPLICA",
        13: "OLDEST_PAGE",
        14: "OTHER_TRANSIENT",
        16: "XTP_CHECKPOINT",
    },
}
FIELDS = fields(DATABASES)
DEFAULTS: dict[str, object] = {
    "user_access": 0,
    "state": 0,
    "snapshot_isolation_state": 0,
    "recovery_model": 1,
    "page_verify_option": 2,
    "is_auto_create_stats_on": True,
    "is_auto_update_stats_on": True,
    "is_fulltext_enabled": True,
    "containment": 0,
    "target_recovery_time_in_seconds": 60,
    "delayed_durability": 0,
    "log_reuse_wait": 0,
    "catalog_collation_type": 0,
    "is_temporal_history_retention_enabled": True,
    "is_memory_optimized_enabled": True,
}


def visible(scope: Scope, found: Database) -> bool:
    """master and tempdb always; one's own; all with VIEW ANY DATABASE, which public has unless it is taken away."""
    login = scope.session.identity.login
    if not azure.shows_database(scope.session, found.name):
        return False
    if found.database_id in {1, 2, scope.session.database_id}:
        return True
    if login is None:
        return False
    return (
        has_server(scope.session, "VIEW ANY DATABASE")
        or has_server(scope.session, "ALTER ANY DATABASE")
        or has_server(scope.session, "CREATE ANY DATABASE")
        or scope.state.principals[login].sid == found.owner_sid
    )


def row(scope: Scope, found: Database) -> dict[str, object]:
    values: dict[str, object] = {one.name: False for one in FIELDS if one.type == "bit"}
    values |= DEFAULTS | {
        "compatibility_level": COMPATIBILITY[min(max(scope.instance.major, 13), 17)],
        "collation_name": scope.instance.collation if found.state == 0 else None,
        "physical_database_name": found.name,
        "service_broker_guid": found.database_guid,
    }
    values |= found.options
    values |= {
        "name": found.name,
        "database_id": found.database_id,
        "owner_sid": found.owner_sid,
        "create_date": found.create_date,
    }
    for name, words in WORDS.items():
        value = values.get(name)
        assert isinstance(value, int)
        values[f"{name}_desc"] = words[value]
    return values


@view("sys.databases", DATABASES)
def databases(scope: Scope) -> Iterator[Row]:
    return (row(scope, one) for one in scope.state.databases.values() if visible(scope, one))


FILES = """
    file_id int
    file_guid uniqueidentifier?
    type tinyint
    type_desc nvarchar(60)?
    data_space_id int
    name sysname
    physical_name nvarchar(260)
    state tinyint?
    state_desc nvarchar(60)?
    size int
    max_size int
    growth int
    is_media_read_only bit
    is_read_only bit
    is_sparse bit
    is_percent_growth bit
    is_name_reserved bit
    is_persistent_log_buffer bit 16+
    create_lsn numeric(25,0)?
    drop_lsn numeric(25,0)?
    read_only_lsn numeric(25,0)?
    read_write_lsn numeric(25,0)?
    differential_base_lsn numeric(25,0)?
    differential_base_guid uniqueidentifier?
    differential_base_time datetime?
    redo_start_lsn numeric(25,0)?
    redo_start_fork_guid uniqueidentifier?
    redo_target_lsn numeric(25,0)?
    redo_target_fork_guid uniqueidentifier?
    backup_lsn numeric(25,0)?
"""


def file_rows(found: Database) -> Iterator[dict[str, object]]:
    for one in found.files:
        yield {
            "file_id": one.file_id,
            "file_guid": one.file_guid,
            "type": one.type,
            "type_desc": {0: "ROWS", 1: "LOG", 2: "FILESTREAM", 4: "FULLTEXT"}[one.type],
            "data_space_id": 0 if one.type == 1 else 1,
            "name": one.name,
            "physical_name": one.physical_name,
            "state": found.state,
            "state_desc": STATES[found.state],
            "size": one.size,
            "max_size": one.max_size,
            "growth": one.growth,
            "is_media_read_only": False,
            "is_read_only": False,
            "is_sparse": False,
            "is_percent_growth": one.is_percent_growth,
            "is_name_reserved": False,
            "is_persistent_log_buffer": False,
        }


@view("sys.database_files", FILES, per_database=True)
def database_files(scope: Scope) -> Iterator[Row]:
    return file_rows(scope.database)


@view("sys.master_files", "database_id int\n" + FILES)
def master_files(scope: Scope) -> Iterator[Row]:
    """Whoever has CREATE DATABASE, ALTER ANY DATABASE or VIEW ANY DEFINITION sees them all, others their own."""
    rights = ("CREATE ANY DATABASE", "ALTER ANY DATABASE", "VIEW ANY DEFINITION")
    every = any(has_server(scope.session, one) for one in rights)
    for found in scope.state.databases.values():
        user = user_of(scope.session, found)
        if every or (user is not None and user.principal_id == 1):
            for one in file_rows(found):
                yield {"database_id": found.database_id, **one}
