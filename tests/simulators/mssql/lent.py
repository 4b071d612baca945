"""The simulator as the fixtures of ``dbops.testing.mssql`` lend it: a modelled instance behind the wire."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dbops.model.server import Endpoint
from dbops.testing.mssql import MssqlServer
from tests.simulators.mssql import certificate
from tests.simulators.mssql.instance import Instance
from tests.simulators.mssql.server import HOST, Server
from tests.simulators.mssql.tds.conversation import Manners

PASSWORD = "dbops-Simulator-1"


# Any: the settings are those of Instance, each with a type of its own.
@contextmanager
def simulate(directory: Path, **settings: Any) -> Generator[MssqlServer]:
    """A fresh instance on a port of its own; ``settings`` are those of :class:`Instance`."""
    instance = Instance(sa_password=PASSWORD, **settings)
    major, minor, build, *_ = (int(part) for part in instance.version.split("."))
    manners = Manners(name=instance.name, version=(major, minor, build))
    with Server(instance, certificate.make(directory), manners) as server:
        address = Endpoint(
            engine="mssql", host=HOST, port=server.port, user="sa", options={"TrustServerCertificate": "yes"}
        )
        yield MssqlServer(address, PASSWORD, directory, instance)
