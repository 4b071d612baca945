"""``sp_update_job``: another owner, another name, on or off, of jobs that a test has set in ``msdb.dbo.sysjobs``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING
from uuid import UUID

from tests.simulators.mssql import names, rights
from tests.simulators.mssql.answers import Answer, Done, failed
from tests.simulators.mssql.statements.procedures import Arguments, bound, procedure

if TYPE_CHECKING:
    from tests.simulators.mssql.session import Session

PARAMETERS = ("@job_id", "@job_name", "@new_name", "@enabled", "@description", "@owner_login_name")


@procedure("sp_update_job")
def sp_update_job(session: Session, arguments: Arguments) -> Iterator[Answer]:
    """Of the agent's roles the model knows none: it takes a sysadmin."""
    given = bound(arguments, *PARAMETERS)
    if not rights.is_sysadmin(session, session.server_login):
        raise failed(
            229,
            "The EXECUTE permission was denied on the object 'sp_update_job', database 'msdb', schema 'dbo'.",
            severity=14,
        )
    session.instance.changing(session)
    job = _job(session, given)
    if "@owner_login_name" in given:
        owner = names.find_login(session, str(given["@owner_login_name"]))
        if owner is None or owner.type == "R":
            raise failed(
                14234, "The specified '@owner_login_name' is invalid (valid values are returned by sp_helplogins)."
            )
        job["owner_sid"] = owner.sid
    if "@enabled" in given:
        job["enabled"] = given["@enabled"]
    if "@new_name" in given:
        job["name"] = given["@new_name"]
    yield Done()


def _job(session: Session, given: dict[str, object]) -> dict[str, object]:
    wanted = given.get("@job_id", given.get("@job_name"))
    for row in session.instance.rows_of("dbo.sysjobs"):
        if "@job_id" in given and str(row.get("job_id")) == str(UUID(str(wanted))):
            return row
        if "@job_id" not in given and session.same(str(row.get("name")), str(wanted)):
            return row
    shown = "@job_id" if "@job_id" in given else "@job_name"
    raise failed(14262, f"The specified {shown} ('{wanted}') does not exist.")
