"""The change that takes another one back."""

from __future__ import annotations

from functools import singledispatch

from dbops.model.change import (
    AddDefault,
    AddGrant,
    AddMembership,
    AlterPrincipal,
    Change,
    CreatePrincipal,
    DropPrincipal,
    RemoveDefault,
    RemoveGrant,
    RemoveMembership,
    SetInherited,
    SetOwner,
)

__all__ = ["reverse"]


@singledispatch
def reverse(change: Change) -> Change | None:  # noqa: ARG001
    """None for what cannot be taken back: a password. What was dropped comes back without a password and rights."""
    return None


@reverse.register
def _(change: CreatePrincipal) -> Change | None:
    return DropPrincipal(name=change.name, attributes=change.attributes, kind=change.kind)


@reverse.register
def _(change: DropPrincipal) -> Change | None:
    return CreatePrincipal(name=change.name, attributes=change.attributes, kind=change.kind)


@reverse.register
def _(change: AlterPrincipal) -> Change | None:
    return AlterPrincipal(
        name=change.name,
        gains=change.loses,
        loses=change.gains,
        set_limit=change.set_limit,
        connection_limit=change.old_limit,
        old_limit=change.connection_limit,
        set_until=change.set_until,
        valid_until=change.old_until,
        old_until=change.valid_until,
    )


@reverse.register
def _(change: AddMembership) -> Change | None:
    return RemoveMembership(
        member=change.member,
        group=change.group,
        grantor=change.grantor,
        inherit=change.inherit,
        set=change.set,
        admin=change.admin,
    )


@reverse.register
def _(change: RemoveMembership) -> Change | None:
    return AddMembership(
        member=change.member,
        group=change.group,
        grantor=change.grantor,
        inherit=change.inherit,
        set=change.set,
        admin=change.admin,
    )


@reverse.register
def _(change: SetInherited) -> Change | None:
    return SetInherited(member=change.member, groups=change.old, old=change.groups)


@reverse.register
def _(change: AddGrant) -> Change | None:
    return RemoveGrant(
        principal=change.principal,
        object=change.object,
        actions=change.actions,
        grantable=change.grantable,
        grantor=change.grantor,
        deny=change.deny,
    )


@reverse.register
def _(change: RemoveGrant) -> Change | None:
    return AddGrant(
        principal=change.principal,
        object=change.object,
        actions=change.actions,
        grantable=change.grantable,
        grantor=change.grantor,
        deny=change.deny,
    )


@reverse.register
def _(change: SetOwner) -> Change | None:
    return SetOwner(object=change.object, owner=change.old, old=change.owner)


@reverse.register
def _(change: AddDefault) -> Change | None:
    return RemoveDefault(
        creator=change.creator,
        database=change.database,
        schema=change.schema,
        kind=change.kind,
        principal=change.principal,
        actions=change.actions,
        grantable=change.grantable,
    )


@reverse.register
def _(change: RemoveDefault) -> Change | None:
    return AddDefault(
        creator=change.creator,
        database=change.database,
        schema=change.schema,
        kind=change.kind,
        principal=change.principal,
        actions=change.actions,
        grantable=change.grantable,
    )
