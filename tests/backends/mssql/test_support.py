"""What can be asked of which SQL Server."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from dbops.capabilities import Capability, Impossible, supported
from dbops.model.server import Server
from dbops_mssql import backend
from dbops_mssql.probe import DATABASE, MANAGED_INSTANCE, RDS

SERVER = Server(engine="mssql", version=(16, 0), version_text="2022", role="primary", incarnation="x")
AZURE = replace(SERVER, edition=DATABASE)
MANAGED = replace(SERVER, edition=MANAGED_INSTANCE)
AMAZON = replace(SERVER, edition="Standard Edition", settings={"managed_by": RDS})


@pytest.mark.parametrize("capability", Capability)
def test_a_server_can_what_the_engine_can(capability: Capability) -> None:
    assert backend.support(capability, SERVER) == backend.support(capability, None)
    for server in (AZURE, MANAGED, AMAZON):
        if supported(backend.support(capability, server)):
            assert supported(backend.support(capability, None))


@pytest.mark.parametrize(
    ("server", "capability", "said"),
    [
        (AZURE, Capability.BACKUP_PHYSICAL, "no BACKUP statement"),
        (AZURE, Capability.RESTORE_PITR, "no BACKUP statement"),
        (MANAGED, Capability.BACKUP_LOGS, "COPY_ONLY full backups"),
        (AMAZON, Capability.BACKUP_PHYSICAL, "procedures of its own"),
    ],
)
def test_a_service_says_why_not(server: Server, capability: Capability, said: str) -> None:
    found = backend.support(capability, server)
    assert isinstance(found, Impossible)
    assert said in found.reason


def test_a_managed_instance_makes_full_backups() -> None:
    assert supported(backend.support(Capability.BACKUP_PHYSICAL, MANAGED))
