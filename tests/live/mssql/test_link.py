"""What statements say that speak while they run: nothing is lost that tells whether they succeeded, and why not."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

import pytest

from dbops import registry
from dbops.errors import ToolFailed
from dbops.execute.context import Context
from dbops.host import LocalHost
from dbops.state import State
from dbops_mssql.backup import running
from dbops_mssql.backup.link import connected
from tests.live.mssql.conftest import Place, Start
from tests.simulators.mssql.answers import Answer, Column, Done, Message, Rows, error
from tests.simulators.mssql.scripted import PASSWORD, rows

SCHEMES = ["mssql", "mssql+mssqlpython"]
BACKUP = "BACKUP DATABASE shop TO DISK = N'X:\\a.bak'"
CAUSE = "Cannot open backup device 'X:\\a.bak'. Operating system error 5(Access is denied.)."
REFUSED = error(3201, CAUSE)
FOR_NOTHING = error(3013, "BACKUP DATABASE is terminating abnormally.")
HALF = [Message(3211, 1, 0, f"{percent} percent processed.") for percent in (5, 10)]
WHOLE = Message(3014, 1, 0, "BACKUP DATABASE successfully processed 8 pages in 0.1 seconds (0.6 MB/sec).")
ROW = Rows((Column("a", "int"),), [(1,)])

COURSES: dict[str, list[Answer]] = {
    "two errors": [REFUSED, FOR_NOTHING, Done()],
    "errors behind messages": [*HALF, REFUSED, FOR_NOTHING, Done()],
    "errors between messages": [HALF[0], REFUSED, HALF[1], FOR_NOTHING, Done()],
    "errors after messages that had an end": [*HALF, Done(), REFUSED, FOR_NOTHING, Done()],
    "errors with an end each": [REFUSED, Done(), FOR_NOTHING, Done()],
    "errors after rows": [ROW, Done(1), *HALF, REFUSED, FOR_NOTHING, Done()],
    "errors after rows and ends": [HALF[0], ROW, Done(1), HALF[1], Done(), REFUSED, Done(), FOR_NOTHING, Done()],
}


def place(scripted: Start, said: Mapping[str, list[Answer]]) -> Place:
    version = rows(("Microsoft SQL Server 2022 - 16.0.4135.4",), v="varchar(200)")
    return scripted({**said, "@@[vV]ersion": version, "@@SPID AS spid": rows((51,), spid="int")})


@pytest.fixture
def context(tmp_path_factory: pytest.TempPathFactory) -> Context:
    return Context(
        backend=registry.backend("mssql"),
        endpoints={},
        resolve=lambda _: PASSWORD,
        host=LocalHost(),
        journal=State(tmp_path_factory.mktemp("state"), clock=lambda: datetime.now(UTC)).journal("shop"),
    )


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("course", COURSES)
def test_the_cause_is_told_wherever_it_stands(scripted: Start, context: Context, scheme: str, course: str) -> None:
    there = place(scripted, {"BACKUP": COURSES[course]}).endpoint(scheme=scheme)
    with connected(there, context) as one, pytest.raises(ToolFailed) as caught:
        one.run(BACKUP)
    assert CAUSE in caught.value.message
    assert "Driver Error" not in caught.value.message
    assert "[SQL Server]" not in caught.value.message
    assert caught.value.reason == "environment"


@pytest.mark.parametrize("scheme", SCHEMES)
def test_everything_that_was_said_on_the_way_to_success_is_kept(scripted: Start, context: Context, scheme: str) -> None:
    there = place(scripted, {"BACKUP": [*HALF, WHOLE, Done()]}).endpoint(scheme=scheme)
    with connected(there, context) as one:
        assert one.run(BACKUP) == ("5 percent processed.", "10 percent processed.", WHOLE.text)
        assert one.run(BACKUP)[-1] == WHOLE.text, "the session goes on"


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_session_goes_on_after_an_error(scripted: Start, context: Context, scheme: str) -> None:
    said: dict[str, list[Answer]] = {"BACKUP": COURSES["errors behind messages"], "RESTORE": [WHOLE, Done()]}
    with connected(place(scripted, said).endpoint(scheme=scheme), context) as one:
        with pytest.raises(ToolFailed):
            one.run(BACKUP)
        assert one.run("RESTORE DATABASE shop WITH RECOVERY") == (WHOLE.text,)


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize(
    ("said", "verdict"),
    [
        (error(3183, 'RESTORE detected an error on page (1:200) in database "shop".'), "failed"),
        (error(8928, "Object ID 99: page (1:77) could not be processed."), "failed"),
        (REFUSED, "could_not_verify"),
        (error(33111, "Cannot find server certificate with thumbprint '0x01'."), "could_not_verify"),
        (error(3257, "There is insufficient free space on disk volume 'E:\\'."), "could_not_verify"),
    ],
)
def test_what_speaks_against_a_backup_is_told_from_what_speaks_against_the_place(
    scripted: Start, context: Context, scheme: str, said: Message, verdict: str
) -> None:
    """Also by the driver that gives no numbers."""
    there = place(scripted, {"VERIFYONLY": [HALF[0], said, FOR_NOTHING, Done()]}).endpoint(scheme=scheme)
    arguments = {"sql": "RESTORE VERIFYONLY FROM DISK = N'X:\\a.bak'", "check": "verifyonly-1", "good": "whole"}
    found = running.check(arguments, there, context)
    assert f'"verdict":"{verdict}"' in str(found["checks"])
