"""What an audit looks for in views, routines, triggers and events: whose rights they run with."""

from __future__ import annotations

from collections.abc import Iterator

from dbops.access.audit import Flaw
from dbops.model.access import SecuredObject
from dbops.model.change import CreatePrincipal
from dbops.model.finding import Remedy, Severity
from dbops_mysql.access.audited import Audited, listed
from dbops_mysql.quoting import identifier

__all__ = ["missing_definers", "strong_definers"]

_CODE = ("view", "procedure", "function", "package", "package_body", "trigger", "event")
_ALTERED = ("procedure", "function")
_FAILS = {
    "view": "whoever reads it gets an error",
    "trigger": "every change of its table that it is for fails",
    "event": "it does not run, and only the server's log says so",
}


def missing_definers(audited: Audited) -> Iterator[Flaw]:
    """Code of somebody who is gone."""
    for one in audited.objects(*_CODE):
        if one.runs_as < 0 or "invoker" in one.flags or audited.people[one.runs_as].kind != "unknown":
            continue
        definer, where = audited.people[one.runs_as], audited.name(one)
        other = audited.taken_for(definer) if definer.host else -1
        if other >= 0:
            what = f"it runs with the rights of {audited.people[other].name} instead, whom the name fits"
        else:
            what = f"{_FAILS.get(one.kind, 'whoever calls it gets an error')}, until somebody makes an account of that "
            what += "name, with whose rights it then runs"
        yield Flaw(
            principal=definer.name,
            object=where,
            severity=Severity.LOW if other >= 0 else None,
            summary=f"{where} runs with the rights of {definer.name}, which is not there: {what}",
            remedy=Remedy(
                text="Make it again with a definer that is there, or make that account, locked and with no more "
                "rights than the body needs.",
                sql=audited.sql(
                    CreatePrincipal(
                        name=definer.name,
                        attributes=(),
                        kind="user" if definer.host else "role",
                        user=definer.user,
                        host=definer.host,
                    )
                ),
            ),
        )


def strong_definers(audited: Audited) -> Iterator[Flaw]:
    """Routines that lend an administrator's rights to whoever may call them."""
    for one in audited.objects(*(kind for kind in _CODE if kind not in ("view", "trigger", "event"))):
        strong = audited.strong.get(one.runs_as, ()) if one.runs_as >= 0 and "invoker" not in one.flags else ()
        if not strong or "EXECUTE" not in audited.snapshot.kind(one).actions:
            continue
        callers = [
            audited.people[number].name
            for number in audited.usable(audited.holders(one, "EXECUTE"))
            if number != one.runs_as and number not in audited.strong
        ]
        if callers:
            definer, where = audited.people[one.runs_as].name, audited.name(one)
            yield Flaw(
                principal=definer,
                object=where,
                summary=f"{where} runs with the rights of {definer}, who has {listed(strong, most=2)}; "
                f"{listed(callers)} may call it",
                remedy=Remedy(
                    text="Let it run with the caller's rights, or with those of a locked account that has no more than "
                    "the body needs.",
                    sql=_invoker(one),
                ),
            )


def _invoker(one: SecuredObject) -> str:
    name = ".".join(identifier(part) for part in one.path)
    if one.kind in _ALTERED:
        return f"ALTER {one.kind.upper()} {name} SQL SECURITY INVOKER;"
    word = one.kind.replace("_", " ").upper()
    return f"-- CREATE OR REPLACE {word} {name} SQL SECURITY INVOKER AS …"
