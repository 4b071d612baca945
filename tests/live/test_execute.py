"""Plans carried out against a real server: whole or not at all, with the journal to show for it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from dbops.errors import DbopsError, NotPermitted, ToolFailed
from dbops.execute import Context, Outcome, StepStatus, execute
from dbops.host import LocalHost
from dbops.plan import Call, Fragment, Plan, Risk, Seal, SecretRef, Sql, Step, Together
from dbops.secrets import Secrets
from dbops.state import FileJournal, check_journal
from dbops.state.journal import entries
from dbops.testing.servers import Database
from dbops_postgresql import backend

ALICE = Seal(seal="scram", secret=SecretRef("env:ALICE"), name="alice")
Run = Callable[..., Outcome]


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    return tmp_path / "journal" / "shop.jsonl"


@pytest.fixture
def run(database: Database, journal: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("ALICE", "hunter2")

    def carry_out(*steps: Step, user: str | None = None) -> Outcome:
        context = Context(
            backend=backend,
            endpoints={"target": database.endpoint(user)},
            resolve=Secrets().resolve,
            host=LocalHost(),
            journal=FileJournal(journal, "shop", "r1", lambda: datetime.now(UTC)),
            scratch=tmp_path,
        )
        plan = Plan(noun="users.apply", target="shop", engine="postgresql", created_at=datetime.now(UTC), steps=steps)
        return execute(plan, context)

    return carry_out


def sql(step_id: str, *parts: Fragment, transaction: str | None = "t", database: str | None = None) -> Sql:
    return Sql(
        id=step_id,
        summary=f"do {step_id}",
        risk=Risk.WRITE,
        statement=parts,
        transaction=transaction,
        database=database,
    )


def tables(database: Database) -> list[str]:
    found = database.sql("SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace ORDER BY 1")
    return [row[0] for row in found]


@pytest.mark.proves("postgresql", "users.transactional")
def test_a_transaction_rolls_back_as_a_whole_and_the_journal_shows_it(
    run: Run, database: Database, journal: Path
) -> None:
    outcome = run(
        sql("a", "CREATE TABLE public.a (x int)"),
        sql("b", "CREATE ROLE made_and_unmade"),
        sql("c", "CREATE TABLE public.a (x int)"),
        sql("d", "CREATE TABLE public.d (x int)", transaction=None),
    )
    assert tables(database) == []
    assert database.sql("SELECT count(*) FROM pg_roles WHERE rolname = 'made_and_unmade'") == [(0,)]
    assert isinstance(outcome.error, DbopsError)
    assert outcome.error.message.startswith("do c: ")
    assert 'relation "a" already exists' in outcome.error.message
    assert outcome.step("d").status is StepStatus.NOT_RUN
    assert check_journal(journal) == 8
    assert [entry.kind for entry in entries(journal)] == ["run", *["step"] * 3, *["result"] * 3, "end"]
    assert list(entries(journal))[-1].facts["status"] == "failed"


def test_a_transaction_that_ends_well_is_there(run: Run, database: Database) -> None:
    outcome = run(
        sql("a", "CREATE TABLE public.a (x int)"),
        sql("b", "INSERT INTO public.a SELECT 5 WHERE '100%' LIKE '%\\%'"),
        sql("c", "CREATE TABLE public.c (x int)", database=database.name),
    )
    assert outcome.done
    assert tables(database) == ["a", "c"]
    assert database.sql("SELECT x FROM public.a") == [(5,)]


def test_what_allows_no_transaction_runs_alone(run: Run, database: Database) -> None:
    outcome = run(
        sql("a", "CREATE TABLE public.a (x int)", transaction=None),
        sql("b", "VACUUM public.a", transaction=None),
        sql("c", "CREATE INDEX CONCURRENTLY i ON public.a (x)", transaction=None),
    )
    assert outcome.done
    assert tables(database) == ["a", "i"]


def test_neighbours_that_commit_by_themselves_share_a_session(run: Run, database: Database) -> None:
    """And what one did stays when the next one fails."""
    outcome = run(
        sql("a", "CREATE TABLE public.a AS SELECT pg_backend_pid() AS pid", transaction=None),
        sql("b", "INSERT INTO public.a SELECT pg_backend_pid()", transaction=None),
        sql("c", "INSERT INTO nowhere VALUES (1)", transaction=None),
        sql("d", "INSERT INTO public.a VALUES (0)", transaction=None),
    )
    assert [result.status for result in outcome.steps] == [
        StepStatus.DONE,
        StepStatus.DONE,
        StepStatus.FAILED,
        StepStatus.NOT_RUN,
    ]
    assert database.sql("SELECT count(*), count(DISTINCT pid) FROM public.a") == [(2, 1)]


def test_steps_for_another_database(run: Run, database: Database) -> None:
    database.server.sql(f"CREATE DATABASE {database.name}_b")
    try:
        assert run(sql("a", "CREATE TABLE public.a (x int)", database=f"{database.name}_b")).done
        assert tables(database) == []
        assert database.server.sql("SELECT count(*) FROM public.a", database=f"{database.name}_b") == [(0,)]
    finally:
        database.server.sql(f"DROP DATABASE {database.name}_b WITH (FORCE)")


def test_a_password_is_set_and_shown_nowhere(run: Run, database: Database, journal: Path) -> None:
    name = f"alice_{database.name}"
    seal = Seal(seal="scram", secret=SecretRef("env:ALICE"), name=name)
    outcome = run(sql("a", f"CREATE ROLE {name} LOGIN PASSWORD ", seal))
    assert outcome.done
    [(stored,)] = database.sql(f"SELECT rolpassword FROM pg_authid WHERE rolname = '{name}'")
    assert stored.startswith("SCRAM-SHA-256$")
    said = f"{journal.read_text()} {outcome.steps!r} {outcome.outputs!r}"
    assert "hunter2" not in said
    assert "SCRAM-SHA-256$" not in said


@pytest.mark.parametrize("statement", ["ALTER ROLE nobody PASSWORD ", "ALTER ROLE x PASWORD ", "SELECT 1/0, 1 + "])
def test_a_password_that_could_not_be_set_is_shown_nowhere(run: Run, journal: Path, statement: str) -> None:
    outcome = run(sql("a", statement, ALICE))
    assert not outcome.done
    said = f"{journal.read_text()} {outcome.steps!r} {outcome.error} {outcome.error!r}"
    assert "hunter2" not in said
    assert "SCRAM" not in said


def test_a_missing_right_names_the_step(run: Run, database: Database) -> None:
    name = f"weak_{database.name}"
    database.server.login(name)
    outcome = run(sql("a", "CREATE ROLE not_allowed"), user=name)
    assert isinstance(outcome.error, NotPermitted)
    assert outcome.error.reason == "no_permission"
    assert outcome.error.message.startswith("do a: ")


def test_roles_changed_side_by_side_are_tried_again(run: Run, database: Database) -> None:
    """Several sessions grant on one schema: PostgreSQL answers ``tuple concurrently updated``."""
    roles = [f"r{number}_{database.name}" for number in range(6)]
    for role in roles:
        database.sql(f"CREATE ROLE {role}")
    steps = [
        sql(f"{role}-{number}", f"GRANT {word} ON SCHEMA public TO {role}", transaction=f"{role}{number}")
        for role in roles
        for number, word in enumerate(["USAGE", "CREATE"])
    ]
    together = Together(id="t", summary="grant", risk=Risk.WRITE, steps=tuple(steps), limit=6)
    assert run(together).error is None
    [(granted,)] = database.sql(
        "SELECT count(*) FROM pg_namespace, aclexplode(nspacl) a JOIN pg_roles r ON r.oid = a.grantee"
        f" WHERE nspname = 'public' AND rolname LIKE 'r%{database.name}'"
    )
    assert granted == 12


def test_an_unknown_word_of_the_backend_is_said(run: Run) -> None:
    outcome = run(Call(id="c", summary="ask", risk=Risk.READ, provider="backend", operation="telepathy"))
    assert outcome.error is not None
    assert outcome.error.message == "PostgreSQL has no operation called 'telepathy'"
    assert not isinstance(outcome.error, ToolFailed)
