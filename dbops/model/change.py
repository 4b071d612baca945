"""Changes of access: each is one difference between what is and what is wanted, in names a person can read.

A change is applied to a snapshot in memory (:mod:`dbops.access.simulate`), compiled to statements by a backend, and
shown in a plan; the three read the same struct.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

from dbops.plan import SecretRef

__all__ = [
    "AddDefault",
    "AddGrant",
    "AddMembership",
    "AlterPrincipal",
    "Change",
    "CreatePrincipal",
    "DiscardPassword",
    "DropPrincipal",
    "MemberOptions",
    "ObjectName",
    "RemoveDefault",
    "RemoveGrant",
    "RemoveMembership",
    "SetInherited",
    "SetOwner",
    "SetPassword",
    "Setting",
]


class ObjectName(msgspec.Struct, frozen=True):
    """An object by kind and path, as :class:`~dbops.model.access.SecuredObject` has them."""

    kind: str
    path: tuple[str, ...]


class Setting(msgspec.Struct, frozen=True):
    """A setting of an account; an empty value is that of everybody who has none of his own."""

    name: str
    value: str


class CreatePrincipal(msgspec.Struct, frozen=True, kw_only=True, tag_field="change", tag="create"):
    """A new account or role. ``generate`` asks for a password to be made up and written where ``password`` points.

    :param hashed: what ``password`` points to is what a server stores of one.
    :param sid: the identifier that it is to have; empty: the server's choice.

    ``kind``, ``user``, ``host`` and ``database`` are as :class:`~dbops.model.access.Principal` has them.
    """

    name: str
    attributes: tuple[str, ...]
    connection_limit: int | None = None
    valid_until: datetime | None = None
    password: SecretRef | None = None
    generate: bool = False
    hashed: bool = False
    sid: str = ""
    kind: Literal["role", "user"] = "role"
    user: str = ""
    host: str = ""
    database: str = ""
    settings: tuple[Setting, ...] = ()


class AlterPrincipal(msgspec.Struct, frozen=True, kw_only=True, tag_field="change", tag="alter"):
    """Attributes given and taken; a limit or an end is only touched where ``set_limit`` or ``set_until`` says so.

    :param settings: with new values, :param old_settings: and with those that they replace.
    """

    name: str
    gains: tuple[str, ...] = ()
    loses: tuple[str, ...] = ()
    set_limit: bool = False
    connection_limit: int | None = None
    old_limit: int | None = None
    set_until: bool = False
    valid_until: datetime | None = None
    old_until: datetime | None = None
    settings: tuple[Setting, ...] = ()
    old_settings: tuple[Setting, ...] = ()


class SetPassword(msgspec.Struct, frozen=True, kw_only=True, tag_field="change", tag="password"):
    """A new password for an account that is there.

    :param stored: how the present one is stored, as :class:`~dbops.model.access.Principal` has it; empty: unknown.
    :param keep_old: the old one goes on working beside it, until it is discarded.
    """

    name: str
    password: SecretRef
    generate: bool = False
    stored: str = ""
    keep_old: bool = False


class DiscardPassword(msgspec.Struct, frozen=True, kw_only=True, tag_field="change", tag="discard"):
    """An end to the old password that :class:`SetPassword` kept."""

    name: str


class DropPrincipal(msgspec.Struct, frozen=True, kw_only=True, tag_field="change", tag="drop"):
    """Away with an account; ``attributes`` and ``kind`` are what undoing needs."""

    name: str
    attributes: tuple[str, ...] = ()
    kind: Literal["role", "user"] = "role"


class MemberOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What comes with a membership."""

    inherit: bool = True
    set: bool = True
    admin: bool = False


class AddMembership(msgspec.Struct, frozen=True, kw_only=True, tag_field="change", tag="add_member"):
    """Also changes the options of a membership that is there, which had the ``old`` ones."""

    member: str
    group: str
    inherit: bool = True
    set: bool = True
    admin: bool = False
    grantor: str = ""
    old: MemberOptions | None = None

    @property
    def less_admin(self) -> bool:
        """Whether it had ADMIN and shall not."""
        return self.old is not None and self.old.admin and not self.admin


class RemoveMembership(msgspec.Struct, frozen=True, kw_only=True, tag_field="change", tag="remove_member"):
    """One membership, under one grantor; the options are what undoing needs."""

    member: str
    group: str
    grantor: str = ""
    inherit: bool = True
    set: bool = True
    admin: bool = False


class SetInherited(msgspec.Struct, frozen=True, kw_only=True, tag_field="change", tag="inherit"):
    """Of which groups ``member`` has the privileges at once, where an engine takes all of them in one list."""

    member: str
    groups: tuple[str, ...]
    old: tuple[str, ...] = ()


class AddGrant(msgspec.Struct, frozen=True, kw_only=True, tag_field="change", tag="grant"):
    """Actions on one object. ``grantor`` is the owner of the object when it is empty.

    :param deny: they are forbidden, on engines where that can be said; in the place of a grant, as a grant is of it.
    :param option_only: he granted the actions before, and just the right to pass them on is new, as undoing must know.
    :param against: of a column, whose table says the opposite to him. Undoing says again what the table says: a REVOKE
        would part the column from it for good.
    """

    principal: str
    object: ObjectName
    actions: tuple[str, ...]
    option_only: bool = False
    grantable: bool = False
    grantor: str = ""
    deny: bool = False
    against: bool = False


class RemoveGrant(msgspec.Struct, frozen=True, kw_only=True, tag_field="change", tag="revoke"):
    """Actions off one object, or (``option_only``) just the right to pass them on; with ``deny`` it is a denial.

    :param grantable: all of them could be passed on, as undoing must know.
    """

    principal: str
    object: ObjectName
    actions: tuple[str, ...]
    option_only: bool = False
    grantable: bool = False
    grantor: str = ""
    deny: bool = False


class SetOwner(msgspec.Struct, frozen=True, kw_only=True, tag_field="change", tag="own"):
    """Another owner."""

    object: ObjectName
    owner: str
    old: str


class AddDefault(msgspec.Struct, frozen=True, kw_only=True, tag_field="change", tag="default"):
    """What ``principal`` gets on objects of ``kind`` that ``creator`` will make; ``schema`` empty for everywhere.

    ``option_only`` is as :class:`AddGrant` has it.
    """

    creator: str
    database: str
    schema: str
    kind: str
    principal: str
    actions: tuple[str, ...]
    option_only: bool = False
    grantable: bool = False


class RemoveDefault(msgspec.Struct, frozen=True, kw_only=True, tag_field="change", tag="undefault"):
    """The reverse of :class:`AddDefault`; ``grantable`` is what undoing needs."""

    creator: str
    database: str
    schema: str
    kind: str
    principal: str
    actions: tuple[str, ...]
    option_only: bool = False
    grantable: bool = False


Change = (
    CreatePrincipal
    | AlterPrincipal
    | SetPassword
    | DiscardPassword
    | DropPrincipal
    | AddMembership
    | RemoveMembership
    | SetInherited
    | AddGrant
    | RemoveGrant
    | SetOwner
    | AddDefault
    | RemoveDefault
)
