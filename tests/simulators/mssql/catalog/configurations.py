"""``sys.configurations``: the options that dbops asks for, with what setup gives them and what a test set."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tests.simulators.mssql.registry import view
from tests.simulators.mssql.scope import Scope

# By name: number, default, least, most, whether it takes effect without a restart, whether it is an advanced option.
OPTIONS: Mapping[str, tuple[int, int, int, int, bool, bool]] = {
    "allow updates": (102, 0, 0, 1, True, False),
    "cross db ownership chaining": (400, 0, 0, 1, True, False),
    "max server memory (MB)": (1544, 2147483647, 128, 2147483647, True, True),
    "min server memory (MB)": (1543, 0, 0, 2147483647, True, True),
    "scan for startup procs": (1547, 0, 0, 1, False, True),
    "show advanced options": (518, 0, 0, 1, True, False),
    "clr enabled": (1562, 0, 0, 1, True, False),
    "remote access": (117, 1, 0, 1, False, False),
    "remote admin connections": (1576, 0, 0, 1, True, False),
    "Database Mail XPs": (16386, 0, 0, 1, True, True),
    "Ole Automation Procedures": (16388, 0, 0, 1, True, True),
    "xp_cmdshell": (16390, 0, 0, 1, True, True),
    "Ad Hoc Distributed Queries": (16391, 0, 0, 1, True, True),
    "contained database authentication": (16393, 0, 0, 1, True, False),
    "backup compression default": (1579, 0, 0, 1, True, False),
    "backup checksum default": (1584, 0, 0, 1, True, False),
    "clr strict security": (1587, 1, 0, 1, True, True),
    "external scripts enabled": (1586, 0, 0, 1, True, False),
}


@view(
    "sys.configurations",
    """
    configuration_id int
    name nvarchar(35)
    value sql_variant?
    minimum sql_variant?
    maximum sql_variant?
    value_in_use sql_variant?
    description nvarchar(255)
    is_dynamic bit
    is_advanced bit
    """,
)
def configurations(scope: Scope) -> Iterator[Mapping[str, object]]:
    for name, (number, usual, least, most, dynamic, advanced) in OPTIONS.items():
        value = scope.state.configurations.get(name, usual)
        yield {
            "configuration_id": number,
            "name": name,
            "value": scope.state.pending.get(name, value),
            "minimum": least,
            "maximum": most,
            "value_in_use": value,
            "description": name,
            "is_dynamic": dynamic,
            "is_advanced": advanced,
        }
