"""What a probe finds, on every version and with few rights."""

from __future__ import annotations

import re

import pytest

from dbops.model.finding import Missing
from dbops.model.server import Server
from dbops.secrets import Secrets
from dbops.session import connect
from dbops.testing.servers import Database
from dbops_postgresql import backend


def probed(database: Database, user: str | None = None) -> Server:
    with connect(backend, database.endpoint(user), resolve=Secrets().resolve) as reader:
        return backend.probe(reader)


def test_what_is_there(database: Database) -> None:
    server = probed(database)
    assert server.engine == "postgresql"
    assert server.version == database.server.version
    assert server.major == database.server.major
    assert server.version_text == ".".join(map(str, server.version))
    assert (server.role, server.superuser, server.user) == ("primary", True, "postgres")
    assert (server.database, server.edition) == (database.name, "")
    assert server.settings["version"].startswith(f"PostgreSQL {server.version_text}")


def test_the_incarnation_is_the_system_identifier(database: Database) -> None:
    [(identifier,)] = database.sql("SELECT system_identifier::text FROM pg_control_system()")
    assert probed(database).incarnation == identifier
    assert re.fullmatch(r"\d{19}", identifier)


def test_a_login_without_rights_sees_the_same_but_for_what_it_is(database: Database) -> None:
    name = f"weak_{database.name}"
    database.server.login(name)
    server = probed(database, name)
    assert (server.superuser, server.user) == (False, name)
    assert isinstance(server.incarnation, str)


def test_an_owner_who_hid_the_control_file_leaves_a_reason(database: Database) -> None:
    name = f"weak_{database.name}"
    database.server.login(name)
    database.sql("REVOKE EXECUTE ON FUNCTION pg_control_system() FROM PUBLIC")
    server = probed(database, name)
    assert isinstance(server.incarnation, Missing)
    assert server.incarnation.reason == "no_permission"
    assert "pg_control_system()" in server.incarnation.detail
    assert server.version == database.server.version


@pytest.mark.parametrize(
    ("role", "service"),
    [("rds_superuser", "Amazon RDS"), ("cloudsqlsuperuser", "Cloud SQL"), ("azure_pg_admin", "Azure")],
)
def test_a_managed_service_is_known_by_its_role(database: Database, role: str, service: str) -> None:
    database.sql(f"CREATE ROLE {role}")
    assert probed(database).edition == service
