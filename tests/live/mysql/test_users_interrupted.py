"""A run that ends anywhere does no harm, and the next one finishes it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from dbops.access.evaluator import evaluator
from dbops.access.matrix import rows
from dbops.config import Config
from dbops.execute import Outcome
from dbops.model.access import AccessSnapshot, Scope
from dbops.operations import users
from dbops.operations.workspace import Workspace
from dbops.plan import Hold, Plan, Step
from dbops.state import State
from dbops.testing.servers import Database

PEOPLE = ("alice", "bob", "carol", "dave", "eve")
NOW = datetime(2026, 1, 1, tzinfo=UTC)
SHOP = "CREATE TABLE IF NOT EXISTS orders (id int, email varchar(9)); CREATE TABLE IF NOT EXISTS items (id int)"
# alice moves from one role to another that is trimmed meanwhile, bob from rights of his own to a role, carol is locked
# and let in, dave goes, eve comes. Rows for patterns hide each other.
BEFORE = """
roles:
  app_old: {{ grants: [{{ object: "database:{db}", can: [select, insert] }}] }}
  app_new: {{ grants: [{{ object: "table:{db}.orders", can: [select, delete] }}] }}
users:
  alice: {{ member_of: [app_old], grants: [{{ object: "table:{db}.items", can: [select] }}] }}
  bob:
    grants:
      - {{ object: "pattern:{begin}%", can: [select, drop] }}
      - {{ object: "database:{db}", can: [select, update], grantable: true }}
  carol: {{ state: locked, grants: [{{ object: "database:{db}", can: [all] }}] }}
  dave: {{ member_of: [app_new] }}
"""
AFTER = """
roles:
  app_old: {{ grants: [{{ object: "database:{db}", can: [select, insert, delete] }}] }}
  app_new: {{ grants: [{{ object: "table:{db}.orders", can: [select, update] }}] }}
users:
  alice: {{ member_of: [app_new], grants: [{{ object: "table:{db}.items", can: [select], columns: [id] }}] }}
  bob: {{ member_of: [app_old], grants: [{{ object: "pattern:{begin}%", can: [select] }}] }}
  carol: {{ attributes: [require ssl], grants: [{{ object: "database:{db}", can: [select] }}] }}
  dave: {{ state: absent }}
  eve:
    hosts: ["10.0.%", localhost]
    password: env:EVE
    connection_limit: 2
    member_of: [{{ role: app_new, admin: true }}]
    grants: [{{ object: server, can: [process] }}]
"""


@pytest.fixture
def ws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    monkeypatch.setenv("EVE", "secret")
    return Workspace(Config(), state=State(tmp_path / "state", clock=lambda: datetime.now(UTC)))


def url(database: Database) -> str:
    """Making a TLS context takes longer than most of what is tested here."""
    return f"{database.url()}?ssl-mode=DISABLED"


def spec(database: Database, body: str) -> str:
    head = "dbops: users/1\nmanage:\n  principals: ['app_*', alice, bob, carol, dave, eve]\n"
    names = {"db": database.name, "begin": database.name[:-1]}
    return f"{head}  databases: [{database.name}]\n{body.format(**names)}"


def begin_again(database: Database, ws: Workspace) -> None:
    """As it was: all of them gone, and made again."""
    found = database.sql("SELECT User, Host FROM mysql.user WHERE User LIKE 'app\\_%' OR User IN " + str(PEOPLE))
    people = [
        f"DROP ROLE `{user}`" if user.startswith("app") else f"DROP USER `{user}`@`{host}`" for user, host in found
    ]
    if people:
        database.sql("; ".join(people))
    users.apply(ws, spec(database, BEFORE), url(database))


def parts(made: Plan) -> tuple[Step, ...]:
    [hold] = made.steps
    assert isinstance(hold, Hold)
    return hold.steps


def only(made: Plan, first: int, last: int) -> Plan:
    """The same plan with some of its steps, under its lock."""
    [hold] = made.steps
    assert isinstance(hold, Hold)
    return msgspec.structs.replace(made, steps=(msgspec.structs.replace(hold, steps=hold.steps[first:last]),))


def carry_out(ws: Workspace, made: Plan) -> Outcome:
    return ws.execute(made, ws.planned_target(made)).raise_for_status()


def seen(ws: Workspace, database: Database) -> AccessSnapshot:
    with ws.open(ws.target(url(database))) as opened:
        return opened.backend.access.inspect(opened.reader, opened.server, Scope(databases=(database.name,)))


def held(snapshot: AccessSnapshot, *, usable: bool) -> set[tuple[str, str, str]]:
    """Columns are left out: one is only there while somebody has a right of its own on it."""
    found = (row for row in rows(evaluator(snapshot, NOW)) if not row[1].startswith("column:"))
    return {row[:3] for row in found if not row[0].startswith("'root'") and (row[4] or not usable)}


def test_nobody_has_more_on_the_way_than_before_and_after(mysql_database: Database, ws: Workspace) -> None:
    mysql_database.sql(SHOP)
    begin_again(mysql_database, ws)
    _, made = users.plan(ws, spec(mysql_database, AFTER), url(mysql_database))
    between = [seen(ws, mysql_database)]
    for number in range(len(parts(made))):
        carry_out(ws, only(made, number, number + 1))
        between.append(seen(ws, mysql_database))
    for usable in (False, True):
        allowed = held(between[0], usable=usable) | held(between[-1], usable=usable)
        for number, snapshot in enumerate(between):
            excess = held(snapshot, usable=usable) - allowed
            assert excess == set(), f"after {parts(made)[number - 1].summary}"
    for snapshot in between:
        for one in (one for one in snapshot.principals if one.user in PEOPLE):
            assert "NO PASSWORD" not in one.attributes
            assert one.connection_limit == (2 if one.user == "eve" else None)
    assert users.plan(ws, spec(mysql_database, AFTER), url(mysql_database))[0].steps == ()


@pytest.mark.mysql(newest=True)
def test_what_was_stopped_after_any_step_is_finished_by_the_next_run(mysql_database: Database, ws: Workspace) -> None:
    mysql_database.sql(SHOP)
    text = spec(mysql_database, AFTER)
    begin_again(mysql_database, ws)
    _, whole = users.plan(ws, text, url(mysql_database))
    carry_out(ws, whole)
    wanted = held(seen(ws, mysql_database), usable=False)
    for done in range(1, len(parts(whole))):
        begin_again(mysql_database, ws)
        carry_out(ws, only(users.plan(ws, text, url(mysql_database))[1], 0, done))
        _, rest = users.plan(ws, text, url(mysql_database))
        assert len(parts(rest)) <= len(parts(whole))
        carry_out(ws, rest)
        assert users.plan(ws, text, url(mysql_database))[0].steps == ()
        assert held(seen(ws, mysql_database), usable=False) == wanted, f"stopped after {done} steps"


@pytest.mark.mysql(newest=True)
def test_a_run_that_was_killed_is_finished_by_the_next_one(
    mysql_database: Database, ws: Workspace, tmp_path: Path
) -> None:
    """Really killed, between two statements; its lock is gone with it."""
    mysql_database.sql(SHOP)
    grants = f"[{{{{object: 'table:{mysql_database.name}.*', can: [select, insert]}}}}]"
    people = "\n".join(f"  app_{number}: {{{{password: 'env:EVE', grants: {grants}}}}}" for number in range(60))
    place = tmp_path / "spec.yaml"
    place.write_text(spec(mysql_database, f"users:\n{people}\n"), encoding="utf-8")
    environment = {**os.environ, "DBOPS_STATE": str(tmp_path / "other")}
    argv = [sys.executable, "-m", "dbops", "users", "apply", str(place), url(mysql_database), "--yes"]
    running = subprocess.Popen(argv, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    count = "SELECT COUNT(*) FROM mysql.user WHERE User LIKE 'app\\\\_%'"
    # Held whenever it is looked at: it makes no accounts while they are counted.
    while running.poll() is None and mysql_database.sql(count)[0][0] < 10:
        running.send_signal(signal.SIGCONT)
        time.sleep(0.02)
        running.send_signal(signal.SIGSTOP)
    running.send_signal(signal.SIGKILL)
    assert running.wait() == -signal.SIGKILL
    assert 10 <= mysql_database.sql(count)[0][0] < 60
    text = place.read_text(encoding="utf-8")
    users.apply(ws, text, url(mysql_database))
    assert users.plan(ws, text, url(mysql_database))[0].steps == ()
    assert mysql_database.sql(count) == [(60,)]
