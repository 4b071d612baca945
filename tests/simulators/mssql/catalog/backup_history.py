"""What msdb remembers of backups: the sets, and the media they went to; none, until a test sets rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from tests.simulators.mssql.registry import view
from tests.simulators.mssql.scope import Scope

Rows = Iterable[Mapping[str, object]]


@view(
    "dbo.backupset",
    """
    backup_set_id int
    backup_set_uuid uniqueidentifier
    media_set_id int
    first_family_number tinyint?
    first_media_number smallint?
    last_family_number tinyint?
    last_media_number smallint?
    catalog_family_number tinyint?
    catalog_media_number smallint?
    position int?
    expiration_date datetime?
    software_vendor_id int?
    name nvarchar(128)?
    description nvarchar(255)?
    user_name nvarchar(128)?
    software_major_version tinyint?
    software_minor_version tinyint?
    software_build_version smallint?
    time_zone smallint?
    mtf_minor_version tinyint?
    first_lsn numeric(25,0)?
    last_lsn numeric(25,0)?
    checkpoint_lsn numeric(25,0)?
    database_backup_lsn numeric(25,0)?
    database_creation_date datetime?
    backup_start_date datetime?
    backup_finish_date datetime?
    type char(1)?
    sort_order smallint?
    code_page smallint?
    compatibility_level tinyint?
    database_version int?
    backup_size numeric(20,0)?
    database_name nvarchar(128)?
    server_name nvarchar(128)?
    machine_name nvarchar(128)?
    flags int?
    unicode_locale int?
    unicode_compare_style int?
    collation_name nvarchar(128)?
    is_password_protected bit?
    recovery_model nvarchar(60)?
    has_bulk_logged_data bit?
    is_snapshot bit?
    is_readonly bit?
    is_single_user bit?
    has_backup_checksums bit?
    is_damaged bit?
    begins_log_chain bit?
    has_incomplete_metadata bit?
    is_force_offline bit?
    is_copy_only bit?
    first_recovery_fork_guid uniqueidentifier?
    last_recovery_fork_guid uniqueidentifier?
    fork_point_lsn numeric(25,0)?
    database_guid uniqueidentifier?
    family_guid uniqueidentifier?
    differential_base_lsn numeric(25,0)?
    differential_base_guid uniqueidentifier?
    compressed_backup_size numeric(20,0)?
    key_algorithm nvarchar(32)?
    encryptor_thumbprint varbinary(20)?
    encryptor_type nvarchar(32)?
    last_valid_restore_time datetime? 16+
    compression_algorithm nvarchar(32)? 16+
    """,
    database="msdb",
)
def backup_sets(scope: Scope) -> Rows:
    return ()


@view(
    "dbo.backupmediafamily",
    """
    media_set_id int
    family_sequence_number tinyint
    media_family_id uniqueidentifier?
    media_count int?
    logical_device_name nvarchar(128)?
    physical_device_name nvarchar(260)?
    device_type tinyint?
    physical_block_size int?
    mirror tinyint
    """,
    database="msdb",
)
def media_families(scope: Scope) -> Rows:
    return ()
