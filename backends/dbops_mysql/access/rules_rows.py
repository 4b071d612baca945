"""What an audit looks for in rows of rights: those that mean more than was meant, and those that mean nothing."""

from __future__ import annotations

from collections.abc import Iterator

from dbops.access.audit import Flaw
from dbops.access.patterns import row_name, wild_match
from dbops.model.access import PUBLIC, Grant, SecuredObject
from dbops.model.change import AddGrant, Change, ObjectName, RemoveGrant
from dbops.model.finding import Remedy, Severity
from dbops_mysql.access.audited import Audited, listed

__all__ = ["absent_rows", "test_rows", "wide_rows"]

_ROWS = ("database", "pattern")
_SYSTEM = "mysql"
_OWN = ("performance_schema", "information_schema")


def test_rows(audited: Audited) -> Iterator[Flaw]:
    r"""What old installations give to everybody: ``test``, and whatever begins with ``test_``."""
    for one, grant in _rows(audited):
        if not _testing(one.path[0]):
            continue
        who = audited.people[grant.grantee]
        everybody = grant.grantee == PUBLIC or not (who.user or not who.host)
        yield Flaw(
            principal=who.name,
            object=audited.name(one),
            severity=Severity.MEDIUM if everybody else None,
            summary=f"{'everybody' if everybody else who.name} has {_what(audited, one, grant)} on "
            f"{audited.name(one)}: a place to fill the disk from, and to leave data in that nobody looks after",
            remedy=Remedy(text="Revoke it, and drop the database.", sql=_away(audited, one, grant)),
        )


def absent_rows(audited: Audited) -> Iterator[Flaw]:
    """Rights on databases that are not there."""
    there = {one.path[0] for one in audited.snapshot.objects if one.kind == "database" and "absent" not in one.flags}
    found: dict[tuple[int, str], list[tuple[SecuredObject, Grant]]] = {}
    for one in audited.snapshot.objects:
        if one.kind in ("server", "pattern", "account") or one.database in there or _testing(one.database):
            continue
        for grant in audited.snapshot.grants(one):
            if grant.actions and _judged(audited, grant.grantee):
                found.setdefault((grant.grantee, one.database), []).append((one, grant))
    for (number, name), rows in sorted(found.items()):
        who = audited.people[number].name
        yield Flaw(
            principal=who,
            object=audited.name(audited_database(rows[0][0])),
            summary=f"{who} has rights on {name}, which is not there (or not shown to this login): they count again "
            "for whatever gets this name",
            remedy=Remedy(
                text="Revoke them: what goes with a database is not taken away by DROP DATABASE.",
                sql="\n".join(_away(audited, one, grant) for one, grant in rows),
            ),
        )


def audited_database(one: SecuredObject) -> SecuredObject:
    """The database of an object, as one that can be named."""
    return SecuredObject("database", one.path[:1], -1, 0)


def wide_rows(audited: Audited) -> Iterator[Flaw]:
    r"""Rows whose ``_`` and ``%`` reach further than one database, as far as nobody can have meant it."""
    if not audited.matching.wildcards:
        return
    for one, grant in _rows(audited):
        text = one.path[0]
        if one.kind != "pattern" or _testing(text):
            continue
        reached = [name for name in audited.databases() if wild_match(text, name, fold=audited.matching.fold)]
        who = audited.people[grant.grantee].name
        if _joker(text):
            if text in _OWN and reached in ([], [text]):
                continue  # written so by everybody, and nobody makes a database with nearly the same name
            yield _underscore(audited, one, grant, reached)
        elif _SYSTEM in reached:
            yield Flaw(
                principal=who,
                object=audited.name(one),
                severity=Severity.MEDIUM,
                summary=f"{who} has {_what(audited, one, grant)} on all databases that are like {text}, the server's "
                f"own database {_SYSTEM} among them",
                remedy=Remedy(
                    text=f"Grant it on the databases that are meant, each by its name, then revoke it. Now: "
                    f"{listed(name for name in reached if name != _SYSTEM) or 'none'}.",
                    sql=_away(audited, one, grant),
                ),
            )


def _underscore(audited: Audited, one: SecuredObject, grant: Grant, reached: list[str]) -> Flaw:
    text = one.path[0]
    who = audited.people[grant.grantee].name
    others = [name for name in reached if name != text]
    also = f"; now it reaches {listed(others)}, too" if others and text in reached else ""
    also = also or (f"; now it reaches {listed(others)}" if others else "")
    meant = one.path[0] if "%" not in text else ""
    return Flaw(
        principal=who,
        object=audited.name(one),
        severity=Severity.MEDIUM if others and text in reached else None,
        summary=f"{who} has {_what(audited, one, grant)} on {text}, in which _ stands for any letter: it means "
        f"{_example(text)} as well{also}",
        remedy=Remedy(
            text="Write a backslash before each _ that is meant as it is: grant it so, then revoke this.",
            sql=audited.sql(*_escaped(audited, one, grant, meant)) if meant else _away(audited, one, grant),
        ),
    )


def _escaped(audited: Audited, one: SecuredObject, grant: Grant, name: str) -> tuple[Change, ...]:
    actions = audited.snapshot.kind(one).names(grant.actions)
    who = audited.people[grant.grantee].name
    return (
        AddGrant(principal=who, object=ObjectName("database", (name,)), actions=actions),
        RemoveGrant(principal=who, object=ObjectName(one.kind, one.path), actions=actions),
    )


def _joker(text: str) -> bool:
    r"""A ``_`` without a backslash that stands where a letter of a name does; ``a%`` says that it means many."""
    bare = text.replace("\\\\", "").replace("\\_", "").replace("\\%", "")
    return "_" in bare and row_name(text, wildcards=True) is None


def _example(text: str) -> str:
    bare, at = list(text), 0
    while at < len(bare):
        if bare[at] == "\\":
            at += 1
        elif bare[at] == "_":
            bare[at] = "x"
        at += 1
    return "".join(bare).replace("\\", "")


def _testing(text: str) -> bool:
    return text == "test" or text.startswith(("test\\_", "test_", "test%"))


def _rows(audited: Audited) -> Iterator[tuple[SecuredObject, Grant]]:
    for one in audited.snapshot.objects:
        if one.kind in _ROWS:
            for grant in audited.snapshot.grants(one):
                if grant.actions and _judged(audited, grant.grantee):
                    yield one, grant


def _judged(audited: Audited, number: int) -> bool:
    return number == PUBLIC or not audited.people[number].system


def _what(audited: Audited, one: SecuredObject, grant: Grant) -> str:
    return listed(audited.snapshot.kind(one).names(grant.actions), most=3)


def _away(audited: Audited, one: SecuredObject, grant: Grant) -> str:
    return audited.sql(
        RemoveGrant(
            principal=audited.people[grant.grantee].name,
            object=ObjectName(one.kind, one.path),
            actions=audited.snapshot.kind(one).names(grant.actions),
        )
    )
