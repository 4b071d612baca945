"""The change that takes another one back."""

from __future__ import annotations

import msgspec

from dbops.model.change import (
    AddDefault,
    AddGrant,
    AddMembership,
    AlterPrincipal,
    Change,
    CreatePrincipal,
    DiscardPassword,
    DropPrincipal,
    MemberOptions,
    RemoveDefault,
    RemoveGrant,
    RemoveMembership,
    SetInherited,
    SetOwner,
    SetPassword,
)

__all__ = ["reverse", "reverse_alter"]

_PAIRS: tuple[tuple[type[Change], type[Change]], ...] = (
    (CreatePrincipal, DropPrincipal),
    (AddMembership, RemoveMembership),
    (AddGrant, RemoveGrant),
    (AddDefault, RemoveDefault),
)
_OPPOSITES = {**dict(_PAIRS), **{back: forth for forth, back in _PAIRS}}


def reverse(change: Change) -> Change | None:
    """None for what cannot be taken back: a password. What was dropped comes back without a password and rights."""
    if isinstance(change, SetPassword | DiscardPassword):
        return None
    if isinstance(change, AlterPrincipal):
        return reverse_alter(change)
    if isinstance(change, AddMembership) and change.old is not None:
        return _options_back(change, change.old)
    if isinstance(change, SetInherited):
        return SetInherited(member=change.member, groups=change.old, old=change.groups)
    if isinstance(change, SetOwner):
        return SetOwner(object=change.object, owner=change.old, old=change.owner)
    if isinstance(change, AddGrant) and change.against:
        return msgspec.structs.replace(change, deny=not change.deny, grantable=False)
    opposite = _OPPOSITES[type(change)]
    return opposite(**{name: getattr(change, name) for name in _shared(type(change), opposite)})


def reverse_alter(change: AlterPrincipal) -> AlterPrincipal:
    """Attributes, limits, ends and settings as they were."""
    return msgspec.structs.replace(
        change,
        gains=change.loses,
        loses=change.gains,
        connection_limit=change.old_limit,
        old_limit=change.connection_limit,
        valid_until=change.old_until,
        old_until=change.valid_until,
        settings=change.old_settings,
        old_settings=change.settings,
    )


def _options_back(change: AddMembership, old: MemberOptions) -> AddMembership:
    left = MemberOptions(inherit=change.inherit, set=change.set, admin=change.admin)
    return msgspec.structs.replace(change, inherit=old.inherit, set=old.set, admin=old.admin, old=left)


def _shared(one: type[Change], other: type[Change]) -> list[str]:
    return [name for name in one.__struct_fields__ if name in other.__struct_fields__]
