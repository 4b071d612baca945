"""Backups end to end on a real server, through the command line: made, listed, proved, brought back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dbops.operations.workspace import Workspace
from dbops.testing.servers import ThrowawayServer

METHODS = ("dump", "basebackup")


def test_a_plan_needs_measurements_first(cli: Any) -> None:
    found = cli.json("backup", "plan", "shop", code=76)
    assert found["verdict"] == "unknown"
    assert any("do `dbops backup run` once" in reason for reason in found["reasons"])
    hopeless = cli.json("backup", "plan", "shop", "--rpo", "10s", code=1)
    assert hopeless["verdict"] == "infeasible"
    assert hopeless["counterexample"]["value"] > hopeless["counterexample"]["limit"] == 10


@pytest.mark.parametrize("method", METHODS)
def test_made_proved_and_planned_from(cli: Any, method: str) -> None:
    made = cli.json("backup", "run", "shop", "--method", method)["backup"]
    assert made["method"] == method
    assert made["custody"] == "repository"
    assert 0 < made["stored_bytes"] < made["bytes"]
    listed = {one["id"]: one for one in cli.json("backup", "list", "shop")["backups"]}
    assert listed[made["id"]]["whole"] is True
    assert {"shop", "hr"} <= set(listed[made["id"]]["databases"])
    proof = cli.json("backup", "verify", made["id"])
    assert proof["target"]["name"] == "shop"
    assert proof["verdict"] == "verified", proof["reasons"]
    assert proof["recovered_to"] is not None
    assert proof["rto_s"] > 0
    assert proof["rpo_s"] >= 0
    assert {phase["name"] for phase in proof["phases"]}
    shown = cli.json("backup", "show", made["id"])["backup"]
    assert shown["proven"]["level"] == "full"
    planned = cli.json("backup", "plan", "shop")
    assert planned["verdict"] == "feasible", planned["reasons"]
    assert planned["schedule"][0]["every_s"] == 86_400


def test_content_is_compared_with_what_was_dumped(cli: Any) -> None:
    cli.json("backup", "run", "shop", "--method", "dump")
    proof = cli.json("backup", "verify", "shop", "--method", "dump")
    assert proof["fingerprints"]["compared"] >= 3
    assert proof["fingerprints"]["equal"] == proof["fingerprints"]["compared"]
    assert proof["fingerprints"]["different"] == []


@pytest.mark.proves("postgresql", "restore.logical")
def test_the_plan_alone_then_a_new_database_and_never_twice(cli: Any, server: ThrowawayServer) -> None:
    cli.json("backup", "run", "shop", "--method", "dump")
    into = server.url(database="shop_again")
    words = ("shop", "--method", "dump", "--database", "shop", "--into", into)
    planned = cli.json("restore", "plan", *words)
    assert planned["verdict"] == "reachable"
    assert planned["steps"]
    found = cli.json("restore", "run", *words, "--yes")
    assert found["bytes"] > 0
    count = "SELECT count(*), sum(id), max(note) FROM sales.orders"
    assert server.sql(count, database="shop_again") == server.sql(count, database="shop")
    code, _, err = cli("restore", "run", *words, "--yes")
    assert code == 73
    assert "shop_again is there already" in err
    assert server.url().split("@")[0].rpartition(":")[2] not in err, "no password in a message"
    server.sql("DROP DATABASE shop_again")


def test_several_databases_do_not_go_into_one(cli: Any, server: ThrowawayServer) -> None:
    cli.json("backup", "run", "shop", "--method", "dump")
    code, _, err = cli("restore", "plan", "shop", "--method", "dump", "--into", server.url(database="all_of_it"))
    assert code == 2
    assert "Choose with --database one of:" in err


@pytest.mark.proves("postgresql", "restore.physical")
def test_a_copy_goes_into_a_new_directory(cli: Any, tmp_path: Path) -> None:
    cli.json("backup", "run", "shop", "--method", "basebackup")
    into = tmp_path / "copy"
    words = ("shop", "--method", "basebackup", "--into", str(into))
    code, _, err = cli("restore", "run", *words)
    assert code == 2
    assert "there is no terminal to ask on" in err
    assert not into.exists()
    restored = cli.json("restore", "run", *words, "--yes")
    assert (into / "PG_VERSION").exists()
    assert any("look at archive_command" in note for note in restored["notes"])
    assert cli("restore", "run", *words, "--yes")[0] == 73


def test_a_saved_restore_is_carried_out_exactly(cli: Any, tmp_path: Path) -> None:
    made = cli.json("backup", "run", "shop", "--method", "basebackup")["backup"]
    plan, into = str(tmp_path / "plan.json"), tmp_path / "copy"
    planned = cli.json("restore", "plan", "shop", "--method", "basebackup", "--into", str(into), "-o", plan)
    assert [one["id"] for one in planned["chain"]] == [made["id"]]
    cli.json("backup", "run", "shop", "--method", "basebackup")
    assert cli("apply", plan, "--yes")[0] == 0
    assert (into / "PG_VERSION").exists()
    code, _, err = cli("apply", plan, "--yes")
    assert code == 73
    assert f"{into} is there already" in err


def test_one_database_only(cli: Any) -> None:
    made = cli.json("backup", "run", "shop", "--method", "dump", "--database", "hr")["backup"]
    assert (made["databases"], made["whole"]) == (["hr"], False)
    code, _, err = cli("backup", "run", "shop", "--method", "dump", "--database", "hrr")
    assert code == 2
    assert "there is no database 'hrr' on this server" in err
    assert "Did you mean 'hr'?" in err
    code, _, err = cli("backup", "run", "shop", "--method", "basebackup", "--database", "hr")
    assert code == 2
    assert "copies the whole server" in err


def test_an_unknown_method(cli: Any) -> None:
    code, _, err = cli("backup", "run", "shop", "--method", "magic")
    assert code == 2
    assert "There is: " in err


def test_the_history_knows_every_run(cli: Any) -> None:
    cli.json("backup", "run", "shop", "--method", "dump")
    newest = Workspace.load().state.history.runs(kind="backup", target="shop", limit=1)[0]
    assert (newest.status, newest.code) == ("done", 0)
    assert newest.facts["method"] == "dump"
