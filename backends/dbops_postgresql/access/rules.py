"""What an audit of PostgreSQL looks for. Each rule is data with a pure function over effective access.

No benchmark's numbering is quoted: the items move between its versions, and a wrong number is worse than none.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from dbops.access.audit import Flaw, Rule
from dbops.access.closure import each
from dbops.access.effective import Effective
from dbops.access.naming import label
from dbops.model.access import PUBLIC, SecuredObject
from dbops.model.change import ObjectName
from dbops.model.finding import Missing, Remedy, Severity
from dbops_postgresql.access.kinds import TABLE_LIKE
from dbops_postgresql.access.sql import ON, object_sql
from dbops_postgresql.quoting import identifier

__all__ = ["RULES"]

_OURS = {"system", "extension"}
_PROGRAMS = {
    "pg_execute_server_program": Severity.CRITICAL,
    "pg_write_server_files": Severity.CRITICAL,
    "pg_read_server_files": Severity.HIGH,
}
_WRITING = ("INSERT", "UPDATE", "DELETE", "TRUNCATE")
_OPTIONS_SINCE = 16


def _superusers(effective: Effective) -> Iterator[Flaw]:
    for number in each(effective.bypass & effective.able):
        one = effective.snapshot.principals[number]
        if not one.system:
            yield Flaw(
                principal=one.name,
                summary=f"{one.name} is a superuser that can log in, besides the one that initdb made",
                remedy=Remedy(
                    text="Give it the rights that its work needs and take SUPERUSER away.",
                    sql=f"ALTER ROLE {identifier(one.name)} NOSUPERUSER;",
                ),
            )


def _programs(effective: Effective) -> Iterator[Flaw]:
    numbers = {one.name: number for number, one in enumerate(effective.snapshot.principals)}
    closure = effective.becomes()
    for role, severity in _PROGRAMS.items():
        if role not in numbers:
            continue
        reach = effective.inherits().holders(numbers[role]) | closure.holders(numbers[role])
        for number in each(reach & effective.able & ~effective.bypass):
            name = effective.snapshot.principals[number].name
            yield Flaw(
                principal=name,
                object=f"role:{role}",
                severity=severity,
                summary=f"{name} can act on the server's operating system through {role}: as good as a superuser",
                remedy=Remedy(
                    text=f"Take {name}, or the role through which it gets there, out of {role}.",
                    sql=f"REVOKE {role} FROM {identifier(name)};",
                ),
            )


def _public_create(effective: Effective) -> Iterator[Flaw]:
    for one in _of(effective, ("schema",)):
        if "CREATE" in _public(effective, one):
            yield Flaw(
                principal="PUBLIC",
                object=label(effective.snapshot, one),
                summary=f"everybody can create objects in {label(effective.snapshot, one)}, and so put functions and "
                "operators into the search path of others",
                remedy=Remedy(
                    text="Let only those create who are meant to.",
                    sql=f"REVOKE CREATE ON SCHEMA {_sql(one)} FROM PUBLIC;",
                ),
            )


def _definer_path(effective: Effective) -> Iterator[Flaw]:
    for one in _of(effective, ("function",)):
        if "definer" not in one.flags or "path_fixed" in one.flags:
            continue
        others = effective.nominal(one, "EXECUTE") & ~effective.bypass & ~(1 << one.owner)
        if not others:
            continue
        strong = bool(effective.bypass >> one.owner & 1)
        owner = effective.snapshot.principals[one.owner].name
        yield Flaw(
            principal=owner,
            object=label(effective.snapshot, one),
            severity=Severity.CRITICAL if strong else None,
            summary=f"{label(effective.snapshot, one)} runs as {owner}{' (a superuser)' if strong else ''} with the "
            f"caller's search_path; {others.bit_count()} other role(s) may call it",
            remedy=Remedy(
                text="Fix its search_path, the schema for temporary objects last.",
                sql=f"ALTER ROUTINE {_sql(one)} SET search_path = pg_catalog, {identifier(one.path[1])}, pg_temp;",
            ),
        )


def _public_data(effective: Effective) -> Iterator[Flaw]:
    for one in _of(effective, (*TABLE_LIKE, "column", "sequence")):
        actions = _public(effective, one)
        if not actions:
            continue
        writes = any(action in _WRITING for action in actions)
        where = label(effective.snapshot, one)
        yield Flaw(
            principal="PUBLIC",
            object=where,
            severity=Severity.HIGH if writes and one.kind != "sequence" else None,
            summary=f"everybody who can connect has {', '.join(actions)} on {where}",
            remedy=Remedy(
                text="Grant it to a role of those who need it, then revoke it from PUBLIC.",
                sql=f"REVOKE {_actions(one, actions)} ON {ON[one.kind]} {_sql(one)} FROM PUBLIC;",
            ),
        )


def _owners(effective: Effective) -> Iterator[Flaw]:
    owned: Counter[tuple[int, str]] = Counter()
    for one in _of(effective, (*TABLE_LIKE, "schema", "function")):
        if (effective.able & ~effective.bypass) >> one.owner & 1:
            owned[one.owner, one.database] += 1
    for (owner, database), count in sorted(owned.items()):
        name = effective.snapshot.principals[owner].name
        yield Flaw(
            principal=name,
            object=f"database:{database}",
            summary=f"{name} can log in and owns {count} object(s) in {database}: whoever has its password can drop "
            "them and change their rights",
            remedy=Remedy(
                text=f"Let a role without LOGIN own them, and give {name} the rights that its work needs. Run in the "
                f"database {database}, with a role of your choice.",
                sql=f"REASSIGN OWNED BY {identifier(name)} TO owner_without_login;",
            ),
        )


def _row_security(effective: Effective) -> Iterator[Flaw]:
    for one in _of(effective, ("table",)):
        if "rls" not in one.flags:
            continue
        where = label(effective.snapshot, one)
        if "policies" not in one.flags:
            yield Flaw(
                object=where,
                key="no policy",
                severity=Severity.LOW,
                summary=f"row-level security is on for {where} without a policy: others than its owner see no row",
                remedy=Remedy(text="Write a policy, or switch it off.", sql=f"-- CREATE POLICY … ON {_sql(one)} …;"),
            )
        exempt = effective.inherits(one.database).holders(one.owner) & effective.able & ~effective.bypass
        if "rls_forced" not in one.flags and exempt:
            names = ", ".join(effective.snapshot.principals[number].name for number in each(exempt))
            yield Flaw(
                object=where,
                key="not forced",
                summary=f"row-level security of {where} does not hold for {names}: as owner",
                remedy=Remedy(
                    text="Force it, if these logins are meant to be limited too.",
                    sql=f"ALTER TABLE {_sql(one)} FORCE ROW LEVEL SECURITY;",
                ),
            )


def _passwords(effective: Effective) -> list[Flaw] | Missing:
    people = effective.snapshot.principals
    known = [one.password for one in people if not isinstance(one.password, Missing)]
    if not known:
        return Missing("no_permission", "SELECT on pg_authid is needed to see how passwords are stored")
    return [
        Flaw(
            principal=one.name,
            summary=f"the password of {one.name} is stored as MD5: whoever reads the hash can log in with it",
            remedy=Remedy(
                text="Set the password again while password_encryption is scram-sha-256: dbops users rotate does.",
                sql=f"ALTER ROLE {identifier(one.name)} PASSWORD NULL; -- or set a new one with \\password",
            ),
        )
        for one in people
        if one.password == "md5"  # noqa: S105 - the name of a method
    ]


def _attributes(effective: Effective) -> Iterator[Flaw]:
    old = effective.snapshot.version[0] < _OPTIONS_SINCE
    for number in each(effective.able & ~effective.bypass):
        one = effective.snapshot.principals[number]
        for word, why, severity in (
            ("CREATEROLE", "can give itself every role but superusers'", Severity.HIGH if old else Severity.MEDIUM),
            ("REPLICATION", "can read every byte of the server through a base backup", Severity.MEDIUM),
            ("BYPASSRLS", "is exempt from all row-level security", Severity.MEDIUM),
        ):
            if word in one.attributes:
                reason = why if word != "CREATEROLE" or old else "can make and alter roles"
                yield Flaw(
                    principal=one.name,
                    key=word,
                    severity=severity,
                    summary=f"{one.name} can log in and has {word}: it {reason}",
                    remedy=Remedy(
                        text=f"Take {word} away unless this account is made for exactly that.",
                        sql=f"ALTER ROLE {identifier(one.name)} NO{word};",
                    ),
                )


def _grant_option(effective: Effective) -> Iterator[Flaw]:
    snapshot = effective.snapshot
    for one in snapshot.objects:
        if _OURS.intersection(one.flags):
            continue
        for grant in snapshot.grants(one):
            if not grant.grantable or grant.grantee in (one.owner, PUBLIC):
                continue
            if not (effective.able & ~effective.bypass) >> grant.grantee & 1:
                continue
            name, where = snapshot.principals[grant.grantee].name, label(snapshot, one)
            actions = snapshot.kind(one).names(grant.grantable)
            yield Flaw(
                principal=name,
                object=where,
                key=snapshot.principals[grant.grantor].name,
                summary=f"{name} can pass {', '.join(actions)} on {where} on to anybody",
                remedy=Remedy(
                    text="Take the grant option away; grants that rest on it go with CASCADE.",
                    sql=f"REVOKE GRANT OPTION FOR {_actions(one, actions)} ON {ON[one.kind]} {_sql(one)} "
                    f"FROM {identifier(name)};",
                ),
            )


def _of(effective: Effective, kinds: Iterable[str]) -> Iterator[SecuredObject]:
    """The objects of some kinds that somebody made here."""
    wanted = set(kinds)
    for one in effective.snapshot.objects:
        if one.kind in wanted and not _OURS.intersection(one.flags):
            yield one


def _public(effective: Effective, one: SecuredObject) -> tuple[str, ...]:
    bits = 0
    for grant in effective.snapshot.grants(one):
        if grant.grantee == PUBLIC:
            bits |= grant.actions
    return effective.snapshot.kind(one).names(bits)


def _sql(one: SecuredObject) -> str:
    return object_sql(ObjectName(one.kind, one.path))


def _actions(one: SecuredObject, actions: Iterable[str]) -> str:
    column = f" ({identifier(one.path[-1])})" if one.kind == "column" else ""
    return ", ".join(action + column for action in actions)


RULES = (
    Rule(
        id="pg.access.superuser",
        title="Superusers that can log in",
        severity=Severity.HIGH,
        why="A superuser is bound by nothing: no grant, no policy, no audit trigger.",
        judge=_superusers,
    ),
    Rule(
        id="pg.access.server_programs",
        title="Logins that reach the operating system",
        severity=Severity.CRITICAL,
        why="Running programs or writing files as the server's user is a way to become a superuser.",
        judge=_programs,
    ),
    Rule(
        id="pg.access.public_create",
        title="Schemas in which everybody can create",
        severity=Severity.HIGH,
        why="An object of the same name earlier in the search path is run with the rights of whoever calls it.",
        judge=_public_create,
    ),
    Rule(
        id="pg.access.definer_search_path",
        title="SECURITY DEFINER routines with the caller's search_path",
        severity=Severity.HIGH,
        why="The caller decides which tables and operators the owner's code meets.",
        judge=_definer_path,
    ),
    Rule(
        id="pg.access.public_data",
        title="Data that everybody can reach",
        severity=Severity.MEDIUM,
        why="PUBLIC is every present and future account.",
        judge=_public_data,
    ),
    Rule(
        id="pg.access.owner_login",
        title="Objects owned by accounts that log in",
        severity=Severity.MEDIUM,
        why="An owner can drop, alter and grant; an application needs none of that.",
        judge=_owners,
    ),
    Rule(
        id="pg.access.row_security",
        title="Row-level security with holes",
        severity=Severity.MEDIUM,
        why="It does not hold for owners unless forced, and without a policy it hides everything.",
        judge=_row_security,
    ),
    Rule(
        id="pg.access.password_md5",
        title="Passwords stored as MD5",
        severity=Severity.HIGH,
        why="The stored hash is enough to log in.",
        judge=_passwords,
    ),
    Rule(
        id="pg.access.strong_attributes",
        title="Logins with CREATEROLE, REPLICATION or BYPASSRLS",
        severity=Severity.MEDIUM,
        why="Each of them is near to being a superuser.",
        judge=_attributes,
    ),
    Rule(
        id="pg.access.grant_option",
        title="Logins that can pass rights on",
        severity=Severity.LOW,
        why="Who has access is then decided by somebody who was meant to use it only.",
        judge=_grant_option,
    ),
)
