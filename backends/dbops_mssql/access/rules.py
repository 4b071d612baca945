"""What an audit of SQL Server looks for. Each rule is data with a pure function over effective access.

Items of CIS are those of one edition whose numbering could be checked (SQL Server 2017, 1.2.0); in others they move.
Identifiers of Microsoft's vulnerability assessment (VA…) are as its reference of 2022-11-29 has them; each was compared
with the title of the rule there: https://learn.microsoft.com/azure/defender-for-cloud/sql-azure-vulnerability-assessment-rules
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec

from dbops.access.audit import Flaw, Rule
from dbops.access.effective import Effective
from dbops.model.finding import Benchmark, Missing, Severity
from dbops_mssql.access import rules_databases, rules_lent, rules_logins, rules_server
from dbops_mssql.access.audited import Audited

__all__ = ["RULES"]

CRITICAL, HIGH, MEDIUM, LOW, INFO = Severity.CRITICAL, Severity.HIGH, Severity.MEDIUM, Severity.LOW, Severity.INFO
_CIS = ("CIS Microsoft SQL Server 2017 Benchmark", "1.2.0")
_VA = ("Microsoft SQL vulnerability assessment", "2022-11-29")


class _Asked(msgspec.Struct, frozen=True):
    """A rule, its items of CIS and its identifiers of Microsoft's."""

    name: str
    title: str
    severity: Severity
    why: str
    look: Callable[[Audited], Iterable[Flaw] | Missing]
    va: tuple[str, ...] = ()
    cis: tuple[str, ...] = ()


def _rule(one: _Asked) -> Rule:
    def judge(effective: Effective) -> Iterable[Flaw] | Missing:
        return one.look(Audited(effective))

    items = [(*_VA, item) for item in one.va] + [(*_CIS, item) for item in one.cis]
    return Rule(
        id=f"ms.access.{one.name}",
        title=one.title,
        severity=one.severity,
        why=one.why,
        judge=judge,
        benchmarks=tuple(Benchmark(benchmark=name, version=version, item=item) for name, version, item in items),
    )


_ALL = (
    _Asked(
        "sysadmin",
        "Members of sysadmin",
        HIGH,
        "Nothing is denied to them, in no database, and nothing that an audit finds binds them.",
        rules_server.sysadmins,
        va=("VA2114",),
    ),
    _Asked(
        "sa",
        "sa can log in",
        HIGH,
        "Its name and number are the same on every server, and it may do everything.",
        rules_logins.sa,
        va=("VA1058", "VA1053"),
        cis=("2.13",),
    ),
    _Asked(
        "weak_password",
        "Logins without a password, or with their name as one",
        CRITICAL,
        "These are the first two that anybody tries.",
        rules_logins.weak_passwords,
    ),
    _Asked(
        "password_policy",
        "SQL logins without a password policy",
        LOW,
        "Short passwords are allowed, and no number of wrong guesses locks the login.",
        rules_logins.password_policy,
        va=("VA1046",),
        cis=("4.3",),
    ),
    _Asked(
        "builtin_group",
        "Groups of the machine as logins",
        LOW,
        "Whoever administers Windows, or is in its groups for another reason, is let in with them.",
        rules_logins.builtin_groups,
        va=("VA1052",),
        cis=("3.9",),
    ),
    _Asked(
        "group_members",
        "Windows groups whose members are not known",
        INFO,
        "People act by them whom no catalog names; what is not known is said, and not taken for nothing.",
        rules_logins.unknown_groups,
    ),
    _Asked(
        "control_server",
        "Logins with CONTROL SERVER",
        HIGH,
        "It covers every permission, and impersonates whoever has more.",
        rules_server.control_server,
    ),
    _Asked(
        "securityadmin",
        "Members of securityadmin",
        HIGH,
        "They grant most permissions of the server, to themselves as well: the documentation calls them equal.",
        rules_server.securityadmin,
        va=("VA2114",),
    ),
    _Asked(
        "impersonate",
        "Logins that can be an administrator",
        HIGH,
        "EXECUTE AS LOGIN is all that it takes, and what is done is done in the name of another.",
        rules_server.impersonation,
    ),
    _Asked(
        "public_server",
        "Rights of every login on the server",
        MEDIUM,
        "Every present and future login has what public has.",
        rules_server.public_server,
        va=("VA1280",),
        cis=("3.8",),
    ),
    _Asked(
        "command_shell",
        "Who may run commands of the machine",
        HIGH,
        "xp_cmdshell runs them as the service of the server; procedures of the registry read and change its settings.",
        rules_server.command_shell,
        va=("VA1017", "VA2110"),
    ),
    _Asked(
        "guest",
        "Databases that let everybody in",
        MEDIUM,
        "Each login that is no user comes in as guest, with all that public has there.",
        rules_databases.guests,
        va=("VA1043",),
        cis=("3.2",),
    ),
    _Asked(
        "trustworthy",
        "Databases that the server trusts",
        MEDIUM,
        "Their code can act as their owner on the whole server: who writes the code is as mighty as he is.",
        rules_databases.trustworthy,
        va=("VA1102",),
        cis=("2.9",),
    ),
    _Asked(
        "chaining",
        "Chains of ownership across databases",
        MEDIUM,
        "A view in one database then reads another without anybody being asked for rights there.",
        rules_databases.chaining,
        va=("VA1042",),
        cis=("2.3",),
    ),
    _Asked(
        "orphaned",
        "Users without their login",
        MEDIUM,
        "They are nobody's, and become somebody's as soon as a login with their SID is made.",
        rules_databases.orphaned,
        va=("VA1244",),
        cis=("3.3",),
    ),
    _Asked(
        "public_objects",
        "Data that every user of a database reaches",
        MEDIUM,
        "public is every present and future user, and the guests where there are any.",
        rules_databases.public_objects,
        va=("VA1054", "VA1095"),
    ),
    _Asked(
        "msdb_owner",
        "Members of the strong roles of msdb",
        HIGH,
        "msdb is trusted and owned by sa, and its jobs run as the server: this is a way to sysadmin.",
        rules_databases.msdb_owners,
        va=("VA2108",),
    ),
    _Asked(
        "application_role",
        "Application roles",
        LOW,
        "A password in a program is a password of everybody who has the program.",
        rules_databases.application_roles,
        va=("VA1246",),
    ),
    _Asked(
        "nested_role",
        "Roles of one's own in fixed roles",
        MEDIUM,
        "Who administers the inner role gives out the outer one.",
        rules_databases.nested_roles,
        va=("VA1248",),
    ),
    _Asked(
        "signed_module",
        "Code with the rights of an administrator",
        MEDIUM,
        "A signature gives code the rights of whoever was made from its key, and whoever may run it acts by them.",
        rules_lent.signed_modules,
    ),
    _Asked(
        "execute_as",
        "Code that acts as an administrator",
        MEDIUM,
        "What it runs as text, and whatever it can be talked into, is done in an administrator's name.",
        rules_lent.acting_modules,
    ),
    _Asked(
        "signing_key",
        "Keys that make administrators of code",
        HIGH,
        "Who controls such a key can sign code of his own, and needs no right of the server for it.",
        rules_lent.signing_keys,
    ),
    _Asked(
        "linked_server",
        "Linked servers with a stored password",
        LOW,
        "Whoever gets in here is somebody given there: rights that no catalog of this server shows.",
        rules_lent.linked_servers,
    ),
)
RULES = tuple(_rule(one) for one in _ALL)
