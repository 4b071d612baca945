"""``dbops plan show`` and ``dbops apply``: a saved plan is carried out exactly, or refused with the difference."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from dbops.cli.main import run
from dbops.state import State, check_journal
from dbops.testing.servers import Database

pytestmark = pytest.mark.postgres(newest=True)
Capture = pytest.CaptureFixture[str]


class Saved:
    """A configuration, a spec, and the plan that was saved from it."""

    def __init__(self, directory: Path, database: Database) -> None:
        self.database, self.directory = database, directory
        self.role = f"r_{database.name}"
        endpoint = database.endpoint()
        self.config = directory / "dbops.toml"
        self.config.write_text(f'[targets.shop]\nurl = "{endpoint}"\npassword = "{endpoint.password}"\n')
        self.spec = directory / "users.yaml"
        self.spec.write_text(
            f"""
dbops: users/1
manage: {{ principals: [{self.role}], databases: [{database.name}] }}
roles:
  {self.role}:
    grants: [{{ object: "table:{database.name}.public.orders", can: [select] }}]
"""
        )
        self.plan = directory / "plan.json"

    def save(self) -> None:
        assert run(["users", "plan", str(self.spec), "shop", "-o", str(self.plan)]) == 1

    def can_read(self) -> bool:
        known = self.database.sql(f"SELECT 1 FROM pg_roles WHERE rolname = '{self.role}'")
        return bool(known) and bool(
            self.database.sql(f"SELECT has_table_privilege('{self.role}', 'orders', 'SELECT')")[0][0]
        )


@pytest.fixture
def saved(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> Saved:
    database.sql("CREATE TABLE orders (id int)")
    found = Saved(tmp_path, database)
    monkeypatch.setenv("DBOPS_CONFIG", str(found.config))
    monkeypatch.setenv("DBOPS_STATE", str(tmp_path / "state"))
    found.save()
    capsys.readouterr()
    return found


def test_a_saved_plan_is_shown_and_carried_out(saved: Saved, capsys: Capture) -> None:
    assert run(["plan", "show", str(saved.plan)]) == 0
    shown = capsys.readouterr().out
    assert f'CREATE ROLE "{saved.role}"' in shown
    assert "undo: " in shown
    assert not saved.can_read()
    assert run(["apply", str(saved.plan), "--yes", "--format", "json"]) == 0
    printed = capsys.readouterr()
    document = json.loads(printed.out)
    assert document["schema"] == "dbops.plan.apply/1"
    assert document["noun"] == "users.apply"
    assert {step["status"] for step in document["steps"]} == {"done"}
    assert f'CREATE ROLE "{saved.role}"' in printed.err  # what was approved is told, and not on standard output
    assert saved.can_read()


def test_the_journal_says_who_did_what_and_its_chain_holds(saved: Saved) -> None:
    assert run(["apply", str(saved.plan), "--yes"]) == 0
    state = State(saved.directory / "state", clock=lambda: datetime.now(UTC))
    path = state.journal_path("shop")
    assert check_journal(path) >= 4
    text = path.read_text()
    assert '"noun":"users.apply"' in text.replace(" ", "")
    assert '"who"' in text
    damaged = text.replace("users.apply", "users.rotate", 1)
    path.write_text(damaged)
    with pytest.raises(Exception, match="journal"):
        check_journal(path)


def test_without_yes_and_without_a_terminal_nothing_is_done(saved: Saved, capsys: Capture) -> None:
    assert run(["apply", str(saved.plan)]) == 2
    assert "there is no terminal to ask on" in capsys.readouterr().err
    assert not saved.can_read()


def test_a_plan_that_is_out_of_date_is_refused_with_the_difference(saved: Saved, capsys: Capture) -> None:
    saved.database.sql(f"CREATE ROLE {saved.role}")
    assert run(["apply", str(saved.plan), "--yes", "--format", "json"]) == 65
    error = json.loads(capsys.readouterr().out)["error"]
    assert error["class"] == "StalePlan"
    assert "is out of date" in error["message"]
    assert f'- create role {saved.role}: CREATE ROLE "{saved.role}"' in error["message"]
    assert "Nothing was changed." in error["hint"]
    assert not saved.can_read()


def test_twice_is_out_of_date(saved: Saved) -> None:
    assert run(["apply", str(saved.plan), "--yes"]) == 0
    assert run(["apply", str(saved.plan), "--yes"]) == 65


def test_steps_that_somebody_edited_are_refused(saved: Saved) -> None:
    saved.plan.write_text(saved.plan.read_text().replace("CREATE ROLE", "CREATE ROLE /* mine */"))
    assert run(["apply", str(saved.plan), "--yes"]) == 65
    assert not saved.can_read()


def test_two_at_once_the_second_is_75(saved: Saved, capsys: Capture) -> None:
    state = State(saved.directory / "state", clock=lambda: datetime.now(UTC))
    with state.lock("shop", "users.apply"):
        assert run(["apply", str(saved.plan), "--yes"]) == 75
    assert "is at work" in capsys.readouterr().err
    assert not saved.can_read()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "not JSON"),
        ("[]", "not a plan"),
        ('{"schema": "dbops.plan/2"}', "not a plan"),
        (None, "cannot be read: No such file or directory"),
    ],
)
def test_a_file_that_is_no_plan(content: str | None, said: str, tmp_path: Path, capsys: Capture) -> None:
    path = tmp_path / "plan.json"
    if content is not None:
        path.write_text(content)
    for arguments in (["plan", "show", str(path)], ["apply", str(path), "--yes"]):
        assert run(arguments) == 65
        assert said in capsys.readouterr().err


def test_a_plan_of_an_unknown_operation(saved: Saved, capsys: Capture) -> None:
    saved.plan.write_text(saved.plan.read_text().replace('"users.apply"', '"users.bless"'))
    assert run(["apply", str(saved.plan), "--yes"]) == 65
    assert "a plan for 'users.bless', which this dbops does not know" in capsys.readouterr().err
