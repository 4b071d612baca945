"""What an audit looks for in rights: those that end in having all, and those that should be few people's."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from dbops.access.audit import Flaw
from dbops.access.patterns import wild_match
from dbops.model.access import PUBLIC, SecuredObject
from dbops.model.finding import Remedy, Severity
from dbops_mysql.access.audited import Audited, listed, role
from dbops_mysql.access.kinds import GRANT

__all__ = ["files", "grant_option", "process", "strong_rights", "system_schema"]

SYSTEM = "mysql"
_WRITING = ("INSERT", "UPDATE", "DELETE", "CREATE", "DROP", "ALTER")
"""TRIGGER is not among them: no server lets anybody make one on its own tables."""
_TABLES = ("table", "column")


def strong_rights(audited: Audited) -> Iterator[Flaw]:
    """Accounts that can make themselves an administrator, or are one."""
    for number in audited.usable(_union(1 << one for one in audited.strong)):
        one, actions = audited.people[number], audited.strong[number]
        worst = max((audited.words.strong[action] for action in actions), key=lambda severity: severity.rank)
        yield Flaw(
            principal=one.name,
            severity=worst,
            summary=f"{one.name} can have {listed(actions)} on the whole server",
            remedy=Remedy(
                text="Leave these to an administrator, and give it the rights on the databases that it works with.",
                sql=audited.revoke(number, audited.server, actions),
            ),
        )


def files(audited: Audited) -> Iterator[Flaw]:
    """Who reads and writes files of the server."""
    for number in audited.usable(audited.holders(audited.server, "FILE")):
        one = audited.people[number]
        yield Flaw(
            principal=one.name,
            summary=f"{one.name} can read and write files on the server's machine, as the server's user and wherever "
            "secure_file_priv lets it",
            remedy=Remedy(
                text="Take FILE away: LOAD DATA LOCAL and the output of a client need none.",
                sql=audited.revoke(number, audited.server, ("FILE",)),
            ),
        )


def process(audited: Audited) -> Iterator[Flaw]:
    """Who stops the server, and who sees what others ask."""
    for action, severity, what in (
        ("SHUTDOWN", Severity.MEDIUM, "can stop the server"),
        ("PROCESS", Severity.LOW, "sees the statements of all sessions, with passwords and data in them"),
    ):
        for number in audited.usable(audited.holders(audited.server, action)):
            one = audited.people[number]
            yield Flaw(
                principal=one.name,
                key=action,
                severity=severity,
                summary=f"{one.name} {what} ({action})",
                remedy=Remedy(
                    text=f"Take {action} away unless this account watches over or runs the server.",
                    sql=audited.revoke(number, audited.server, (action,)),
                ),
            )


def grant_option(audited: Audited) -> Iterator[Flaw]:
    """Who passes on what he has."""
    for one in audited.snapshot.objects:
        kind = audited.snapshot.kind(one)
        for grant in audited.snapshot.grants(one):
            had = kind.names(grant.actions)
            passed = kind.names(grant.grantable)
            if (GRANT not in had and not passed) or not _judged(audited, grant.grantee):
                continue
            who, where = audited.people[grant.grantee].name, audited.name(one)
            actions = (*((GRANT,) if GRANT in had else ()), *passed)
            what = "everything that it has" if GRANT in had else listed(passed)
            yield Flaw(
                principal=who,
                object=where,
                severity=Severity.MEDIUM if one.kind == "server" else None,
                summary=f"{who} can pass on {what} on {where} to anybody",
                remedy=Remedy(
                    text="Take the option away; what it has itself stays.",
                    sql=audited.revoke(grant.grantee, one, actions, option=True),
                ),
            )


def _judged(audited: Audited, number: int) -> bool:
    """An account that gets in, or a role by which one does."""
    one = audited.people[number]
    if number == PUBLIC or one.kind == "unknown":
        return number == PUBLIC
    members = audited.members(number) if role(one) else 1 << number
    return any(True for _ in audited.usable(members))


def system_schema(audited: Audited) -> Iterator[Flaw]:
    """Who reads the stored passwords, or writes rights past GRANT."""
    reading, writing, other = 0, 0, 0
    stored = (audited.words.stored,)
    written = (*audited.words.grant_tables, *audited.words.code_tables)
    for one in _inside(audited, written):
        if one.path[1] in stored:
            reading |= audited.holders(one, "SELECT")
        writing |= _union(audited.holders(one, action) for action in _WRITING)
    for one in _whole(audited):
        other |= _union(audited.holders(one, action) for action in _WRITING)
    everywhere = _union(1 << number for number in audited.strong if "SUPER" in audited.strong[number])
    for number in audited.usable(reading | writing | other):
        bit = 1 << number
        severity, what = _reach(bool(writing & bit), bool(other & bit), bool(everywhere & bit))
        who = audited.people[number].name
        sql = "\n".join(
            filter(None, (audited.revoke(number, one, audited.snapshot.kind(one).actions) for one in _about(audited)))
        )
        yield Flaw(
            principal=who,
            object=f"database:{SYSTEM}",
            severity=severity,
            summary=f"{who} {what}, in the database {SYSTEM}",
            remedy=Remedy(
                text="Take away what it has there; what it must see of accounts, views of an administrator's can show."
                if sql
                else "It comes from rights on all databases: grant those on its own databases, and revoke them here.",
                sql=sql or audited.revoke(number, audited.server, ("SELECT", *_WRITING)),
            ),
        )


def _reach(grants: bool, others: bool, strong: bool) -> tuple[Severity, str]:
    if grants or others:
        # Whoever is an administrator in all but name is a finding of another rule; this one is about what follows.
        severity = Severity.HIGH if strong else Severity.CRITICAL
        what = "can write the tables that hold accounts and rights" if grants else "can change tables of the server"
        return (severity if grants else Severity.MEDIUM), what
    return Severity.MEDIUM, "can read the stored passwords of all accounts"


def _whole(audited: Audited) -> list[SecuredObject]:
    return [one for one in audited.snapshot.objects if one.kind == "database" and one.path == (SYSTEM,)]


def _inside(audited: Audited, names: Iterable[str]) -> list[SecuredObject]:
    """Tables and columns of it; without names all of them."""
    wanted = set(names)
    return [
        one
        for one in audited.snapshot.objects
        if one.database == SYSTEM and one.kind in (*_TABLES, "view") and (not wanted or one.path[1] in wanted)
    ]


def _about(audited: Audited) -> list[SecuredObject]:
    """All that a right on it can be said of, patterns too."""
    wildcards = audited.matching.wildcards
    patterns = [one for one in audited.snapshot.objects if wildcards and one.kind == "pattern"]
    return [*_whole(audited), *_inside(audited, ()), *(one for one in patterns if wild_match(one.path[0], SYSTEM))]


def _union(sets: Iterable[int]) -> int:
    found = 0
    for one in sets:
        found |= one
    return found
