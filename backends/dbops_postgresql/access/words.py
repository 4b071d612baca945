"""A users spec in PostgreSQL's own words; what has no meaning here is refused with its line."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches

from dbops.access.naming import parts, split_kind
from dbops.errors import InputError, UsageError
from dbops.model.access import Kind, Rules
from dbops.model.server import Server
from dbops.model.users import (
    Desired,
    SpecGrant,
    SpecMember,
    SpecPrincipal,
    Wanted,
    WantedGrant,
    WantedOwner,
    WantedPrincipal,
)
from dbops_postgresql.access.kinds import ATTRIBUTES, rules

__all__ = ["DEFAULT_KINDS", "NAME_BYTES", "normalise"]

NAME_BYTES = 63  # NAMEDATALEN - 1: a longer name would be cut off without a word
DEFAULT_KINDS = ("table", "sequence", "function", "type", "schema", "large_object")
_GIVEN = tuple(word for word in ATTRIBUTES if word not in ("LOGIN", "INHERIT"))
_SYNONYMS = {"TEMP": "TEMPORARY", "ALL PRIVILEGES": "ALL"}
OPTIONS_SINCE = 16


def normalise(desired: Desired, server: Server) -> Wanted:
    """:raises InputError: with ``file:line``."""
    words = rules(server.major)
    real = [one for one in desired.principals if one.name.upper() != "PUBLIC"]
    return Wanted(
        managed=desired.managed,
        databases=desired.databases,
        principals=tuple(_principal(one, server) for one in real),
        grants=tuple(found for one in desired.principals for found in _grants(one, desired, words)),
        owners=tuple(found for one in real for found in _owned(one, desired, words)),
        origin=desired.origin,
    )


def _principal(one: SpecPrincipal, server: Server) -> WantedPrincipal:
    _check_name(one)
    return WantedPrincipal(
        name=one.name,
        state=one.state,
        attributes=_attributes(one),
        member_of=tuple(_member(one, member, server) for member in one.member_of),
        password=one.password,
        generate=one.generate,
        valid_until=one.valid_until,
        connection_limit=one.connection_limit,
        where=one.where,
    )


def _check_name(one: SpecPrincipal) -> None:
    size = len(one.name.encode())
    if size > NAME_BYTES:
        raise InputError(
            f"{one.where}: the name {one.name!r} has {size} bytes", hint=f"PostgreSQL takes at most {NAME_BYTES}."
        )
    if one.name.startswith("pg_") or one.name in ("public", "none"):
        raise InputError(f"{one.where}: the name {one.name!r} is reserved by PostgreSQL", hint="Choose another name.")
    if one.sid or one.hashed:
        word = "sid" if one.sid else "password: hashed"
        raise InputError(
            f"{one.where}: {word!r} has no meaning on PostgreSQL",
            hint="Leave it out, or write the entry for other engines only: engines: [mssql].",
        )
    if one.hosts:
        raise InputError(
            f"{one.where}: 'hosts' has no meaning on PostgreSQL: where an account may come from is in pg_hba.conf",
            hint="Leave it out, or write the entry for other engines only: engines: [mysql, mariadb].",
        )
    if one.settings:
        raise InputError(
            f"{one.where}: 'settings' has no meaning on PostgreSQL yet: those of a role are left alone",
            hint="Leave it out, or write the entry for SQL Server only: engines: [mssql].",
        )


def _attributes(one: SpecPrincipal) -> tuple[str, ...]:
    known = (*_GIVEN, "INHERIT", "NOINHERIT")
    for word in one.attributes:
        if word not in known:
            raise InputError(f"{one.where}: unknown attribute {word!r}", hint=f"There is: {', '.join(known).lower()}.")
    chosen = {word for word in one.attributes if word in _GIVEN}
    if "NOINHERIT" not in one.attributes:
        chosen.add("INHERIT")
    if one.login and one.state == "present":
        chosen.add("LOGIN")
    return tuple(word for word in ATTRIBUTES if word in chosen)


def _member(one: SpecPrincipal, member: SpecMember, server: Server) -> SpecMember:
    inherits = "NOINHERIT" not in one.attributes
    if server.major < OPTIONS_SINCE and (member.set is False or member.inherit not in (None, inherits)):
        raise InputError(
            f"{member.where}: inherit and set of a membership need PostgreSQL {OPTIONS_SINCE}",
            hint="Before, inheriting is an attribute of the member: attributes: [noinherit].",
        )
    return SpecMember(
        role=member.role,
        inherit=inherits if member.inherit is None else member.inherit,
        set=member.set is not False,
        admin=member.admin,
        where=member.where,
    )


def _grants(one: SpecPrincipal, desired: Desired, words: Rules) -> Iterator[WantedGrant]:
    if one.denies:
        raise InputError(
            f"{one.denies[0].where}: PostgreSQL has no DENY: what is not granted is not allowed",
            hint="Leave it out, or write the entry for other engines only: engines: [mssql].",
        )
    name = "PUBLIC" if one.name.upper() == "PUBLIC" else one.name
    for grant in one.grants if one.state != "absent" else ():
        kind, path = _object(grant.object, grant.where, desired, words)
        subject = words.kinds["column"] if grant.columns else kind
        if grant.columns and kind.family != "table":
            raise InputError(f"{grant.where}: a {kind.name} has no columns")
        if grant.future != "no":
            _check_future(grant, kind, path)
        yield WantedGrant(
            principal=name,
            kind=kind.name,
            path=path,
            actions=_actions(grant, subject),
            columns=grant.columns,
            future=grant.future,
            creators=grant.creators,
            grantable=grant.grantable,
            where=grant.where,
        )


def _check_future(grant: SpecGrant, kind: Kind, path: tuple[str, ...]) -> None:
    if kind.name not in DEFAULT_KINDS:
        raise InputError(
            f"{grant.where}: there are no default privileges for a {kind.name}",
            hint=f"For: {', '.join(DEFAULT_KINDS)}.",
        )
    if path[-1] != "*" or grant.columns:
        raise InputError(
            f"{grant.where}: 'future' is for all objects of a schema: the last part must be * and no columns named",
            hint=f"Write {kind.name}:{'.'.join((*path[:-1], '*'))}, or leave 'future' out.",
        )
    if any("*" in part and part != "*" for part in path):
        raise InputError(f"{grant.where}: with 'future' a part of the name is * or a whole name")


def _actions(grant: SpecGrant, kind: Kind) -> tuple[str, ...]:
    found: set[str] = set()
    for word in grant.can:
        found.update(_meaning(word, kind, grant.where))
    return tuple(action for action in kind.actions if action in found)


def _meaning(word: str, kind: Kind, where: str) -> tuple[str, ...]:
    plain = " ".join(word.upper().replace("_", " ").split())
    plain = _SYNONYMS.get(plain, plain)
    if plain == "ALL":
        return kind.actions
    for portable in kind.words:
        if portable.word == word.lower():
            return portable.actions
    if plain in kind.actions:
        return (plain,)
    known = [*(one.word for one in kind.words), *(action.lower() for action in kind.actions), "all"]
    close = get_close_matches(word.lower(), known, n=1)
    raise InputError(
        f"{where}: {word!r} has no meaning for a {kind.name}",
        hint=f"Did you mean {close[0]!r}?" if close else f"There is: {', '.join(known)}.",
    )


def _owned(one: SpecPrincipal, desired: Desired, words: Rules) -> Iterator[WantedOwner]:
    for owned in one.owns if one.state != "absent" else ():
        kind, path = _object(owned.object, owned.where, desired, words)
        if kind.name in ("column", "parameter"):
            raise InputError(f"{owned.where}: a {kind.name} has no owner of its own")
        yield WantedOwner(principal=one.name, kind=kind.name, path=path, where=owned.where)


def _object(text: str, where: str, desired: Desired, words: Rules) -> tuple[Kind, tuple[str, ...]]:
    name, rest = split_kind(text, words)
    if not name:
        close = get_close_matches(text.partition(":")[0], words.kinds, n=1)
        raise InputError(
            f"{where}: {text!r} does not begin with a kind of object",
            hint=f"Did you mean {close[0]}:…?" if close else f"Kinds: {', '.join(words.kinds)}.",
        )
    kind = words.kinds[name]
    try:
        path = parts(rest, words)
    except UsageError as error:
        raise InputError(f"{where}: {error.message}") from None
    if name == "column" or len(path) != kind.depth:
        example = ".".join(("database", "schema", "name")[: kind.depth])
        hint = "Write the table, and columns: [name, …]." if name == "column" else f"Write {name}:{example}."
        raise InputError(f"{where}: {text!r} is not the name of a {name}", hint=hint)
    if kind.contained and path[0] not in desired.databases:
        raise InputError(
            f"{where}: the database {path[0]!r} is not among manage.databases",
            hint="Add it there, or correct the name.",
        )
    return kind, path
