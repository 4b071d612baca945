"""What an audit looks for in accounts themselves: who may come, from where, and how he proves who he is."""

from __future__ import annotations

from collections.abc import Iterator

from dbops.access.accounts import account_name
from dbops.access.audit import Flaw
from dbops.access.hosts import fits_host, origins
from dbops.access.patterns import wildcard
from dbops.model.access import PUBLIC, Principal
from dbops.model.change import AlterPrincipal
from dbops.model.finding import Remedy, Severity
from dbops_mysql.access.audited import Audited, account, listed
from dbops_mysql.access.people import SKIPPED

__all__ = ["anonymous", "empty_passwords", "old_plugins", "shadowed", "skipped_grants", "wide_hosts"]

_CERTIFIED = ("REQUIRE X509", "REQUIRE SUBJECT")
_WIDE_NETWORK = 8
"""A network of fewer bits than this is no place of anybody's."""


def skipped_grants(audited: Audited) -> Iterator[Flaw]:
    """The server asks nobody who he is."""
    if SKIPPED in audited.people[PUBLIC].settings:
        yield Flaw(
            summary="the server was started with skip-grant-tables: everybody who reaches it may do everything, and "
            "no account or right counts",
            remedy=Remedy(
                text="FLUSH PRIVILEGES makes accounts count again at once; then take the option out of the "
                "configuration, or it is back with the next start.",
                sql="FLUSH PRIVILEGES;",
            ),
        )


def anonymous(audited: Audited) -> Iterator[Flaw]:
    """Accounts without a name."""
    for number, one in audited.judged():
        if one.user or not one.host:
            continue
        open_ = "NO PASSWORD" in one.attributes and one.login
        how = "without a password" if open_ else "with one password for all" if one.login else "once it is unlocked"
        rows = sorted(
            thing.path[0]
            for thing in audited.snapshot.objects
            if thing.kind in ("database", "pattern")
            for grant in audited.snapshot.grants(thing)
            if grant.grantee == number and grant.actions
        )
        also = f"; its rights on {listed(rows)} count for everybody else from there, too" if rows else ""
        yield Flaw(
            principal=one.name,
            severity=None if one.login else Severity.LOW,
            summary=f"{one.name} lets anybody in from {_from(one)}, by whatever name and {how}{also}",
            remedy=Remedy(text="Drop it: whoever should come gets an account of his own.", sql=audited.drop(one)),
        )


def empty_passwords(audited: Audited) -> Iterator[Flaw]:
    """Accounts that need none."""
    for _, one in audited.accounts():
        if "NO PASSWORD" not in one.attributes or not one.user:
            continue
        certified = any(word in one.attributes for word in _CERTIFIED)
        yield Flaw(
            principal=one.name,
            severity=Severity.MEDIUM if certified else None,
            summary=f"{one.name} logs in without a password from {_from(one)}"
            + (", with a certificate alone" if certified else ""),
            remedy=Remedy(
                text="Lock it until it has a password, which dbops users rotate makes, or ALTER USER … IDENTIFIED BY.",
                sql=audited.sql(AlterPrincipal(name=one.name, loses=("LOGIN",))),
            ),
        )


def old_plugins(audited: Audited) -> Iterator[Flaw]:
    """Passwords that are stored in a way that is too weak."""
    for _, one in audited.accounts():
        for plugin in dict.fromkeys(
            word.removeprefix("plugin=") for word in one.settings if word.startswith("plugin=")
        ):
            weak = audited.words.weak.get(plugin)
            if weak is None or "NO PASSWORD" in one.attributes:
                continue
            who = audited.statements.principal(one.name)
            yield Flaw(
                principal=one.name,
                key=plugin,
                severity=weak.severity,
                summary=f"the password of {one.name} is stored by {plugin}: {weak.why}",
                remedy=Remedy(
                    text="Set it again with a better plugin, once all of its clients know that one.",
                    sql=f"ALTER USER {who} {audited.words.better};",
                ),
            )


def wide_hosts(audited: Audited) -> Iterator[Flaw]:
    """Accounts that may come from anywhere."""
    for number, one in audited.accounts():
        width = _width(one.host)
        if width is None or not one.user:
            continue
        strong = audited.strong.get(number, ())
        severity = _WORSE[width] if strong else width
        holding = f", and can have {listed(strong)}" if strong else ""
        yield Flaw(
            principal=one.name,
            severity=severity,
            summary=f"{one.name} may log in from {_from(one)}{holding}",
            remedy=Remedy(
                text="Give it the network that its people or programs come from, in the place of this example; rights, "
                "roles and password stay. What runs with its rights needs the new name.",
                sql=f"RENAME USER {audited.statements.principal(one.name)} "
                f"TO {audited.statements.principal(_elsewhere(one))};",
            ),
        )


_WORSE = {Severity.MEDIUM: Severity.HIGH, Severity.LOW: Severity.MEDIUM}


def _elsewhere(one: Principal) -> str:
    return account_name(one.user, "10.0.0.%")


def _width(host: str) -> Severity | None:
    """How bad it is that a host is so wide: anywhere, or whole parts of the world; None for a place."""
    if not host.strip("%_.:"):
        return Severity.MEDIUM
    _, slash, mask = host.partition("/")
    if slash:
        bits = int(mask) if mask.isdigit() else sum(int(part).bit_count() for part in mask.split(".") if part)
        return Severity.MEDIUM if bits == 0 else Severity.LOW if bits < _WIDE_NETWORK else None
    if not wildcard(host):
        return None
    if set(host) <= set("0123456789.%_"):
        # One part of an address is a network of 16 million; those of 10 are private.
        first = host.split(".", maxsplit=1)[0]
        return Severity.LOW if wildcard(first) or (host.count(".") == 1 and first != "10") else None
    fixed = host.replace("%", "").replace("_", "").strip(".")
    return Severity.LOW if host.startswith("%") and "." not in fixed else None


def shadowed(audited: Audited) -> Iterator[Flaw]:
    """Accounts that nobody ever gets, and people who get one without a name instead of their own."""
    for number, one in audited.accounts():
        shadow = audited.session(number).shadow
        if shadow >= 0:
            first = audited.people[shadow].name
            yield Flaw(
                principal=one.name,
                severity=Severity.LOW if audited.people[shadow].user else None,
                summary=f"nobody can ever log in as {one.name}: {first} is always tried first, whose password and "
                "rights are others",
                remedy=Remedy(text=f"Keep one of {one.name} and {first}.", sql=audited.drop(one)),
            )
    for number, one in audited.judged():
        if not one.user and one.host and account(one):
            yield from _instead(audited, number, one)


def _instead(audited: Audited, number: int, nobody: Principal) -> Iterator[Flaw]:
    place = next(origins(nobody.host, resolves=audited.matching.resolves), None)
    if place is None:
        return
    names = [
        one.name
        for at, one in audited.accounts()
        if one.user
        and fits_host(one.host, place)
        and audited.session(at).shadow < 0
        and audited.sessions.accounts.taken_for(one.user, place) == number
    ]
    if names:
        yield Flaw(
            principal=nobody.name,
            key="instead",
            summary=f"whoever comes from {_from(nobody)} as {listed(names)} is taken for {nobody.name}: the own "
            "password is refused, and the own rights are not there",
            remedy=Remedy(text="Drop the account without a name.", sql=audited.drop(nobody)),
        )


def _from(one: Principal) -> str:
    return "anywhere" if not one.host.strip("%") else one.host
