"""What an audit looks for in roles."""

from __future__ import annotations

from collections.abc import Iterator

from dbops.access.audit import Flaw
from dbops.model.finding import Remedy, Severity
from dbops_mysql.access.audited import Audited, listed, role

__all__ = ["unused_roles"]


def unused_roles(audited: Audited) -> Iterator[Flaw]:
    """Roles that do nothing for anybody, or nothing before somebody asks for them."""
    for number, one in audited.judged():
        if not role(one):
            continue
        # Whoever makes a role of MariaDB is its administrator, and a member that never asked to be one.
        granted = [
            row.member
            for row in audited.snapshot.memberships
            if row.group == number and not (row.admin and not row.inherit and audited.administrator(row.member))
        ]
        if not granted:
            yield Flaw(
                principal=one.name,
                summary=f"the role {one.name} was granted to nobody",
                remedy=Remedy(text="Drop it, if nobody is going to need it.", sql=audited.drop(one)),
            )
        elif not audited.effective.inherits().holders(number) & audited.effective.able:
            members = listed(audited.people[member].name for member in granted)
            yield Flaw(
                principal=one.name,
                key="never active",
                severity=Severity.INFO,
                summary=f"nobody begins a session with the role {one.name}: {members} must choose it by SET ROLE",
                remedy=Remedy(
                    text="Make it a default role of those who need it all the time; leave it if it is for special "
                    "occasions."
                ),
            )
