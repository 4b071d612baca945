"""Rules about logins: who gets in, and how well that is kept."""

from __future__ import annotations

from collections.abc import Iterator

from dbops.access.audit import Flaw
from dbops.model.access import UNKNOWN_MEMBERS
from dbops.model.finding import Missing, Remedy, Severity
from dbops_mssql.access.audited import Audited
from dbops_mssql.quoting import identifier

__all__ = ["builtin_groups", "password_policy", "sa", "unknown_groups", "weak_passwords"]

_WEAK = {"blank": "no password", "name": "its own name as password"}


def sa(audited: Audited) -> Iterator[Flaw]:
    """The one login that every attacker knows; it keeps its number when it is renamed."""
    for _, one in audited.logins():
        if audited.has(one, "SA") and not audited.has(one, "DISABLED"):
            plain = one.user or one.name
            called = "sa" if plain == "sa" else f"{plain} (sa, renamed)"
            yield Flaw(
                principal=one.name,
                severity=None if plain == "sa" else Severity.LOW,
                summary=f"{called} can log in: its name is known to everybody, and it may do everything",
                remedy=Remedy(
                    text="Give administrators logins of their own, then disable it; jobs and databases may go on "
                    "belonging to it.",
                    sql=f"ALTER LOGIN {identifier(plain)} DISABLE;",
                ),
            )


def password_policy(audited: Audited) -> Iterator[Flaw]:
    """SQL logins whose passwords nobody checks."""
    for number, one in audited.logins():
        unchecked = audited.has(one, "SQL") and not audited.has(one, "CHECK_POLICY")
        if unchecked and audited.has(one, "LOGIN") and not one.name.startswith("##MS_"):
            mighty = bool(audited.mighty >> number & 1)
            yield Flaw(
                principal=one.name,
                severity=Severity.MEDIUM if mighty else None,
                summary=f"the password of {one.name}{', an administrator,' if mighty else ''} is not held to a policy: "
                "it may be short, and it can be guessed without end",
                remedy=Remedy(
                    text="Turn the policy on; it holds from the next change of the password.",
                    sql=f"ALTER LOGIN {identifier(one.user or one.name)} WITH CHECK_POLICY = ON;",
                ),
            )


def weak_passwords(audited: Audited) -> list[Flaw] | Missing:
    """Passwords that are empty or the name of the login; compared on the server, where hashes are readable."""
    found: list[Flaw] = []
    seen = unseen = 0
    for _, one in audited.logins():
        if not audited.has(one, "SQL"):
            continue
        unseen += isinstance(one.password, Missing)
        seen += isinstance(one.password, str)
        what = _WEAK.get(one.password) if isinstance(one.password, str) else None
        if what is not None:
            open_ = audited.has(one, "LOGIN")
            found.append(
                Flaw(
                    principal=one.name,
                    severity=None if open_ else Severity.MEDIUM,
                    summary=f"{one.name} has {what}{'' if open_ else ', though it is disabled'}",
                    remedy=Remedy(
                        text="Give it a password that was made up by a machine, or drop it.",
                        sql=f"ALTER LOGIN {identifier(one.user or one.name)} WITH PASSWORD = N'…';",
                    ),
                )
            )
    if unseen and not seen:
        return Missing("no_permission", "CONTROL SERVER is needed to compare stored passwords")
    return found


def builtin_groups(audited: Audited) -> Iterator[Flaw]:
    """Groups of the machine as logins: who administers Windows administers the databases."""
    for number, one in audited.logins():
        plain = one.user or one.name
        if one.kind == "group" and plain.upper().startswith("BUILTIN\\"):
            mighty = bool(audited.mighty >> number & 1)
            yield Flaw(
                principal=one.name,
                severity=Severity.HIGH if mighty else None,
                summary=f"{plain} is a login{' and an administrator' if mighty else ''}: who is in this group of the "
                "machine gets in",
                remedy=Remedy(
                    text="Let a group of the domain in whose members are meant to, then drop this one.",
                    sql=f"DROP LOGIN {identifier(plain)};",
                ),
            )


def unknown_groups(audited: Audited) -> Iterator[Flaw]:
    """Groups of which the server did not say who is in them: nobody's access by them can be judged."""
    for _, one in audited.logins():
        if audited.has(one, UNKNOWN_MEMBERS):
            yield Flaw(
                principal=one.name,
                summary=f"who is in {one.user or one.name} is not known here (or not all): what its members may do is "
                "judged for the group alone",
                remedy=Remedy(text="Ask the directory who is in it, or audit with a login that may run xp_logininfo."),
            )
