"""Memberships of a spec: who is in a role has what it has, and lets others in only where the server made the role."""

from __future__ import annotations

from dbops.errors import InputError
from dbops.model.users import SpecMember

__all__ = ["check", "is_fixed", "wanted"]

SERVER_ROLES = (
    "sysadmin", "securityadmin", "serveradmin", "setupadmin", "processadmin", "diskadmin", "dbcreator", "bulkadmin",
)  # fmt: skip


def is_fixed(member: SpecMember) -> bool:
    """A fixed role of the server, whose members can let others into it."""
    return member.role in SERVER_ROLES or member.role.startswith("##MS_")


def check(member: SpecMember) -> None:
    """:raises InputError: with ``file:line``: an option that no membership has here."""
    if member.inherit is False or member.set is False or (member.admin and not is_fixed(member)):
        raise InputError(
            f"{member.where}: who is in a role has what it has, and lets nobody else in",
            hint="Leave out inherit, set and admin. ALTER on the role lets somebody change its members.",
        )


def wanted(member: SpecMember, role: str, *, admin: bool = False) -> SpecMember:
    """With the options that it has whether they are said or not."""
    return SpecMember(role=role, inherit=True, set=True, admin=admin, where=member.where)
