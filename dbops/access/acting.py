"""Code that acts as somebody else (``EXECUTE AS``) outside of its database.

By default "the scope of impersonation is restricted to the database"; a trustworthy one, whose owner answers for it,
lets its code act everywhere as the account that the user is.
https://learn.microsoft.com/previous-versions/sql/sql-server-2008-r2/ms188304(v=sql.105)
"""

from __future__ import annotations

from collections.abc import Iterator

from dbops.access.covered import Covered
from dbops.access.escalation import mighty, trusted
from dbops.access.signed import running
from dbops.model.access import SecuredObject

__all__ = ["acting"]


def acting(effective: Covered) -> Iterator[tuple[SecuredObject, int]]:
    """Code that the server trusts, and the account as which it acts everywhere."""
    great = mighty(effective)
    inside = {name for name, one in effective.databases.items() if trusted(one, great)}
    on_server = effective.contexts.on_server
    for code in effective.snapshot.objects if inside else ():
        if "definer" in code.flags and code.runs_as >= 0 and code.database in inside and running(effective, code):
            account = effective.contexts.account(code.runs_as)
            if on_server >> account & 1:
                yield code, account
