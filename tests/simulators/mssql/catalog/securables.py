"""What rights can be granted on beside tables and code, and what code stands on.

``sys.endpoints``, linked servers, ``sys.assemblies``, keys, certificates and signatures, Service Broker's parts,
``sys.xml_schema_collections``,
``sys.security_policies`` and ``sys.sql_expression_dependencies``. A new database has none of them but what setup
brings; a test sets rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from tests.simulators.mssql import rights
from tests.simulators.mssql.answers import failed
from tests.simulators.mssql.registry import view
from tests.simulators.mssql.scope import Scope

if TYPE_CHECKING:
    from tests.simulators.mssql.model import Object

Row = Mapping[str, object]
ENDPOINTS = {
    1: ("Dedicated Admin Connection", 2, "TCP", True),
    2: ("TSQL Local Machine", 4, "SHARED_MEMORY", False),
    3: ("TSQL Named Pipes", 3, "NAMED_PIPES", False),
    4: ("TSQL Default TCP", 2, "TCP", False),
    5: ("TSQL Default VIA", 5, "VIA", False),
}


@view(
    "sys.endpoints",
    """
    name sysname
    endpoint_id int
    principal_id int?
    protocol tinyint
    protocol_desc nvarchar(60)?
    type tinyint
    type_desc nvarchar(60)?
    state tinyint?
    state_desc nvarchar(60)?
    is_admin_endpoint bit
""",
)
def endpoints(_scope: Scope) -> Iterator[Row]:
    for number, (name, protocol, protocol_desc, admin) in ENDPOINTS.items():
        yield {
            "name": name,
            "endpoint_id": number,
            "principal_id": 1,
            "protocol": protocol,
            "protocol_desc": protocol_desc,
            "type": 2,
            "type_desc": "TSQL",
            "state": 0,
            "state_desc": "STARTED",
            "is_admin_endpoint": admin,
        }


@view(
    "sys.servers",
    """
    server_id int
    name sysname
    product sysname
    provider sysname
    data_source nvarchar(4000)?
    is_linked bit
    is_remote_login_enabled bit
    is_rpc_out_enabled bit
    is_data_access_enabled bit
    is_system bit
    modify_date datetime
""",
)
def servers(scope: Scope) -> Iterator[Row]:
    """This server alone, until a test sets rows."""
    yield {
        "server_id": 0,
        "name": scope.instance.name,
        "product": "SQL Server",
        "provider": "SQLNCLI",
        "data_source": scope.instance.name,
        "is_linked": False,
        "is_remote_login_enabled": True,
        "is_rpc_out_enabled": True,
        "is_data_access_enabled": False,
        "is_system": False,
        "modify_date": scope.now,
    }


def none(_scope: Scope) -> Iterator[Row]:
    """Nothing, until a test sets rows."""
    return iter(())


_KEY = "name sysname\nprincipal_id int?\n"
_EMPTY = {
    "sys.assemblies": _KEY
    + """assembly_id int
    clr_name nvarchar(4000)?
    permission_set tinyint?
    permission_set_desc nvarchar(60)?
    is_visible bit
    create_date datetime
    modify_date datetime
    is_user_defined bit?""",
    "sys.service_message_types": _KEY
    + """message_type_id int
    validation char(2)
    validation_desc nvarchar(60)?
    xml_collection_id int?""",
    "sys.service_contracts": _KEY + "service_contract_id int",
    "sys.services": _KEY + "service_id int\nservice_queue_id int",
    "sys.remote_service_bindings": _KEY
    + """remote_service_binding_id int
    remote_service_name nvarchar(256)?
    service_contract_id int
    remote_principal_id int?
    is_anonymous_on bit""",
    "sys.routes": _KEY
    + """route_id int
    remote_service_name nvarchar(256)?
    broker_instance nvarchar(128)?
    lifetime datetime?
    address nvarchar(256)?
    mirror_address nvarchar(256)?""",
    "sys.fulltext_stoplists": _KEY + "stoplist_id int\ncreate_date datetime\nmodify_date datetime",
    "sys.registered_search_property_lists": _KEY + "property_list_id int\ncreate_date datetime\nmodify_date datetime",
    "sys.database_scoped_credentials": _KEY
    + """credential_id int
    credential_identity nvarchar(4000)?
    create_date datetime
    modify_date datetime
    target_type nvarchar(100)?
    target_id int?""",
    "sys.fulltext_catalogs": _KEY
    + """fulltext_catalog_id int
    path nvarchar(260)?
    is_default bit
    is_accent_sensitivity_on bit
    data_space_id int?
    file_id int?
    is_importing bit""",
    "sys.symmetric_keys": _KEY
    + """symmetric_key_id int
    key_length int
    key_algorithm char(2)
    algorithm_desc nvarchar(60)?
    create_date datetime
    modify_date datetime
    key_guid uniqueidentifier?""",
    "sys.asymmetric_keys": _KEY
    + """asymmetric_key_id int
    pvt_key_encryption_type char(2)
    pvt_key_encryption_type_desc nvarchar(60)?
    thumbprint varbinary(32)
    algorithm char(2)
    algorithm_desc nvarchar(60)?
    key_length int
    sid varbinary(85)?
    string_sid nvarchar(128)?
    public_key varbinary(max)
    attested_by nvarchar(260)?""",
    "sys.certificates": _KEY
    + """certificate_id int
    pvt_key_encryption_type char(2)
    pvt_key_encryption_type_desc nvarchar(60)?
    is_active_for_begin_dialog bit?
    issuer_name nvarchar(442)?
    cert_serial_number nvarchar(64)?
    sid varbinary(85)?
    string_sid nvarchar(128)?
    subject nvarchar(4000)?
    expiry_date datetime?
    start_date datetime?
    thumbprint varbinary(32)
    attested_by nvarchar(260)?
    pvt_key_last_backup_date datetime?""",
    "sys.crypt_properties": """class tinyint
    class_desc nvarchar(60)?
    major_id int
    thumbprint varbinary(32)
    crypt_type char(4)
    crypt_type_desc nvarchar(60)?
    crypt_property varbinary(max)""",
    "sys.xml_schema_collections": _KEY
    + """xml_collection_id int
    schema_id int
    create_date datetime
    modify_date datetime""",
    "sys.security_policies": _KEY
    + """object_id int
    schema_id int
    parent_object_id int
    type varchar(2)
    type_desc nvarchar(60)
    create_date datetime
    modify_date datetime
    is_ms_shipped bit
    is_enabled bit
    is_not_for_replication bit
    uses_database_collation bit?
    is_schema_bound bit""",
    "sys.security_predicates": """object_id int
    security_predicate_id int
    target_object_id int
    predicate_definition nvarchar(max)?
    predicate_type int?
    predicate_type_desc nvarchar(60)?
    operation int?
    operation_desc nvarchar(60)?""",
}
for _name, _columns in _EMPTY.items():
    view(_name, _columns, per_database=True)(none)
view(
    "sys.linked_logins",
    """
    server_id int
    local_principal_id int?
    uses_self_credential bit
    remote_name sysname?
    modify_date datetime
""",
)(none)


@view(
    "sys.sql_expression_dependencies",
    """
    referencing_id int
    referencing_minor_id int
    referencing_class tinyint?
    referencing_class_desc nvarchar(60)?
    is_schema_bound_reference bit
    referenced_class tinyint?
    referenced_class_desc nvarchar(60)?
    referenced_server_name sysname?
    referenced_database_name sysname?
    referenced_schema_name sysname?
    referenced_entity_name sysname?
    referenced_id int?
    referenced_minor_id int
    is_caller_dependent bit
    is_ambiguous bit
""",
    per_database=True,
)
def expression_dependencies(scope: Scope) -> Iterator[Row]:
    """Tables and views by their names in definitions. By default only members of db_owner may select from it."""
    if not rights.is_owner(scope.session, scope.database) and not _in_db_owner(scope):
        raise failed(
            229,
            "The SELECT permission was denied on the object 'sql_expression_dependencies', database "
            f"'{scope.database.name}', schema 'sys'.",
            severity=14,
            state=5,
        )
    for found in scope.database.objects.values():
        for node in _tables(found):
            schema, database = node.db or None, node.catalog or None
            below = None if database else scope.session.find_object(scope.database, node.db, node.name)
            yield {
                "referencing_id": found.object_id,
                "referencing_minor_id": 0,
                "referencing_class": 1,
                "referencing_class_desc": "OBJECT_OR_COLUMN",
                "is_schema_bound_reference": False,
                "referenced_class": 1,
                "referenced_class_desc": "OBJECT_OR_COLUMN",
                "referenced_database_name": database,
                "referenced_schema_name": schema,
                "referenced_entity_name": node.name,
                "referenced_id": below.object_id if below else None,
                "referenced_minor_id": 0,
                "is_caller_dependent": False,
                "is_ambiguous": False,
            }


def _in_db_owner(scope: Scope) -> bool:
    from tests.simulators.mssql import names

    user = names.user_of(scope.session, scope.database)
    return user is not None and (16384, user.principal_id) in scope.database.members


def _tables(found: Object) -> Iterator[exp.Table]:
    if not found.definition:
        return
    try:
        nodes = sqlglot.parse(found.definition, dialect="tsql")
    except SqlglotError:
        return
    for node in nodes:
        for table in node.find_all(exp.Table) if node is not None else ():
            if table.name.casefold() != found.name.casefold():
                yield table
