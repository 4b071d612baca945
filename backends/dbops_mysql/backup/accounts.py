"""Accounts, roles and what they may do, as statements that can be run again and leave an account that is there alone.

They are the server's own words (SHOW CREATE USER, SHOW GRANTS), put into an order in which each can be carried out:
accounts, roles, privileges, memberships, default roles. Privileges name tables and routines, so databases come first.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from dbops.model.server import Endpoint
from dbops.plan import Value
from dbops.readable import Chunks
from dbops.spi import Member, Runtime
from dbops_mysql import quoting
from dbops_mysql.backup.link import Link, ask, connected
from dbops_mysql.installation import Family
from dbops_mysql.session import fault
from dbops_mysql.statement import text

__all__ = ["Account", "Accounts", "accounts", "read", "statements_of"]

# SHOW CREATE USER does not double a quote under NO_BACKSLASH_ESCAPES (seen on 9.7), so it is read and run without.
MODES: Mapping[Family, str] = {"mysql": "", "mariadb": "NO_AUTO_CREATE_USER"}
PREPARE: Mapping[Family, tuple[str, ...]] = {"mysql": ("SET SESSION print_identified_with_as_hex = ON",), "mariadb": ()}
PUBLIC = "PUBLIC"
END = "-- The end.\n"
FIRST_WORDS = ("CREATE ", "GRANT ", "REVOKE ", "ALTER ", "SET DEFAULT ROLE ")
# Pieces in quotes are names and texts; what is outside of them are words.
_PIECES = re.compile(r"`(?:[^`]|``)*`|'(?:[^'\\]|''|\\.)*'|[^`']+", re.DOTALL)
_DEFAULT_ROLE = re.compile(r" DEFAULT ROLE .*?(?= REQUIRE )", re.DOTALL)
_TO = re.compile(r"\A(GRANT .+? ON \*\.\* TO )(`(?:[^`]|``)*`(?:@`(?:[^`]|``)*`)?)(.*)\Z", re.DOTALL)


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """One account or role as the catalogue has it."""

    user: str
    host: str
    is_role: bool = False
    roles: tuple[tuple[str, str], ...] = ()
    second: bool = False

    @property
    def name(self) -> str:
        """As a statement names it; MariaDB's roles have no host."""
        if self.is_role:
            return self.user if self.user == PUBLIC else quoting.identifier(self.user)
        return quoting.account(self.user, self.host)


class Accounts(msgspec.Struct, frozen=True, kw_only=True):
    """``statements`` in their order; ``notes`` for people."""

    statements: tuple[str, ...]
    accounts: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def accounts(arguments: Mapping[str, object], endpoint: Endpoint, runtime: Runtime) -> Iterator[Member]:
    """The stream of all statements. ``notes`` (JSON) among its facts say what is not in it. Argument: ``family``."""
    family: Family = "mariadb" if arguments["family"] == "mariadb" else "mysql"
    with connected(endpoint, runtime) as link:
        found = read(link, family)
    facts: dict[str, Value] = {"notes": json.dumps(found.notes, ensure_ascii=False), "accounts": len(found.accounts)}
    yield Member("accounts.sql", Chunks(iter(_file(found, family))), facts)


def read(link: Link, family: Family) -> Accounts:
    """What this server has; without the right to look, a note alone."""
    import pymysql

    try:
        ask(link, f"SET SESSION sql_mode = {quoting.literal(MODES[family])}")
        for statement in PREPARE[family]:
            ask(link, statement)
        every = [_account(row) for row in ask(link, text(f"accounts_{family}"))]
        statements = tuple(_statements(link, every, family))
    except pymysql.Error as error:
        if fault(error) != "no_permission":
            raise
        return Accounts(statements=(), notes=("no accounts are in this backup: that needs SELECT ON mysql.*",))
    twice = [one.name for one in every if one.second]
    notes = [f"only the newer of two passwords comes back of {', '.join(twice)}"] if twice else []
    return Accounts(statements=statements, accounts=tuple(one.name for one in every), notes=tuple(notes))


def _statements(link: Link, every: Sequence[Account], family: Family) -> Iterator[str]:
    users = [one for one in every if not one.is_role]
    roles = [one for one in every if one.is_role and one.user != PUBLIC]
    for one in users:
        for (said,) in ask(link, f"SHOW CREATE USER {one.name}"):
            yield creating(str(said))
    for one in roles:
        # Whoever loads this is its first administrator: nobody else, not even root, could grant it then.
        yield f"CREATE ROLE IF NOT EXISTS {one.name}"
    yield from sorted(_grants(link, every), key=_is_membership)
    for one in every:
        if one.roles:
            yield _DEFAULTS[family](one)


def _grants(link: Link, every: Sequence[Account]) -> Iterator[str]:
    seen: set[str] = set()
    for one in every:
        for (said,) in ask(link, f"SHOW GRANTS FOR {one.name}"):
            grant = granting(str(said))
            # A role of MariaDB shows what it has from other roles too.
            if grant and grant not in seen:
                seen.add(grant)
                yield grant


def creating(said: str) -> str:
    """Pure: ``CREATE USER`` that leaves an account that is there alone; default roles come when they were granted."""
    pieces = _PIECES.findall(said)
    # Outside of quotes there are words alone: what stands in quotes is kept apart while they are looked at.
    plain = "".join(piece if piece[0] not in "`'" else f"\0{number}\0" for number, piece in enumerate(pieces))
    plain = _DEFAULT_ROLE.sub("", plain, count=1)
    whole = re.sub("\0(\\d+)\0", lambda found: pieces[int(found[1])], plain)
    return re.sub(r"\ACREATE USER ", "CREATE USER IF NOT EXISTS ", whole)


def granting(said: str) -> str:
    """Pure: a grant without what would change the account itself (MariaDB repeats its password there); empty for one
    that gives nothing."""
    if said.startswith("SET DEFAULT ROLE"):
        return ""
    found = _TO.match(said)
    if found is None:
        return said
    rest = re.sub(r"'(?:[^'\\]|''|\\.)*'", "", found[3])
    option = " WITH GRANT OPTION" if "GRANT OPTION" in rest else ""
    if found[1] == "GRANT USAGE ON *.* TO " and not option:
        return ""
    return f"{found[1]}{found[2]}{option}"


def _is_membership(grant: str) -> bool:
    return grant.startswith("GRANT `")


def _default_of_mysql(one: Account) -> str:
    return f"ALTER USER {one.name} DEFAULT ROLE {', '.join(quoting.account(*role) for role in one.roles)}"


def _default_of_mariadb(one: Account) -> str:
    return f"SET DEFAULT ROLE {quoting.identifier(one.roles[0][0])} FOR {one.name}"


_DEFAULTS: Mapping[Family, Callable[[Account], str]] = {"mysql": _default_of_mysql, "mariadb": _default_of_mariadb}


def statements_of(script: str) -> tuple[str, ...]:
    """Pure: the statements of the stream that :func:`accounts` gives, without those that prepare the session."""
    lines = script.removesuffix(END).split(";\n")
    return tuple(line for line in lines if line.startswith(FIRST_WORDS))


def _file(found: Accounts, family: Family) -> Iterator[bytes]:
    yield f"-- Accounts, roles and privileges ({family}). An account that is there keeps its password.\n".encode()
    yield b"SET NAMES utf8mb4;\n"
    yield f"SET SESSION sql_mode = {quoting.literal(MODES[family])};\n".encode()
    for statement in found.statements:
        yield f"{statement};\n".encode()
    yield END.encode()


# Any: the values of a row have the types that the driver gives them.
def _account(row: tuple[Any, ...]) -> Account:
    user, host, role, roles, second = row
    return msgspec.convert(
        {
            "user": user,
            "host": host,
            "is_role": role == "Y",
            "roles": sorted(json.loads(roles)) if roles else [],
            "second": bool(second),
        },
        type=Account,
    )
