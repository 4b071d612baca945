"""Rules about rights on the whole server, and ways that lead to them."""

from __future__ import annotations

from collections.abc import Iterator

from dbops.access.audit import Flaw
from dbops.access.closure import each
from dbops.model.access import PUBLIC
from dbops.model.finding import Remedy, Severity
from dbops_mssql.access.audited import Audited

__all__ = ["command_shell", "control_server", "impersonation", "public_server", "securityadmin", "sysadmins"]

_TO_EVERYBODY = ("VIEW ANY DATABASE",)
_DEFAULT_ENDPOINTS = ("TSQL Local Machine", "TSQL Named Pipes", "TSQL Default TCP", "TSQL Default VIA")
_SHELL = ("xp_cmdshell",)
_REGISTRY = "xp_reg", "xp_instance_reg"


def sysadmins(audited: Audited) -> Iterator[Flaw]:
    """Everybody to whom nothing is denied, besides sa and the services of the server."""
    role = audited.contexts.named("", audited.effective.covering.unbound)
    for number, one in audited.able(audited.contexts.unbound):
        yield Flaw(
            principal=one.name,
            object="server",
            summary=f"{one.name} is a member of sysadmin: it may do everything, and no denial holds it back",
            remedy=Remedy(
                text="Keep this to those who run the server; give others the rights or server roles that they need.",
                sql=audited.leave(number, role) if role >= 0 else "",
            ),
        )


def control_server(audited: Audited) -> Iterator[Flaw]:
    """The right that is nearly sysadmin: it is bound by denials, and leads around them."""
    strong = audited.effective.covering.strong
    for number, one in audited.able(audited.holders(strong) & ~audited.contexts.unbound):
        direct = strong in audited.granted(audited.server, number)
        yield Flaw(
            principal=one.name,
            object="server",
            summary=f"{one.name} has CONTROL SERVER: with it every login can be impersonated, those of sysadmin too",
            remedy=Remedy(
                text="Grant the single permissions that its work needs.",
                sql=audited.revoke(number, audited.server, (strong,)) if direct else "",
            ),
        )


def securityadmin(audited: Audited) -> Iterator[Flaw]:
    """Who can grant rights can grant them to himself."""
    for way in audited.escalations:
        if way.kind == "role":
            role = audited.contexts.named("", way.by)
            for number, one in audited.able(way.who):
                yield Flaw(
                    principal=one.name,
                    object=f"server_role:{way.by}",
                    summary=f"{one.name} is a member of {way.by}, which can grant most rights of the server: it is "
                    "to be treated as sysadmin",
                    remedy=Remedy(
                        text="ALTER ANY LOGIN lets create logins without granting; from 2022 ##MS_LoginManager## does.",
                        sql=audited.leave(number, role),
                    ),
                )


def impersonation(audited: Audited) -> Iterator[Flaw]:
    """Who can execute as somebody mightier."""
    every = "IMPERSONATE ANY LOGIN"
    named: set[int] = set()
    for number, one in audited.able(audited.holders(every) & ~audited.mighty):
        named.add(number)
        direct = every in audited.granted(audited.server, number)
        yield Flaw(
            principal=one.name,
            object="server",
            summary=f"{one.name} has {every}: it can be any login, the administrators included",
            remedy=Remedy(
                text="Grant IMPERSONATE on the logins that it has to be.",
                sql=audited.revoke(number, audited.server, (every,)) if direct else "",
            ),
        )
    for way in audited.escalations:
        if way.kind == "impersonate":
            for number, one in audited.able(way.who):
                if number not in named:
                    yield Flaw(
                        principal=one.name,
                        object=way.by,
                        summary=f"{one.name} can impersonate {way.to}, to whom nothing is denied",
                        remedy=Remedy(text=f"Take away what lets it impersonate {way.to}, or deny IMPERSONATE on it."),
                    )


def public_server(audited: Audited) -> Iterator[Flaw]:
    """What everybody who logs in has, beyond what the server comes with."""
    for one in audited.objects("server", "login", "server_role", "endpoint"):
        default = _TO_EVERYBODY if one.kind == "server" else ()
        if one.kind == "endpoint" and one.path[0] in _DEFAULT_ENDPOINTS:
            default = ("CONNECT",)
        found = tuple(action for action in audited.granted(one, PUBLIC) if action not in default)
        if found:
            yield Flaw(
                principal="public",
                object=audited.name(one),
                severity=Severity.HIGH if one.kind == "server" and "CONTROL SERVER" in found else None,
                summary=f"every login has {', '.join(found)} on {audited.name(one)}",
                remedy=Remedy(
                    text="Grant it to a server role of those who need it.", sql=audited.revoke(PUBLIC, one, found)
                ),
            )


def command_shell(audited: Audited) -> Iterator[Flaw]:
    """Who may run what reaches out of the server: its command shell and its registry."""
    for one in audited.objects("procedure"):
        name = one.path[-1]
        if one.database != "master" or not (name in _SHELL or name.startswith(_REGISTRY)):
            continue
        for grantee in sorted({row.grantee for row in audited.snapshot.grants(one) if row.actions}):
            who = audited.people[grantee]
            shell = name in _SHELL
            if "EXECUTE" not in audited.granted(one, grantee) or (not shell and who.kind == "public"):
                continue  # the procedures of the registry that everybody has come so with the server
            reached = listed_people(audited, grantee)
            yield Flaw(
                principal=who.name,
                object=audited.name(one),
                severity=None if shell else Severity.MEDIUM,
                summary=f"{who.name} may run {name}{reached}: it reaches the machine, not just the databases",
                remedy=Remedy(
                    text="Let a job or a signed procedure do the one thing that is needed.",
                    sql=audited.revoke(grantee, one, ("EXECUTE",)),
                ),
            )


def listed_people(audited: Audited, grantee: int) -> str:
    """The logins that stand behind somebody."""
    holders = audited.contexts.holders(grantee) & ~audited.contexts.unbound & audited.contexts.on_server
    names = [audited.people[number].name for number in each(holders) if number != grantee]
    return f" (and with it {len(names)} login(s))" if names else ""
