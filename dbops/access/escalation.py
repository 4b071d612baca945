"""Ways by which somebody who is bound by denials comes to be somebody to whom nothing is denied.

They are no access yet, so they are kept apart from it: a member of one role may grant himself anything, who can
impersonate an administrator is one, code of a database that the server trusts acts as the owner of that database, and
code that is signed with a key of which an administrator was made has his rights.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import msgspec

from dbops.access.covered import Covered
from dbops.access.naming import label
from dbops.access.signed import keys
from dbops.model.access import SecuredObject

__all__ = ["Escalation", "escalations", "mighty", "trusted"]


class Escalation(msgspec.Struct, frozen=True, kw_only=True):
    """:param who: a set of principals. :param to: who they come to be. :param by: the role, right, database or key."""

    kind: Literal["role", "strong", "impersonate", "trustworthy", "signing"]
    who: int
    to: str
    by: str
    summary: str


def escalations(effective: Covered) -> Iterator[Escalation]:
    """All of them; the unbound themselves are in none."""
    yield from (one for one in _all(effective) if one.who)


def _all(effective: Covered) -> Iterator[Escalation]:
    covering, unbound = effective.covering, effective.contexts.unbound
    for role in covering.escalates:
        number = effective.contexts.named("", role)
        who = effective.contexts.holders(number) & ~unbound & ~(1 << number) if number >= 0 else 0
        summary = f"members of {role} can grant most rights, so {role} is to be treated as {covering.unbound}"
        yield Escalation(kind="role", who=who, to=covering.unbound, by=role, summary=summary)
    strong = _strong(effective)
    great = unbound | strong
    summary = f"{covering.strong} lets impersonate every login, {covering.unbound} among them"
    yield Escalation(kind="strong", who=strong & ~unbound, to=covering.unbound, by=covering.strong, summary=summary)
    yield from _impersonated(effective, great)
    yield from _trusted(effective, great)
    yield from _signing(effective, great)


def mighty(effective: Covered) -> int:
    """Those to whom nothing is denied, and those who can become one of them by the one right that leads to all."""
    return effective.contexts.unbound | _strong(effective)


def trusted(database: SecuredObject, great: int) -> bool:
    """Whether code of a database acts on the whole server as the accounts that its users are: if it is trustworthy, and
    its owner, who answers for that, may do it all."""
    return "trustworthy" in database.flags and database.owner >= 0 and bool(great >> database.owner & 1)


def _strong(effective: Covered) -> int:
    """Who has the one right that leads to all, and is not kept from impersonating by a denial."""
    server = next((one for one in effective.snapshot.objects if one.kind == "server"), None)
    if server is None or effective.covering.strong not in effective.snapshot.kind(server).actions:
        return 0
    found = effective.nominal(server, effective.covering.strong)
    targets = [one for one in _accounts(effective) if effective.contexts.unbound >> effective.principal_of(one) & 1]
    can = 0
    for one in targets:
        can |= effective.nominal(one, effective.covering.accounts[one.kind])
    return found & (can if targets else found)


def _accounts(effective: Covered) -> list[SecuredObject]:
    return [
        one for one in effective.snapshot.objects if effective.covering.accounts.get(one.kind) and len(one.path) == 1
    ]


def _impersonated(effective: Covered, great: int) -> Iterator[Escalation]:
    for one in _accounts(effective):
        number = effective.principal_of(one)
        if number >= 0 and effective.contexts.unbound >> number & 1:
            action = effective.covering.accounts[one.kind]
            name = effective.snapshot.principals[number].name
            yield Escalation(
                kind="impersonate",
                who=effective.nominal(one, action) & ~great,
                to=name,
                by=label(effective.snapshot, one),
                summary=f"{action} on {label(effective.snapshot, one)} makes an administrator of whoever has it",
            )


def _trusted(effective: Covered, great: int) -> Iterator[Escalation]:
    """Who can act as the owner's user of a trustworthy database is the owner of it on the whole server."""
    for name, database in effective.databases.items():
        if not trusted(database, great):
            continue
        dbo = effective.contexts.named(name, effective.covering.owner)
        who = effective.contexts.owning(name)
        for one in effective.snapshot.objects:
            action = effective.covering.accounts.get(one.kind)
            if action and len(one.path) > 1 and effective.principal_of(one) == dbo:
                who |= effective.nominal(one, action)
        owner = effective.snapshot.principals[database.owner].name
        yield Escalation(
            kind="trustworthy",
            who=who & ~great & ~(1 << dbo if dbo >= 0 else 0),
            to=owner,
            by=f"database:{name}",
            summary=f"database:{name} is trustworthy and owned by {owner}, as whom its code can act everywhere",
        )


def _signing(effective: Covered, great: int) -> Iterator[Escalation]:
    """Who has what the owner of a key has can sign code of his own with it.

    https://learn.microsoft.com/sql/t-sql/statements/add-signature-transact-sql#permissions (CONTROL of the key)
    """
    for key in keys(effective):
        made = next((one for one in key.signers if great >> one & 1), -1)
        if made < 0:
            continue
        who = 0
        for action in effective.snapshot.kind(key).owner_actions:
            who |= effective.nominal(key, action)
        to, by = effective.snapshot.principals[made].name, label(effective.snapshot, key)
        summary = f"code that is signed with {by} has the rights of {to}, and who controls it can sign his own"
        yield Escalation(kind="signing", who=who & ~great, to=to, by=by, summary=summary)
