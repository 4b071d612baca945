"""Rules about rights that are lent: to code by a signature or ``EXECUTE AS``, by a password for another server."""

from __future__ import annotations

from collections.abc import Iterator

from dbops.access.acting import acting
from dbops.access.audit import Flaw
from dbops.access.naming import split_kind
from dbops.access.signed import running, signed
from dbops.model.access import PUBLIC, Principal, SecuredObject
from dbops.model.finding import Missing, Remedy, Severity
from dbops_mssql.access.audited import Audited
from dbops_mssql.access.fixed import SYSTEM_DATABASES
from dbops_mssql.access.people import LINKED, split_name
from dbops_mssql.access.sql import ON
from dbops_mssql.quoting import identifier, literal

__all__ = ["acting_modules", "linked_servers", "signed_modules", "signing_keys"]

_SA = "sa"


def signed_modules(audited: Audited) -> Iterator[Flaw]:
    """Code that has the rights of an administrator while anybody runs it."""
    for code in signed(audited.effective):
        mighty = [audited.people[one].name for one in code.signers if audited.mighty >> one & 1]
        if not mighty:
            continue
        yield Flaw(
            principal=mighty[0],
            object=audited.name(code),
            summary=f"{audited.name(code)} is signed with a key of which {mighty[0]} was made, an administrator: it "
            f"has those rights while anybody runs it, and {_runners(audited, code)} login(s) may who are none",
            remedy=Remedy(text=f"Give {mighty[0]} the permissions that the code needs, and no others."),
        )


def _runners(audited: Audited, code: SecuredObject) -> int:
    runs = audited.effective.usable(code, running(audited.effective, code))
    return sum(1 for _ in audited.able(runs & ~audited.mighty))


def acting_modules(audited: Audited) -> Iterator[Flaw]:
    """Code that acts as an administrator on the whole server, whoever runs it."""
    for code, account in acting(audited.effective):
        if audited.mighty >> account & 1 and code.database not in SYSTEM_DATABASES:
            yield Flaw(
                principal=audited.people[account].name,
                object=audited.name(code),
                summary=f"{audited.name(code)} acts as {audited.people[account].name}, an administrator, on the whole "
                f"server, its database being trustworthy; {_runners(audited, code)} login(s) may run it who are none",
                remedy=Remedy(
                    text="Sign it instead, with a key whose login has what it needs, and end the trust.",
                    sql=f"ALTER DATABASE {identifier(code.database)} SET TRUSTWORTHY OFF;",
                ),
            )


def signing_keys(audited: Audited) -> Iterator[Flaw]:
    """Keys with which an administrator's rights can be given to any code."""
    for way in audited.escalations:
        if way.kind != "signing":
            continue
        kind, path = split_kind(way.by, audited.snapshot.rules)
        database, key = split_name(path)
        for _, one in audited.able(way.who):
            yield Flaw(
                principal=one.name,
                object=way.by,
                summary=f"{one.name} controls {way.by}: with it he can sign code of his own, which then has the rights "
                f"of {way.to}, an administrator",
                remedy=Remedy(
                    text="Take the private part out of the database, after a backup of it: what is signed stays so.",
                    sql=f"USE {identifier(database)};\nALTER {ON[kind]} {identifier(key)} REMOVE PRIVATE KEY;",
                ),
            )


def linked_servers(audited: Audited) -> list[Flaw] | Missing:
    """Logins that are somebody given on another server, by a password that is stored here."""
    hidden, found = audited.hidden("linked_server"), list(_mapped(audited))
    return hidden if hidden is not None and not found else found


def _mapped(audited: Audited) -> Iterator[Flaw]:
    for number, one in enumerate(audited.people):
        for setting in one.settings:
            if setting.startswith(LINKED):
                server, _, remote = setting.removeprefix(LINKED).partition("=")
                yield _linked(number, one, server, remote)


def _linked(number: int, one: Principal, server: str, remote: str) -> Flaw:
    everybody = number == PUBLIC
    who = "every login without a mapping of its own" if everybody else one.name
    local = "NULL" if everybody else literal(one.user or one.name)
    known = remote.lower() == _SA
    severity = Severity.HIGH if known and everybody else Severity.MEDIUM if known or everybody else None
    return Flaw(
        principal=one.name,
        object=f"linked_server:{server}",
        severity=severity,
        key=remote,
        summary=f"{who} acts on the linked server {server} as {remote}: what {remote} may do there was not asked",
        remedy=Remedy(
            text="Let logins act there as themselves, or map only those who need it to somebody with few rights.",
            sql=f"EXEC sp_droplinkedsrvlogin @rmtsrvname = {literal(server)}, @locallogin = {local};",
        ),
    )
