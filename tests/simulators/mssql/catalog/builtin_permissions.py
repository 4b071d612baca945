"""sys.fn_builtin_permissions and sys.fn_my_permissions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tests.simulators.mssql.functions.effective import holds, securable_named
from tests.simulators.mssql.permissions import BUILTIN, of_class
from tests.simulators.mssql.registry import table_function
from tests.simulators.mssql.scope import Scope

Row = Mapping[str, object]


@table_function(
    "sys.fn_builtin_permissions",
    """
    class_desc nvarchar(60)?
    permission_name nvarchar(60)?
    type char(4)?
    covering_permission_name nvarchar(60)?
    parent_class_desc nvarchar(60)?
    parent_covering_permission_name nvarchar(60)?
""",
)
def builtin_permissions(scope: Scope, class_desc: str | None) -> Iterator[Row]:
    """DEFAULT, NULL and an empty text mean every class; a class that there is not gives no rows."""
    for one in BUILTIN.values():
        wanted = not class_desc or one.class_desc.casefold() == class_desc.casefold()
        if wanted and one.since <= scope.instance.major:
            yield {
                "class_desc": one.class_desc,
                "permission_name": one.name,
                "type": one.type.ljust(4),
                "covering_permission_name": one.covering,
                "parent_class_desc": one.parent,
                "parent_covering_permission_name": one.parent_covering,
            }


@table_function("sys.fn_my_permissions", "entity_name sysname?\nsubentity_name sysname?\npermission_name nvarchar(60)?")
def my_permissions(scope: Scope, name: str | None, class_desc: str | None) -> Iterator[Row]:
    upper = (class_desc or "SERVER").upper()
    found = securable_named(scope.session, upper, name)
    if found is None:
        return
    for one in of_class(upper, scope.instance.major):
        if holds(scope.session, one.name, *found):
            yield {"entity_name": name or upper.lower(), "subentity_name": "", "permission_name": one.name}
