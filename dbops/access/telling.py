"""Changes of access in plain words, for plans."""

from __future__ import annotations

from dbops.access.naming import spell
from dbops.model.access import Rules
from dbops.model.change import (
    AddDefault,
    AddGrant,
    AddMembership,
    AlterPrincipal,
    Change,
    CreatePrincipal,
    DiscardPassword,
    DropPrincipal,
    ObjectName,
    RemoveDefault,
    RemoveGrant,
    RemoveMembership,
    SetInherited,
    SetOwner,
    SetPassword,
)

__all__ = ["summary"]


def summary(change: Change, rules: Rules) -> str:
    """A change in one line."""
    if isinstance(change, CreatePrincipal):
        return f"create {_sort(change)} {change.name}"
    if isinstance(change, AlterPrincipal):
        return f"alter {change.name}: {_altered(change)}"
    if isinstance(change, SetPassword):
        return f"set a new password for {change.name}{', the old one goes on working' if change.keep_old else ''}"
    if isinstance(change, DiscardPassword):
        return f"end the old password of {change.name}"
    if isinstance(change, DropPrincipal):
        return f"drop {change.name}"
    if isinstance(change, AddMembership | RemoveMembership):
        return _membership(change, rules)
    if isinstance(change, SetInherited):
        return f"let {change.member} begin with {', '.join(change.groups) or 'no role'}"
    if isinstance(change, SetOwner):
        return f"make {change.owner} the owner of {_name(change.object, rules)} (was {change.old})"
    if isinstance(change, AddGrant | RemoveGrant):
        return _grant(change, rules)
    return _default(change)


def _sort(change: CreatePrincipal) -> str:
    return "account" if change.kind == "user" else "login" if "LOGIN" in change.attributes else "role"


def _altered(change: AlterPrincipal) -> str:
    words = [*(f"+{word}" for word in change.gains), *(f"-{word}" for word in change.loses)]
    if change.set_limit:
        limit = "unlimited" if change.connection_limit is None else change.connection_limit
        words.append(f"connection limit {limit}")
    if change.set_until:
        words.append(f"valid until {change.valid_until.isoformat()}" if change.valid_until else "valid for ever")
    words += [f"{one.name.replace('_', ' ')} {one.value or 'as usual'}" for one in change.settings]
    return ", ".join(words)


def _membership(change: AddMembership | RemoveMembership, rules: Rules) -> str:
    if isinstance(change, RemoveMembership):
        return f"take {change.member} out of {change.group}"
    told = ("set",) if rules.inherit_list else ("inherit", "set")
    unlike = [word for word in told if not getattr(change, word)]
    words = [*(f"without {word}" for word in unlike), *(["with admin"] if change.admin else [])]
    return f"let {change.member} into {change.group}{' ' + ', '.join(words) if words else ''}"


def _grant(change: AddGrant | RemoveGrant, rules: Rules) -> str:
    actions, where = ", ".join(change.actions), _name(change.object, rules)
    if isinstance(change, AddGrant):
        if change.deny:
            return f"deny {actions} on {where} to {change.principal}"
        return f"grant {actions} on {where} to {change.principal}{' to pass on' if change.grantable else ''}"
    what = f"the right to pass on {actions}" if change.option_only else actions
    by = f" (granted by {change.grantor})" if change.grantor else ""
    if change.deny:
        return f"no longer deny {actions} on {where} to {change.principal}{by}, which widens access"
    return f"revoke {what} on {where} from {change.principal}{by}"


def _default(change: AddDefault | RemoveDefault) -> str:
    verb = "grant" if isinstance(change, AddDefault) else "no longer grant"
    where = f"{change.database}.{change.schema}" if change.schema else change.database
    what = f"{', '.join(change.actions)} on each new {change.kind} that {change.creator} creates in {where}"
    return f"{verb} {what} to {change.principal}"


def _name(name: ObjectName, rules: Rules) -> str:
    return spell(rules, name.kind, name.path)
