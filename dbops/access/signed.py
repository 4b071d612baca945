"""Code that is signed with a key: who was made from the key lends it his rights while it runs.

They are added to those of whoever runs it, and a denial to him fails the check all the same: the account "for the
certificate used to sign the module" is one more principal of his security context.
https://learn.microsoft.com/sql/relational-databases/security/permissions-database-engine (the check algorithm)
"""

from __future__ import annotations

from collections.abc import Iterator

from dbops.access.covered import Covered
from dbops.model.access import SecuredObject

__all__ = ["keys", "lenders", "running", "signed"]

RUNS = ("EXECUTE", "SELECT")


def running(effective: Covered, one: SecuredObject) -> str:
    """The action by which code is run; empty for what is no code."""
    actions = effective.snapshot.kind(one).actions
    return next((action for action in RUNS if action in actions), "")


def signed(effective: Covered) -> Iterator[SecuredObject]:
    """The code that somebody lends rights to."""
    return (one for one in effective.snapshot.objects if one.signers and running(effective, one))


def keys(effective: Covered) -> Iterator[SecuredObject]:
    """The keys that somebody was made from, and that code can be signed with."""
    return (
        one
        for one in effective.snapshot.objects
        if one.signers and not running(effective, one) and "keyless" not in one.flags
    )


def lenders(effective: Covered, code: SecuredObject, who: int, target: SecuredObject, action: str) -> tuple[int, ...]:
    """Whose rights let somebody do something while he runs some code; nobody's where it is denied to himself."""
    if effective.rights(target, action)[1] >> who & 1:
        return ()
    holders = effective.nominal(target, action)
    return tuple(one for one in code.signers if holders >> one & 1)
