"""Targets, endpoints and repositories of a workspace, without a server."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from dbops.config import Target, parse
from dbops.errors import ConfigError, InputError, UsageError
from dbops.model.server import Endpoint
from dbops.operations.workspace import Workspace, endpoint_of
from dbops.plan import Plan, SecretRef, dump_plan, load_plan
from dbops.secrets import Secrets
from dbops_postgresql import backend

NOW = datetime(2026, 1, 31, 3, tzinfo=UTC)
CONFIG = """
[repositories.main]
url = "file:///var/lib/dbops"
[repositories.far]
url = "file:///far"
identity = "env:NOT_SET"
[defaults]
repository = "main"
[targets.shop]
url = "postgresql://dbops@db1/postgres"
repository = "far"
"""


@pytest.fixture
def ws() -> Workspace:
    return Workspace(parse(CONFIG), secrets=Secrets({}), clock=lambda: NOW)


def plan(inputs: object) -> Plan:
    found = msgspec.convert(inputs, dict[str, object])
    made = Plan(noun="users.apply", target="shop", engine="postgresql", created_at=NOW, steps=())
    return msgspec.structs.replace(made, inputs=found)


def test_a_configured_target_is_found_again_by_its_name(ws: Workspace) -> None:
    target = ws.target("shop")
    assert ws.target(target) is target
    assert ws.target_inputs(target) == {}
    assert ws.planned_target(plan({})) == target


def test_the_target_of_a_url_is_found_again_by_the_plan_and_its_password_is_not_in_it(ws: Workspace) -> None:
    target = ws.target("postgresql://u:hunter2@db9:5433/x")
    saved = dump_plan(msgspec.structs.replace(plan(ws.target_inputs(target)), target=target.name))
    assert b"hunter2" not in saved
    again = ws.planned_target(load_plan(saved))
    assert (again.name, again.endpoint) == (target.name, target.endpoint)


def test_a_plan_with_another_endpoint_is_refused(ws: Workspace) -> None:
    with pytest.raises(InputError, match="the plan for shop names no endpoint that can be read"):
        ws.planned_target(plan({"endpoint": {"port": "x"}}))


def test_an_unknown_target(ws: Workspace) -> None:
    with pytest.raises(UsageError, match="there is no target 'shap'"):
        ws.target("shap")


def test_an_alias_of_the_engine_becomes_its_name_and_the_database_may_be_another() -> None:
    target = Target(name="x", endpoint=Endpoint(engine="postgres", host="h", database="a"))
    assert endpoint_of(target, backend, None) == Endpoint(engine="postgresql", host="h", database="a")
    assert endpoint_of(target, backend, "b").database == "b"


def test_which_repository(ws: Workspace) -> None:
    shop = ws.target("shop")
    assert ws.repository_config(shop).name == "far"
    assert ws.repository_config(shop, "main").name == "main"
    assert ws.repository_config().name == "main"


def test_the_private_key_is_only_fetched_to_read(ws: Workspace) -> None:
    far = ws.config.repository("far")
    ws.repository(far)
    with pytest.raises(ConfigError, match="NOT_SET is not set"):
        ws.repository(far, read=True)


def test_the_state_s_password_is_asked_for_when_it_is_needed(tmp_path: Path) -> None:
    text = '[state]\nurl = "postgresql+psycopg://u@h/d"\npassword = "env:STATE"'
    ws = Workspace(parse(text), secrets=Secrets({}))
    with pytest.raises(ConfigError, match="STATE is not set"):
        ws.state.history.runs()


def test_it_is_loaded_from_the_file_that_the_command_line_would_take(tmp_path: Path) -> None:
    path = tmp_path / "my.toml"
    path.write_text(CONFIG)
    assert Workspace.load(path).target("shop").endpoint.host == "db1"
    with pytest.raises(ConfigError, match=r"none\.toml: cannot be read"):
        Workspace.load(tmp_path / "none.toml")


def test_a_literal_password_of_another_process_is_worth_nothing(ws: Workspace) -> None:
    target = ws.target("postgresql://u:hunter2@db9/x")
    assert isinstance(target.endpoint.password, SecretRef)
    other = Workspace(parse(CONFIG), secrets=Secrets({}))
    with pytest.raises(ConfigError, match="not kept in a plan"):
        other.secrets.resolve(target.endpoint.password)
