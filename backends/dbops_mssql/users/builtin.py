"""Which permissions there are, without asking a server: what a spec may say of which kind of object.

What ``sys.fn_builtin_permissions`` lists, by class and by the major version that brought it; what covers what is only
known from the server itself. https://learn.microsoft.com/sql/relational-databases/security/permissions-database-engine
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files

import msgspec

from dbops.model.access import Rules
from dbops_mssql.access.kinds import Builtin, rules

__all__ = ["shipped"]


@cache
def shipped(major: int) -> Rules:
    """The rules of a release, without its hierarchy."""
    data = files("dbops_mssql").joinpath("users/builtin.json").read_bytes()
    known = msgspec.json.decode(data, type=dict[str, dict[str, tuple[str, ...]]])
    return rules(
        Builtin(class_, permission, "", "", "")
        for class_, by_version in known.items()
        for since, permissions in by_version.items()
        if int(since) <= major
        for permission in permissions
    )
