"""The least that an installed dbops must do against a real server; the session ``wheel`` runs exactly this."""

from __future__ import annotations

import sys

import pytest

import dbops
from dbops import process
from dbops.testing.servers import Database

pytestmark = [pytest.mark.smoke, pytest.mark.postgres(newest=True)]


def test_the_program_is_installed() -> None:
    said = process.run([sys.executable, "-m", "dbops", "--version"], timeout=60).check()
    assert dbops.__version__ in said.stdout


def test_a_server_is_reached_and_recognised(database: Database) -> None:
    workspace = dbops.Workspace.load()
    with workspace.open(workspace.target(database.url())) as opened:
        server = opened.server
    assert (server.engine, server.version, server.database) == ("postgresql", database.server.version, database.name)
    assert server.superuser
