"""How an engine judges access where a right is more than one principal's on one object, as data.

Rows can be matched by pattern (MySQL and its forks), or rights can cover what is inside of what they were granted on
and be denied (SQL Server). The rules of a snapshot carry one of these, or none.
"""

from __future__ import annotations

from typing import Literal

import msgspec

__all__ = ["Covering", "Fixed", "Matching", "Reserved"]


class Reserved(msgspec.Struct, frozen=True):
    """A database that the server itself answers for: what everybody has there, and what nobody has, granted or not."""

    database: str
    everybody: tuple[str, ...] = ()
    nobody: tuple[str, ...] = ()


class Matching(msgspec.Struct, frozen=True, kw_only=True):
    """How rows of rights find the sessions and the databases that they are for, where they are matched by pattern.

    A row is of a user and a host pattern, and it counts for every session that it matches, whatever account the session
    was authenticated as. Of the rows for one database, one alone counts: the most specific.

    :param wildcards: ``%`` and ``_`` in the name of a database stand for letters, unless a backslash is before them.
    :param order: what is more specific: ``prefix``, more letters before the first wildcard; ``fewest``, the pattern
        that fewer texts fit.
    :param addresses_first: of accounts, and of rows for databases, those of one address are tried first, then those of
        a network, the smaller ones first.
    :param roles: ``replace``: once a role is active, the rows of the account and its active roles are put together and
        an exact name comes first, then the patterns by their bytes; ``add``: what active roles have is added.
    :param fold: names of databases and tables are the same in upper and lower case.
    :param resolves: the server looks up the names of hosts; then ``127.0.0.1`` and ``::1`` are ``localhost`` as well.
    :param restricts: a right that is held everywhere can be denied for one database
        (:attr:`~dbops.model.access.Grant.denied`).
    :param definer_roles: what runs with the rights of its definer has roles of his: those that are ``defining``.
    :param inner_unchecked: actions through a view for which a view that it stands on is not asked, only what that one
        stands on.
    :param public_enters: what is granted to the public on tables and routines lets into their database; a routine runs
        inside of its own.
    """

    wildcards: bool = True
    order: Literal["prefix", "fewest"] = "prefix"
    addresses_first: bool = False
    roles: Literal["replace", "add"] = "replace"
    fold: bool = False
    resolves: bool = True
    restricts: bool = False
    definer_roles: bool = True
    inner_unchecked: tuple[str, ...] = ()
    public_enters: bool = True
    reserved: tuple[Reserved, ...] = ()


class Fixed(msgspec.Struct, frozen=True):
    """What a predefined role gives on the server or on its database, and what it denies there, without a row.

    :param role: its name without that of its database. :param kind: ``server``, or ``database`` for a role of each.
    """

    role: str
    kind: str
    actions: tuple[str, ...] = ()
    denied: tuple[str, ...] = ()


class Covering(msgspec.Struct, frozen=True, kw_only=True):
    """How rights hold for what is inside of what they were granted on, where they can be denied as well.

    What covers what is in :attr:`~dbops.model.access.Kind.implied`, for grants and denials alike. A denial wins,
    whoever of those that somebody stands for it was said to. Principals belong to the server or to one database
    (:attr:`~dbops.model.access.Principal.database`); an implicit membership of a database says which user there an
    account is.

    :param unbound: the role of the server to whose members nothing is denied; they are ``owner`` in each database.
    :param owner: the user of a database to whom nothing is denied. :param everybody: the role of all its users.
    :param guest: the user as whom accounts get in that are none; he needs ``enters`` for that.
    :param enters: the action on a database without which nobody gets in.
    :param connects: the action on the server without which nobody logs in.
    :param nobody: the attribute of users as whom nobody gets in; making the others gives them ``enters``, or on the
        server ``connects``.
    :param accounts: kinds of objects that stand for principals, and the action of who can become one, empty for roles.
    :param alters: the action on a role of who can let others into it.
    :param strong: an action on the server that leads to everything, though denials bind whoever has it.
    :param escalates: roles of the server whose members can come to be ``unbound``, as the documentation says.
    """

    unbound: str
    owner: str
    guest: str
    everybody: str
    enters: str
    connects: str
    nobody: str = ""
    accounts: dict[str, str] = {}
    alters: str = "ALTER"
    strong: str = ""
    escalates: tuple[str, ...] = ()
    fixed: tuple[Fixed, ...] = ()
