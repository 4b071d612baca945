"""What an audit of MySQL and MariaDB looks for. Each rule is data with a pure function over effective access."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec

from dbops.access.audit import Flaw, Rule
from dbops.access.effective import Effective
from dbops.model.finding import Missing, Severity
from dbops_mysql.access import rules_accounts, rules_code, rules_rights, rules_roles, rules_rows
from dbops_mysql.access.audit_words import Words
from dbops_mysql.access.audited import Audited

__all__ = ["rules"]


class _Asked(msgspec.Struct, frozen=True):
    """A rule before it is known which engine it is for."""

    name: str
    title: str
    severity: Severity
    why: str
    look: Callable[[Audited], Iterable[Flaw]]


def rules(words: Words) -> tuple[Rule, ...]:
    """Those of one engine."""
    return tuple(_rule(one, words) for one in _ALL)


def _rule(one: _Asked, words: Words) -> Rule:
    def judge(effective: Effective) -> Iterable[Flaw] | Missing:
        return one.look(Audited(words, effective))

    return Rule(
        id=f"my.access.{one.name}",
        title=one.title,
        severity=one.severity,
        why=one.why,
        judge=judge,
        benchmarks=words.benchmarks.get(one.name, ()),
    )


_ALL = (
    _Asked(
        "skip_grants",
        "A server that asks nobody who he is",
        Severity.CRITICAL,
        "With skip-grant-tables everybody may do everything, and nothing else that an audit says means anything.",
        rules_accounts.skipped_grants,
    ),
    _Asked(
        "anonymous",
        "Accounts without a name",
        Severity.HIGH,
        "Anybody gets in by them, and nobody can say afterwards who it was; their rights on databases count for all.",
        rules_accounts.anonymous,
    ),
    _Asked(
        "empty_password",
        "Accounts that log in without a password",
        Severity.CRITICAL,
        "Whoever reaches the server and knows the name is in.",
        rules_accounts.empty_passwords,
    ),
    _Asked(
        "old_plugin",
        "Passwords stored in an old or weak way",
        Severity.MEDIUM,
        "From a copy of the stored password, a weak hash gives back the password itself; old plugins go with an "
        "upgrade, and the accounts with them.",
        rules_accounts.old_plugins,
    ),
    _Asked(
        "wide_host",
        "Accounts that may log in from anywhere",
        Severity.MEDIUM,
        "A password that leaks is of no use where the account does not let its finder in.",
        rules_accounts.wide_hosts,
    ),
    _Asked(
        "strong_rights",
        "Accounts with SUPER or what is left of it",
        Severity.HIGH,
        "Each of these leads to having all rights, or undoes what holds others back.",
        rules_rights.strong_rights,
    ),
    _Asked(
        "file",
        "Accounts that reach the server's files",
        Severity.HIGH,
        "FILE reads what the server can read, its configuration and other databases, and writes files that others run.",
        rules_rights.files,
    ),
    _Asked(
        "process",
        "Accounts that stop the server or watch everybody",
        Severity.MEDIUM,
        "Both are for administrators and for what watches over the server.",
        rules_rights.process,
    ),
    _Asked(
        "grant_option",
        "Accounts that can pass rights on",
        Severity.LOW,
        "Who has access is then decided by somebody who was meant to use it only.",
        rules_rights.grant_option,
    ),
    _Asked(
        "system_schema",
        "Accounts that reach the grant tables",
        Severity.CRITICAL,
        "Rights are rows there: whoever writes them is an administrator, and whoever reads them has all stored "
        "passwords to guess from.",
        rules_rights.system_schema,
    ),
    _Asked(
        "missing_definer",
        "Code that runs with the rights of nobody",
        Severity.MEDIUM,
        "It fails when it is needed, and the next account of that name lends it its rights unasked.",
        rules_code.missing_definers,
    ),
    _Asked(
        "definer_rights",
        "Routines that lend out an administrator's rights",
        Severity.MEDIUM,
        "A mistake in the routine is then a way to all that its definer may do.",
        rules_code.strong_definers,
    ),
    _Asked(
        "unused_role",
        "Roles that nobody has",
        Severity.LOW,
        "What nobody uses nobody looks after, until somebody is granted it for its name.",
        rules_roles.unused_roles,
    ),
    _Asked(
        "test_rows",
        "Rights on test databases",
        Severity.LOW,
        "Old installations let everybody do everything in databases called test, and in all that begin so.",
        rules_rows.test_rows,
    ),
    _Asked(
        "absent_database",
        "Rights on databases that are not there",
        Severity.LOW,
        "Dropping a database leaves its rights, and a new one of the same name comes with people in it.",
        rules_rows.absent_rows,
    ),
    _Asked(
        "wide_rows",
        "Rights that reach further than their database",
        Severity.LOW,
        "In a row of rights _ stands for any letter: a_b is axb, too.",
        rules_rows.wide_rows,
    ),
    _Asked(
        "shadowed",
        "Accounts that another one comes before",
        Severity.MEDIUM,
        "The server takes the most specific host, whatever the name: people are refused, or get rights of others.",
        rules_accounts.shadowed,
    ),
)
