"""Access: one frozen reading of who may do what.

Principals, objects and access lists refer to each other by their position in the tuples of the snapshot, and equal
access lists are stored once: a server with thousands of tables and roles stays small, in memory and as a file.
Principal 0 is always the public, whatever an engine calls "everybody".

What the engine's words mean travels with the facts, as :class:`Rules`: a snapshot read from a file is judged without
the backend that made it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

from dbops.model.finding import Missing
from dbops.model.judging import Covering, Fixed, Matching, Reserved
from dbops.model.server import Version

__all__ = [
    "FORMAT",
    "PUBLIC",
    "UNKNOWN_MEMBERS",
    "AccessSnapshot",
    "Covering",
    "DefaultGrant",
    "Everywhere",
    "Fixed",
    "Gate",
    "Grant",
    "Implied",
    "Kind",
    "Matching",
    "Membership",
    "Principal",
    "Reads",
    "Reserved",
    "RowOrder",
    "Rules",
    "Scope",
    "SecuredObject",
    "Word",
]

FORMAT: Literal["dbops.access/1"] = "dbops.access/1"
PUBLIC = 0
UNKNOWN_MEMBERS = "MEMBERS UNKNOWN"
"""The attribute of a group that others keep (a directory), and that did not tell everybody who is in it."""


class Scope(msgspec.Struct, frozen=True, kw_only=True):
    """What to read. Empty means every database that the login can connect to."""

    databases: tuple[str, ...] = ()


class Gate(msgspec.Struct, frozen=True):
    """An action on a containing object without which nothing inside can be used, such as USAGE on the schema."""

    kind: str
    action: str


class Implied(msgspec.Struct, frozen=True):
    """``action`` is also held by whoever holds ``by_action`` on the nearest containing (or the same) ``by_kind``."""

    action: str
    by_kind: str
    by_action: str


class Word(msgspec.Struct, frozen=True):
    """What a portable word of a users spec (read, write, execute, ddl, admin) means for one kind of object."""

    word: str
    actions: tuple[str, ...]


class Kind(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of object.

    :param actions: in the order of the bits of :class:`Grant`.
    :param family: the kind under which a pattern finds it too (a view is found by ``table:``).
    :param depth: how many parts its name has.
    :param signature: the last part is a signature, ``total(integer, text)``, and is never quoted again.
    :param contained: it lives in the database that is the first part of its name.
    :param owner_actions: what owning gives by itself, without a grant.
    :param public_actions: what PUBLIC has on a new object, by the engine's built-in default.
    :param admin_only: actions that only a bypass gives on objects flagged ``catalog``.
    :param option: the action whose holder may pass on everything that he has on the object; empty: each action has an
        option of its own. :param own_options: actions that have one of their own all the same.
    :param latent: a right may be said of one that is not there yet, such as a pattern of names.
    """

    name: str
    actions: tuple[str, ...]
    family: str = ""
    depth: int = 1
    signature: bool = False
    contained: bool = True
    gates: tuple[Gate, ...] = ()
    implied: tuple[Implied, ...] = ()
    owner_actions: tuple[str, ...] = ()
    public_actions: tuple[str, ...] = ()
    admin_only: tuple[str, ...] = ()
    words: tuple[Word, ...] = ()
    option: str = ""
    own_options: tuple[str, ...] = ()
    latent: bool = False

    def bits(self, actions: tuple[str, ...]) -> int:
        """The bit mask of some actions of this kind."""
        return sum(1 << self.actions.index(action) for action in set(actions))

    def shared(self, other: Kind, bits: int) -> int:
        """Of the actions of a bit mask of another kind, those that this one has too: of a column's table, its own."""
        return self.bits(tuple(action for action in other.names(bits) if action in self.actions))

    def names(self, bits: int) -> tuple[str, ...]:
        """The actions of a bit mask, in the engine's order."""
        return tuple(action for number, action in enumerate(self.actions) if bits >> number & 1)


class Everywhere(msgspec.Struct, frozen=True):
    """A predefined principal whose holders have ``actions`` on every object of ``kinds``, without any grant."""

    principal: str
    kinds: tuple[str, ...]
    actions: tuple[str, ...]


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """What an engine's words mean, as data.

    :param bypass: attributes that make every question of access a yes.
    :param row_bypass: attributes that row-level security does not touch.
    :param login: the attribute without which nobody can connect as this principal; empty: everyone can.
    :param quotes: how a part of a name is quoted; the closing one is doubled inside.
    :param membership_options: inheriting is said of each membership; else it is the attribute ``INHERIT`` of a member.
    :param inherit_list: and it is said of all memberships of an account at once (a list of default roles).
    :param any_host: the host of an account that says none, on engines whose accounts are a name at a host.
    :param assumed: attributes that everybody has of whom a spec does not say ``NO`` and the word.
    :param decided: the attributes that a spec decides, the others being facts about an account; empty: all of them.
    :param made_as: facts about an account that a spec says all the same, because they decide how it is made.
    :param orphaned: what is said of a database's user whose account is not there, on engines where it is his by an
        identifier (a SID) that can be chosen for an account that is made.
    :param lasting: attributes that an account has from the day it is made until it goes.
    :param settings: those of an account that a spec may decide, each with the value that needs no saying.
    :param drop_takes_rights: an account that is dropped takes its rights along; else it must have none left.
    :param matching: how rows of rights are matched by pattern; None: every right is of one principal on one object.
    :param covering: how rights hold inside of what they were granted on, and how denials do; None: they do not.
    """

    kinds: dict[str, Kind]
    everywhere: tuple[Everywhere, ...] = ()
    bypass: tuple[str, ...] = ()
    row_bypass: tuple[str, ...] = ()
    login: str = ""
    quotes: tuple[str, str] = ('"', '"')
    membership_options: bool = True
    inherit_list: bool = False
    any_host: str = ""
    assumed: tuple[str, ...] = ()
    decided: tuple[str, ...] = ()
    made_as: tuple[str, ...] = ()
    orphaned: str = ""
    lasting: tuple[str, ...] = ()
    settings: dict[str, str] = {}
    drop_takes_rights: bool = False
    matching: Matching | None = None
    covering: Covering | None = None


class Principal(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody or something that can hold access: an account, a role, a group, the public.

    :param attributes: in the engine's words, upper case (``SUPERUSER``, ``LOGIN``).
    :param password: how a password is stored (``scram-sha-256``, ``md5``, ``none``), never the password.
    :param connection_limit: None for no limit.
    :param system: comes with the engine (``pg_monitor``).
    :param settings: per-principal settings and facts, ``name=value``.
    :param user: the name of the person or program, :param host: where it comes from, as a pattern; both are empty where
        an account is a name and nothing else.
    :param account: this is no account but a session from one host: the account that the server takes it for.
    :param database: the one that it belongs to, on engines whose databases have principals of their own; ``name`` then
        begins with it, and ``user`` is the name that it has there (also where ``name`` had to be quoted).
    """

    name: str
    kind: Literal["public", "role", "user", "group", "unknown"] = "role"
    attributes: tuple[str, ...] = ()
    valid_until: datetime | None = None
    connection_limit: int | None = None
    password: str | Missing = Missing("no_permission")
    system: bool = False
    database: str = ""
    settings: tuple[str, ...] = ()
    user: str = ""
    host: str = ""
    account: int = -1

    @property
    def sid(self) -> str:
        """By which databases know an account, on engines where that is not its name: ``0x`` and digits, or empty."""
        return next((one.removeprefix("sid=") for one in self.settings if one.startswith("sid=0x")), "")

    @property
    def login(self) -> bool:
        """May log in, as far as the account itself is concerned."""
        return "LOGIN" in self.attributes


class Membership(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """``member`` belongs to ``group``; one for each grantor.

    :param inherit: has its privileges at once. :param set: may become it. :param admin: may let others in.
    :param database: only in this database (an implicit member of a per-database role), empty for everywhere; implicit
        and of a user, with :class:`Covering`: ``group`` is who ``member`` is in this database.
    :param implicit: cannot be revoked; it follows from something else, such as owning the database.
    :param defining: also has its privileges where something runs with the rights of ``member``, its definer.
    """

    member: int
    group: int
    grantor: int = -1
    inherit: bool = True
    set: bool = True
    admin: bool = False
    database: str = ""
    implicit: bool = False
    defining: bool = True


class Grant(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One entry of an access list; the numbers are bit masks over the actions of the object's kind.

    :param grantable: the part of ``actions`` that may be passed on.
    :param denied: actions that are forbidden, whatever else allows them (engines with DENY); with
        :attr:`Matching.restricts` only as far as they come from a grant on the whole server.
    :param apart: on a column, actions for which it does not count what was said to the grantee on the whole of it.
    """

    grantee: int
    grantor: int
    actions: int
    grantable: int = 0
    denied: int = 0
    apart: int = 0


class Reads(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What a view reads: an object of the snapshot, and the columns of it (empty: no single one)."""

    object: int
    columns: tuple[str, ...] = ()


class SecuredObject(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Something that access can be granted on.

    :param path: the parts of its name from the database down; the last part of a routine is its signature.
    :param owner: a principal, -1 when there is none. :param parent: the containing object, -1 when there is none.
    :param acl: position of its access list in the snapshot, the engine's built-in default already filled in.
    :param follows: the object whose owner it always has (a column's or a serial sequence's table), -1 for none.
    :param flags: ``default`` (no access list stored), ``extension`` (came with one), ``rls``, ``rls_forced``,
        ``policies``, ``definer``, ``path_fixed``, ``invoker``, ``system``, ``catalog`` (the server's own tables),
        ``untrusted``, ``closed`` (a database that takes no connections), ``absent`` (granted on, but not there),
        ``unread`` (a view whose query this login is not shown), ``trustworthy`` (a database whose owner answers for
        what its code does elsewhere), ``chaining`` (one whose chains of ownership go on in others, and theirs in it;
        of a server: those of all of them), ``keyless`` (a key without its private part, that nothing is signed with),
        ``contained`` (a database that can have users of its own, a server that lets such users in).
    :param runs_as: whose rights its body is checked with (a definer), -1 for the owner's or, flagged ``invoker``, those
        of whoever asks.
    :param signers: principals whose rights signed code has while it runs, besides those of whoever runs it; of a key,
        those who were made from it, and whose rights code has that is signed with it.
    """

    kind: str
    path: tuple[str, ...]
    owner: int
    acl: int
    parent: int = -1
    flags: tuple[str, ...] = ()
    reads: tuple[Reads, ...] = ()
    follows: int = -1
    runs_as: int = -1
    signers: tuple[int, ...] = ()

    @property
    def database(self) -> str:
        """The first part of the name; of an object outside of every database it is not a database."""
        return self.path[0] if self.path else ""


class DefaultGrant(msgspec.Struct, frozen=True, kw_only=True):
    """What new objects of ``kind`` get when ``creator`` makes them; one for each creator, schema and kind.

    :param schema: empty for the whole database.
    """

    creator: int
    database: str
    schema: str
    kind: str
    grants: tuple[Grant, ...]


class RowOrder(msgspec.Struct, frozen=True, array_like=True):
    """Which of several equally specific rows the server takes first: the one with the smaller ``place``.

    :param principal: whose row it is. :param text: the database as the row has it.
    """

    principal: int
    text: str
    place: int


class AccessSnapshot(msgspec.Struct, frozen=True, kw_only=True):
    """One reading of a server.

    :param database: the one of the session; what a name means that leaves the database out.
    :param databases_missing: databases that could not be read, and why.
    :param kinds_missing: kinds of objects that this login is not shown (all of), and why.
    :param row_order: said for rows that no rule puts in order. Principals are in the order in which the server tries
        equally specific accounts.
    """

    engine: str
    version: Version
    incarnation: str | Missing
    taken_at: datetime
    rules: Rules
    principals: tuple[Principal, ...]
    memberships: tuple[Membership, ...]
    objects: tuple[SecuredObject, ...]
    acls: tuple[tuple[Grant, ...], ...]
    defaults: tuple[DefaultGrant, ...] = ()
    databases_missing: dict[str, Missing] = {}
    kinds_missing: dict[str, Missing] = {}
    row_order: tuple[RowOrder, ...] = ()
    database: str = ""
    schema: Literal["dbops.access/1"] = FORMAT

    def kind(self, one: SecuredObject) -> Kind:
        """The kind of an object."""
        return self.rules.kinds[one.kind]

    def grants(self, one: SecuredObject) -> tuple[Grant, ...]:
        """The access list of an object."""
        return self.acls[one.acl]
