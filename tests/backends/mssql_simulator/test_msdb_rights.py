"""Tables of msdb are read by whoever was given them there, and by nobody for a right on the server."""

from __future__ import annotations

import pytest

from tests.simulators.mssql.answers import Message, Rows
from tests.simulators.mssql.instance import Instance
from tests.simulators.mssql.model import Permission, Principal

WATCHER = 300


@pytest.fixture
def instance() -> Instance:
    made = Instance()
    made.state.principals[WATCHER] = Principal("watcher", WATCHER, "S", b"w", made.started, made.started)
    give(made, "CONNECT SQL")
    return made


def give(instance: Instance, permission: str) -> None:
    instance.state.permissions.append(Permission(100, 0, 0, WATCHER, 1, permission, "G"))


def read(instance: Instance, sql: str) -> list[int]:
    """Numbers of the errors, or of the rows below 0."""
    answers = list(instance.session("watcher").run(sql))
    errors = [one.number for one in answers if isinstance(one, Message) and one.is_error]
    return errors or [-len(one.rows) for one in answers if isinstance(one, Rows)]


def test_tables_of_msdb_are_granted_one_by_one(instance: Instance) -> None:
    assert read(instance, "SELECT name FROM msdb.dbo.sysjobs") == [229]
    assert read(instance, "SELECT file_id FROM msdb.dbo.suspect_pages") == [0]
    give(instance, "VIEW SERVER STATE")
    assert read(instance, "SELECT name FROM msdb.dbo.sysjobs") == [229]


def test_dmvs_are_granted_on_the_server(instance: Instance) -> None:
    asked = "SELECT system_memory_state_desc FROM sys.dm_os_sys_memory"
    assert read(instance, asked) == [300, 297]
    give(instance, "VIEW SERVER PERFORMANCE STATE")
    assert read(instance, asked) == [-1]


def test_volumes_are_keyed_by_database_and_file(instance: Instance) -> None:
    asked = (
        "SELECT v.volume_mount_point FROM sys.master_files AS f "
        "CROSS APPLY sys.dm_os_volume_stats(f.database_id, f.file_id) AS v WHERE f.database_id = 2"
    )
    assert instance.execute(asked) == [("/var/opt/mssql",)] * 2
    instance.state.rows["sys.dm_os_volume_stats"] = [
        {"database_id": 2, "file_id": 1, "volume_mount_point": "T:\\", "total_bytes": 8, "available_bytes": 4}
    ]
    assert sorted(instance.execute(asked)) == [("/var/opt/mssql",), ("T:\\",)]
