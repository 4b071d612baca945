"""A users spec: as it was written (:class:`Desired`), and in one engine's own words (:class:`Wanted`).

``where`` is always ``file:line``, so that whatever is wrong later can still be found.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

from dbops.model.change import Setting
from dbops.plan import SecretRef

__all__ = [
    "Delta",
    "Desired",
    "Future",
    "PlannedStep",
    "Requirement",
    "SpecGrant",
    "SpecMember",
    "SpecOwned",
    "SpecPrincipal",
    "UsersPlan",
    "Wanted",
    "WantedGrant",
    "WantedOwner",
    "WantedPrincipal",
]

Future = Literal["no", "also", "only"]
State = Literal["present", "locked", "absent"]
Until = datetime | Literal["keep", "never"]
Limit = int | Literal["keep", "unlimited"]
Sort = Literal["role", "user"]


class SpecGrant(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of ``grants``, or of ``denies``, which has an object, actions and columns alone.

    :param future: ``also``: on new objects as well; ``only``: not on those that are there.
    :param creators: whose new objects; empty: everybody who may create there.
    """

    object: str
    can: tuple[str, ...]
    columns: tuple[str, ...] = ()
    future: Future = "no"
    creators: tuple[str, ...] = ()
    grantable: bool = False
    where: str = ""


class SpecMember(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of ``member_of``; an option left out is the engine's default."""

    role: str
    inherit: bool | None = None
    set: bool | None = None
    admin: bool = False
    where: str = ""


class SpecOwned(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of ``owns``."""

    object: str
    where: str = ""


class SpecPrincipal(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of ``roles`` or ``users``, the grants of its profiles already among its own.

    :param hashed: the secret is not the password, but what a server stores of it. :param sid: as it was written.
    """

    name: str
    login: bool
    state: State = "present"
    attributes: tuple[str, ...] = ()
    member_of: tuple[SpecMember, ...] = ()
    grants: tuple[SpecGrant, ...] = ()
    denies: tuple[SpecGrant, ...] = ()
    owns: tuple[SpecOwned, ...] = ()
    password: SecretRef | None = None
    generate: bool = False
    hashed: bool = False
    sid: str = ""
    valid_until: Until = "keep"
    connection_limit: Limit = "keep"
    hosts: tuple[str, ...] = ()
    settings: tuple[Setting, ...] = ()
    where: str = ""


class Desired(msgspec.Struct, frozen=True, kw_only=True):
    """A spec, read and checked, in its portable words.

    :param managed: patterns of principals (``*``); nobody else is ever touched.
    :param databases: the only ones whose objects are touched.
    """

    managed: tuple[str, ...]
    databases: tuple[str, ...]
    principals: tuple[SpecPrincipal, ...]
    origin: str = "spec"


class WantedPrincipal(msgspec.Struct, frozen=True, kw_only=True):
    """An account in the engine's own attributes.

    :param kind: told apart only where an engine does. :param user: and ``host`` and ``database`` are as
        :class:`~dbops.model.access.Principal` has them.
    :param hashed: as :class:`SpecPrincipal` has it. :param sid: as :attr:`~dbops.model.access.Principal.sid` has it.
    :param every_host: all accounts of ``user`` that are there are meant; ``name`` is the one made when there is none.
    :param settings: compared and set one by one; what is not said is left as it is.
    :param lacking: why it cannot be made, should it not be there; empty: it can.
    """

    name: str
    state: State
    attributes: tuple[str, ...]
    member_of: tuple[SpecMember, ...]
    password: SecretRef | None = None
    generate: bool = False
    hashed: bool = False
    sid: str = ""
    valid_until: Until = "keep"
    connection_limit: Limit = "keep"
    where: str = ""
    kind: Sort = "role"
    user: str = ""
    host: str = ""
    every_host: bool = False
    database: str = ""
    settings: tuple[Setting, ...] = ()
    lacking: str = ""


class WantedGrant(msgspec.Struct, frozen=True, kw_only=True):
    """Actions in the engine's own words on an object or, with ``*`` as a part of the path, on several.

    :param deny: they are forbidden, on engines where rights cover what is inside and can be denied.
    """

    principal: str
    kind: str
    path: tuple[str, ...]
    actions: tuple[str, ...]
    columns: tuple[str, ...] = ()
    future: Future = "no"
    creators: tuple[str, ...] = ()
    grantable: bool = False
    deny: bool = False
    where: str = ""


class WantedOwner(msgspec.Struct, frozen=True, kw_only=True):
    """Who shall own an object, or those that fit a pattern."""

    principal: str
    kind: str
    path: tuple[str, ...]
    where: str = ""


class Requirement(msgspec.Struct, frozen=True, kw_only=True):
    """What must be so on the server for a spec to be possible: an object is flagged ``flag``.

    :param otherwise: what is said where it is not, :param hint: and what to do about it.
    """

    kind: str
    path: tuple[str, ...]
    flag: str
    otherwise: str
    hint: str
    where: str = ""


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """A spec in the words of one engine and version.

    :param notes: what the reader of a plan should know about the meaning that the spec has there.
    """

    managed: tuple[str, ...]
    databases: tuple[str, ...]
    principals: tuple[WantedPrincipal, ...]
    grants: tuple[WantedGrant, ...]
    owners: tuple[WantedOwner, ...]
    origin: str = "spec"
    notes: tuple[str, ...] = ()
    requirements: tuple[Requirement, ...] = ()


class Delta(msgspec.Struct, frozen=True, kw_only=True):
    """What one principal can do more and less; each entry reads ``ACTION on kind:name``, nominal access unless it
    says otherwise."""

    principal: str
    gains: tuple[str, ...] = ()
    loses: tuple[str, ...] = ()


class PlannedStep(msgspec.Struct, frozen=True, kw_only=True):
    """One step as it is shown; ``sql`` with every secret replaced by its reference."""

    summary: str
    risk: str
    sql: str = ""
    undo: str = ""


class UsersPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What a spec would change.

    :param access_delta: what each principal gains and loses in nominal access, and ``LOGIN``.
    """

    status: Literal["in_sync", "drift"]
    changes: int
    steps: tuple[PlannedStep, ...]
    access_delta: tuple[Delta, ...]
    notes: tuple[str, ...] = ()
