"""What clients ask on their own: which views there are, and by which way they came."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tests.simulators.mssql.registry import VIEWS, function, view
from tests.simulators.mssql.scope import Scope
from tests.simulators.mssql.session import Session

Row = Mapping[str, object]


@view(
    "sys.system_views",
    """
    name nvarchar(128)
    object_id int
    schema_id int
    type char(2)
    type_desc nvarchar(60)?
    is_ms_shipped bit
    """,
)
def system_views(_scope: Scope) -> Iterator[Row]:
    """Those that the simulator knows."""
    for number, name in enumerate(sorted(VIEWS), start=1):
        schema, _, plain = name.partition(".")
        if schema == "sys":
            yield {
                "name": plain, "object_id": -number, "schema_id": 4, "type": "V", "type_desc": "VIEW",
                "is_ms_shipped": True,
            }  # fmt: skip


@function("CONNECTIONPROPERTY", "sql_variant", "nvarchar(128)")
def connection_property(_session: Session, name: str | None) -> object:
    known = {
        "net_transport": "TCP",
        "protocol_type": "TSQL",
        "auth_scheme": "SQL",
        "local_net_address": "127.0.0.1",
        "client_net_address": "127.0.0.1",
        "physical_net_transport": "TCP",
    }
    return known.get((name or "").lower())
