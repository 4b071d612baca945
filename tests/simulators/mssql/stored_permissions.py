"""The rows that GRANT, DENY and REVOKE leave behind: which go, which come, which change."""

from __future__ import annotations

from typing import NamedTuple

from tests.simulators.mssql.answers import failed
from tests.simulators.mssql.model import Permission
from tests.simulators.mssql.rights import Securable

__all__ = ["Change", "Permission", "apply"]


class Change(NamedTuple):
    verb: str
    securable: Securable
    minor: int
    grantee: int
    grantor: int
    name: str


def apply(rows: list[Permission], change: Change, *, grant_option: bool, cascade: bool) -> None:
    """A row on the whole object sweeps away those on its columns: a later DENY of the table ends a column's GRANT.

    A REVOKE is of what one grantor gave: what another one gave too stays.
    """
    old = [one for one in rows if _is(one, change) and (change.verb != "REVOKE" or one.grantor == change.grantor)]
    if change.minor == 0:
        rows[:] = [one for one in rows if not (_of(one, change) and one.minor_id)]
    if any(one.state == "W" for one in old) and change.verb in {"DENY", "REVOKE"}:
        if not cascade:
            raise failed(4611, "To revoke or deny grantable privileges, specify the CASCADE option.")
        _cascade(rows, change, change.grantee)
    match change.verb:
        case "GRANT":
            _grant(rows, change, old, grant_option=grant_option)
        case "DENY":
            _drop(rows, old)
            if not _as_the_whole(rows, change, "D"):
                rows.append(_row(change, "D"))
        case _:
            _revoke(rows, change, old, option_only=grant_option)


def _of(one: Permission, change: Change) -> bool:
    return (
        (one.class_, one.major_id) == (change.securable.number, change.securable.major_id)
        and one.grantee == change.grantee
        and one.name == change.name
    )


def _is(one: Permission, change: Change) -> bool:
    return _of(one, change) and one.minor_id == change.minor


def _row(change: Change, state: str) -> Permission:
    securable = change.securable
    return Permission(
        securable.number, securable.major_id, change.minor, change.grantee, change.grantor, change.name, state
    )


def _drop(rows: list[Permission], gone: list[Permission]) -> None:
    rows[:] = [one for one in rows if not any(one is other for other in gone)]


def _grant(rows: list[Permission], change: Change, old: list[Permission], *, grant_option: bool) -> None:
    """A GRANT takes a DENY away; it never takes a grant option away."""
    mine = next((one for one in old if one.grantor == change.grantor and one.state in {"G", "W"}), None)
    _drop(rows, [one for one in old if one.state in {"D", "R"}])
    if mine is not None:
        mine.state = "W" if grant_option else mine.state
    elif not _as_the_whole(rows, change, *("W" if grant_option else "GW")):
        rows.append(_row(change, "W" if grant_option else "G"))


def _as_the_whole(rows: list[Permission], change: Change, *states: str) -> bool:
    """A column has a row only where it differs from its table: sys.database_permissions (Transact-SQL)."""
    whole = change._replace(minor=0)
    return bool(change.minor) and any(_is(one, whole) and one.state in states for one in rows)


def _revoke(rows: list[Permission], change: Change, old: list[Permission], *, option_only: bool) -> None:
    if option_only:
        for one in old:
            if one.state == "W":
                one.state = "G"
        return
    _drop(rows, old)
    whole = change._replace(minor=0)
    if change.minor and any(_is(one, whole) for one in rows):
        rows.append(_row(change, "R"))


def _cascade(rows: list[Permission], change: Change, grantor: int) -> None:
    """What the one who loses the option gave to others goes too, and what those gave on."""
    given = [
        one
        for one in rows
        if one.grantor == grantor
        and one.grantee != grantor
        and (one.class_, one.major_id, one.name) == (change.securable.number, change.securable.major_id, change.name)
    ]
    _drop(rows, given)
    for one in given:
        if one.state == "W":
            _cascade(rows, change, one.grantee)
