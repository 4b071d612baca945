"""Rules about databases: their guests, their owners, their users and what everybody has in them."""

from __future__ import annotations

from collections.abc import Iterator

from dbops.access.audit import Flaw
from dbops.access.closure import each
from dbops.model.access import SecuredObject
from dbops.model.finding import Missing, Remedy, Severity
from dbops_mssql.access.audited import Audited, listed
from dbops_mssql.access.fixed import SYSTEM_DATABASES
from dbops_mssql.quoting import identifier

__all__ = [
    "application_roles",
    "chaining",
    "guests",
    "msdb_owners",
    "nested_roles",
    "orphaned",
    "public_objects",
    "trustworthy",
]

_WITH_GUESTS = ("master", "msdb", "tempdb")
_WRITING = ("INSERT", "UPDATE", "DELETE", "ALTER", "CONTROL", "TAKE OWNERSHIP")
_OF_MSDB = ("db_owner", "db_ssisadmin", "dc_admin")
_BY_DEFAULT = ("VIEW ANY COLUMN ENCRYPTION KEY DEFINITION", "VIEW ANY COLUMN MASTER KEY DEFINITION")


def guests(audited: Audited) -> Iterator[Flaw]:
    """Databases that let everybody in."""
    for name, one in audited.effective.databases.items():
        if name in _WITH_GUESTS or not _invited(audited, one):
            continue
        count = audited.contexts.guests(name).bit_count()
        yield Flaw(
            principal=f"{name}.guest",
            object=audited.name(one),
            summary=f"guest may connect to {audited.name(one)}: {count} login(s) that are no user there come in",
            remedy=Remedy(
                text="Make users of those who need the database.",
                sql=f"USE {identifier(name)};\nREVOKE CONNECT FROM guest;",
            ),
        )


def _invited(audited: Audited, one: SecuredObject) -> bool:
    guest = audited.contexts.named(one.path[0], audited.effective.covering.guest)
    return guest >= 0 and "CONNECT" in audited.granted(one, guest)


def trustworthy(audited: Audited) -> Iterator[Flaw]:
    """Databases whose code acts elsewhere as their owner."""
    ways = {way.by: way for way in audited.escalations if way.kind == "trustworthy"}
    for name, one in audited.effective.databases.items():
        if "trustworthy" not in one.flags or name == "msdb":
            continue
        mighty = one.owner >= 0 and bool(audited.mighty >> one.owner & 1)
        owner = audited.people[one.owner].name if one.owner >= 0 else "somebody unknown"
        way = ways.get(audited.name(one))
        who = [audited.people[number].name for number in each(way.who)] if way else []
        reach = f"; {listed(who)} can become an administrator by it" if who else ""
        yield Flaw(
            principal=owner,
            object=audited.name(one),
            severity=Severity.HIGH if mighty else Severity.MEDIUM,
            summary=f"{audited.name(one)} is trustworthy and owned by {owner}"
            f"{', an administrator' if mighty else ''}: its code acts in other databases as its owner{reach}",
            remedy=Remedy(
                text="Sign the code that needs it, and let a login without rights own the database.",
                sql=f"ALTER DATABASE {identifier(name)} SET TRUSTWORTHY OFF;",
            ),
        )


def chaining(audited: Audited) -> Iterator[Flaw]:
    """Databases in which chains of ownership go on from others; all of them, where the server says so."""
    if "chaining" in audited.server.flags:
        yield Flaw(
            object="server",
            summary="chains of ownership go on from every database into every other: who creates objects in one "
            "reaches what the same owner has elsewhere",
            remedy=Remedy(
                text="Turn it on for the databases that read each other instead (DB_CHAINING), then off for all.",
                sql="EXEC sp_configure 'cross db ownership chaining', 0;\nRECONFIGURE;",
            ),
        )
        return
    for name, one in audited.effective.databases.items():
        if "chaining" in one.flags and name not in SYSTEM_DATABASES:
            yield Flaw(
                object=audited.name(one),
                summary=f"chains of ownership go on from other databases into {audited.name(one)}, and out of it: who "
                "creates objects in one reaches what the same owner has in the other",
                remedy=Remedy(
                    text="Turn it off where nothing reads across.",
                    sql=f"ALTER DATABASE {identifier(name)} SET DB_CHAINING OFF;",
                ),
            )


def orphaned(audited: Audited) -> list[Flaw] | Missing:
    """Users whose login is gone."""
    hidden = audited.hidden("login")
    found: list[Flaw] = []
    for number, one in audited.ours():
        if not audited.has(one, "ORPHANED"):
            continue
        owns = [audited.name(thing) for thing in audited.snapshot.objects if thing.owner == number]
        what = f"; it owns {listed(owns)}" if owns else ""
        found.append(
            Flaw(
                principal=one.name,
                object=f"database:{one.database}",
                summary=f"the login of {one.name} is gone: nobody gets in as it, and a new login with its SID has "
                f"its rights{what}",
                remedy=Remedy(
                    text="Give it a login again, or drop it, after what it owns was given to somebody else.",
                    sql=f"USE {identifier(one.database)};\nALTER USER {identifier(one.user)} WITH LOGIN = …;"
                    f" -- or: DROP USER {identifier(one.user)};",
                ),
            )
        )
    return hidden if hidden is not None and not found else found


def public_objects(audited: Audited) -> Iterator[Flaw]:
    """What every user of a database has on what did not come with the server."""
    for one in audited.snapshot.objects:
        if not audited.snapshot.kind(one).contained or "system" in one.flags or one.database in SYSTEM_DATABASES:
            continue
        everybody = audited.contexts.named(one.database, audited.effective.covering.everybody)
        found = audited.granted(one, everybody) if everybody >= 0 else ()
        found = tuple(action for action in found if one.kind != "database" or action not in _BY_DEFAULT)
        if found:
            writes = any(action in _WRITING for action in found)
            yield Flaw(
                principal=audited.people[everybody].name,
                object=audited.name(one),
                severity=Severity.HIGH if writes else None,
                summary=f"every user of database:{one.database} has {', '.join(found)} on {audited.name(one)}",
                remedy=Remedy(
                    text="Grant it to a role of those who need it.", sql=audited.revoke(everybody, one, found)
                ),
            )


def msdb_owners(audited: Audited) -> Iterator[Flaw]:
    """Roles of msdb whose members come to be sysadmin, by jobs and packages that run as the server does."""
    seen: set[int] = set()
    for role in _OF_MSDB:
        at = audited.contexts.named("msdb", role)
        if at < 0:
            continue
        for number in each(audited.contexts.holders(at) & ~audited.mighty & ~(1 << at)):
            one = audited.people[number]
            if one.system or one.database or number in seen:
                continue
            seen.add(number)
            yield Flaw(
                principal=one.name,
                object=f"role:msdb.{role}",
                summary=f"{one.name} is in {role} of msdb, and can let jobs or packages run as an administrator",
                remedy=Remedy(
                    text="Use SQLAgentUserRole or SQLAgentOperatorRole for those who work with jobs.",
                    sql=_leaving(audited, number, at),
                ),
            )


def _leaving(audited: Audited, number: int, role: int) -> str:
    users = [user for user in audited.contexts.users(number) if audited.people[user].database == "msdb"]
    return "\n".join(sql for user in users if (sql := audited.leave(user, role)))


def application_roles(audited: Audited) -> Iterator[Flaw]:
    """Roles that a password turns on."""
    for _, one in audited.ours():
        if audited.has(one, "APPLICATION ROLE"):
            yield Flaw(
                principal=one.name,
                object=f"database:{one.database}",
                summary=f"{one.name} is an application role: whoever knows its password, which programs carry around, "
                "has its rights",
                remedy=Remedy(
                    text="Let programs log in as themselves and put them into a role.",
                    sql=f"USE {identifier(one.database)};\nDROP APPLICATION ROLE {identifier(one.user)};",
                ),
            )


def nested_roles(audited: Audited) -> Iterator[Flaw]:
    """Roles of one's own inside of fixed ones: who may add members to them gives out more than it seems."""
    for row in audited.snapshot.memberships:
        member, group = audited.people[row.member], audited.people[row.group]
        if member.kind == "role" and member.database and not member.system and group.system and group.kind == "role":
            yield Flaw(
                principal=member.name,
                object=f"role:{group.name}",
                summary=f"the role {member.name} is in the fixed role {group.name}: who is added to it gets all "
                "of that",
                remedy=Remedy(
                    text=f"Grant the role what it needs, and take it out of {group.name}.",
                    sql=audited.leave(row.member, row.group),
                ),
            )
