"""Who is in the groups of Windows that are logins, as far as the server says.

``xp_logininfo`` lists "the next-level members" of a group; of groups in it, it is asked again. Where no domain
controller answers, "no information will be returned", and of universal groups there is none: an empty list is no
answer.
https://learn.microsoft.com/sql/relational-databases/system-stored-procedures/xp-logininfo-transact-sql
"""

from __future__ import annotations

from dbops.errors import DbopsError
from dbops.model.access import UNKNOWN_MEMBERS
from dbops.spi import Reader
from dbops_mssql.access.people import People
from dbops_mssql.quoting import literal
from dbops_mssql.statement import text

__all__ = ["read_groups"]

USER = "user"


def read_groups(reader: Reader, people: People) -> None:
    """Puts members into groups; those of whom not all may be known are marked. Entra's cannot be asked for at all."""
    for number in list(people.groups):
        group = people.all[number]
        users: list[str] = []
        known = "ENTRA" not in group.attributes and _into(users, reader, group.user or group.name, set())
        for name in dict.fromkeys(users):
            people.in_group(number, name)
        if not known:
            people.mark(number, UNKNOWN_MEMBERS)


def _into(users: list[str], reader: Reader, group: str, seen: set[str]) -> bool:
    """Whether all were told that are in a group, at any depth."""
    if group.lower() in seen:
        return True
    seen.add(group.lower())
    try:
        asked = text("access_group_members").replace("@name", literal(group)).replace("%", "%%")
        rows = reader.tuples(asked)
    except DbopsError:
        return False
    known = bool(rows)
    for name, sort, *_ in rows:
        if str(sort).strip() == USER:
            users.append(name)
        else:
            known = _into(users, reader, name, seen) and known
    return known
