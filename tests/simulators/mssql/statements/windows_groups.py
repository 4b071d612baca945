"""xp_logininfo: who Windows says is in a group, as far as a test told it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from tests.simulators.mssql import rights
from tests.simulators.mssql.answers import Answer, Column, Done, Rows, failed
from tests.simulators.mssql.statements.procedures import Arguments, bound, procedure

if TYPE_CHECKING:
    from tests.simulators.mssql.instance import Instance
    from tests.simulators.mssql.session import Session

KEY = "xp_logininfo"
COLUMNS = (
    Column("account name", "sysname"),
    Column("type", "char(8)"),
    Column("privilege", "char(9)"),
    Column("mapped login name", "sysname"),
    Column("permission path", "sysname"),
)


def set_members(instance: Instance, group: str, *members: str) -> None:
    """What the domain says of a group from now on; a member that ends in ``*`` is a group itself."""
    known = instance.state.rows.setdefault(KEY, [])
    known.append({"group": group, "members": members})


@procedure("xp_logininfo")
def login_info(session: Session, arguments: Arguments) -> Iterator[Answer]:
    """Only ``'members'`` of a group is modelled; without a domain the procedure fails with 15404."""
    found = bound(arguments, "@acctname", "@option")
    if not rights.is_sysadmin(session, session.server_login):
        raise failed(
            229,
            "The EXECUTE permission was denied on the object 'xp_logininfo', database 'mssqlsystemresource', schema "
            "'sys'.",
            severity=14,
            state=5,
        )
    group = str(found.get("@acctname"))
    for known in session.instance.state.rows.get(KEY, ()):
        if str(known["group"]).casefold() == group.casefold():
            members = known["members"]
            assert isinstance(members, tuple)
            yield Rows(COLUMNS, [_row(str(one), group) for one in members])
            yield Done(len(members))
            return
    raise failed(15404, f"Could not obtain information about Windows NT group/user '{group}', error code 0x534.")


def _row(member: str, group: str) -> tuple[object, ...]:
    name = member.removesuffix("*")
    return name, ("group" if member.endswith("*") else "user").ljust(8), "user".ljust(9), name, group
