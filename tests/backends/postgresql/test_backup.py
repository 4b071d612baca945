"""Pure parts of the backup column: the steps, the recipe, what is chosen and what is refused."""

from __future__ import annotations

import shlex
from datetime import UTC, datetime
from typing import Any, cast

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbops.backup.fingerprints import Comparison, Fingerprint, compare, read
from dbops.errors import InputError, ToolFailed, UsageError
from dbops.model.backup import (
    Artifact,
    BackupFacts,
    BackupJob,
    BackupRecord,
    Chain,
    Custody,
    DatabaseFacts,
    Destination,
    Fingerprints,
    Until,
    Verdict,
)
from dbops.model.finding import Missing
from dbops.model.server import Server, Tool
from dbops.plan import Hold, Plan, Sql, Together, Transfer, dump_plan, load_plan, walk
from dbops_postgresql.backup import PostgreSQLBackup
from dbops_postgresql.backup.creation import after, create_database
from dbops_postgresql.backup.facts import About, Database, Tablespace
from dbops_postgresql.backup.fit import Build, Requirements, lacks
from dbops_postgresql.tools import choose

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
DRIVER = PostgreSQLBackup()
HOSTILE = "it's \"; drop\\ 50%"


def tool(name: str, *version: int) -> Tool:
    return Tool(name=name, path=f"/bin{version[0]}/{name}", version=version)


def server(major: int = 15) -> Server:
    return Server(
        engine="postgresql", version=(major, 3), version_text=f"{major}.3", role="primary", incarnation="7", user="bk"
    )


def database(name: str, oid: int, **more: Any) -> Database:  # Any: whatever Database takes
    known = {"encoding": "UTF8", "collate": "C", "ctype": "C", "owner": "postgres"}
    return msgspec.convert({**known, "name": name, "oid": oid, **more}, type=Database)


def facts(
    *databases: Database, tools: dict[str, Tool | Missing] | None = None, **about: Any
) -> BackupFacts:  # Any: About's
    known = {"owner": "postgres", "superuser": "postgres", "passwords": True, "requires": Requirements(major=15)}
    every = databases or (database("shop", 16384), database(HOSTILE, 16385))
    return BackupFacts(
        databases=tuple(DatabaseFacts(name=one.name, bytes=1000, extra=msgspec.to_builtins(one)) for one in every),
        total_bytes=2000,
        log_bytes_per_s=0.0,
        settings={"data_checksums": "on"},
        tools=tools or {"pg_dump": tool("pg_dump", 15, 3), "pg_dumpall": tool("pg_dumpall", 15, 3)},
        extra={"about": msgspec.to_builtins(About(**cast("dict[str, Any]", {**known, **about})))},
    )


def job(method: str = "dump", **more: Any) -> BackupJob:  # Any: whatever BackupJob takes
    return BackupJob(
        id="b-20260102t030405000-7k3m9qxz", target="shop", repository="main", method=method, started_at=NOW, **more
    )


def record(method: str = "dump", *names: str, found: BackupFacts | None = None) -> BackupRecord:
    known = found or facts()
    outputs = {"basebackup": {"start_lsn": "0/1", "end_lsn": "0/2", "timeline": 1}}
    made = DRIVER.read_made(job(method), known, server(), outputs)
    return BackupRecord(
        id=job().id, target="shop", incarnation="7", engine="postgresql", server_version="15.3", method=method,
        kind="logical" if method == "dump" else "physical", custody=Custody.REPOSITORY, location="main",
        started_at=NOW, finished_at=NOW, bytes=5, stored_bytes=5, databases=made.databases, extra=made.extra,
        artifacts=tuple(Artifact(name=name, bytes=5, stored_bytes=5, sha256="ab") for name in names),
    )  # fmt: skip


DUMPED = ("roles.sql", "dump-16384.pgdump", "dump-16385.pgdump", "fingerprints-16384.jsonl")
COPIED = ("base.tar", "16400.tar", "backup_manifest", "configuration.json")


def steps_of(plan: tuple[Any, ...]) -> dict[str, Any]:  # Any: steps of any kind
    return {step.id: step for step in walk(plan)}


def test_every_database_is_dumped_with_its_own_snapshot_several_at_once() -> None:
    plan = DRIVER.compile_backup(job(parallel=3), facts(), server())
    steps = steps_of(plan)
    assert isinstance(steps["dumps"], Together)
    assert steps["dumps"].limit == 3
    hold = steps["snapshot-16385"]
    assert isinstance(hold, Hold)
    assert hold.opening.arguments == {"database": HOSTILE}
    assert [step.id for step in hold.steps] == ["dump-16385", "fingerprints-16385"]
    for step in hold.steps:
        assert isinstance(step, Transfer)
        assert step.source.arguments["snapshot"].step == hold.id  # type: ignore[union-attr]  # FromServer, with a Ref


def test_what_is_chosen_and_asked_for_is_all_that_is_dumped() -> None:
    closed = database("closed", 9, connectable=False)
    plan = DRIVER.compile_backup(job(fingerprints=False), facts(database("a", 7), database("b", 8), closed), server())
    assert {step.id for step in walk(plan)} == {"roles", "dumps", "snapshot-7", "dump-7", "snapshot-8", "dump-8"}
    only = DRIVER.compile_backup(job(databases=("b",)), facts(database("a", 7), database("b", 8)), server())
    assert "dump-7" not in steps_of(only)


@pytest.mark.parametrize("method", ["dump", "basebackup"])
def test_the_same_facts_give_the_same_plan_that_can_be_saved(method: str) -> None:
    made = [DRIVER.compile_backup(job(method, recipients=("age1x",)), facts(), server()) for _ in range(2)]
    plan = Plan(noun="backup.run", target="shop", engine="postgresql", created_at=NOW, steps=made[0])
    assert plan.digest == msgspec.structs.replace(plan, steps=made[1]).digest
    assert load_plan(dump_plan(plan)) == plan
    transfers = [step for step in walk(made[0]) if isinstance(step, Transfer)]
    assert {tuple(one.name for one in step.filters) for step in transfers} == {("zstd", "age")}


def test_the_slot_has_a_name_that_the_server_takes() -> None:
    hold = DRIVER.compile_backup(job("basebackup"), facts(), server())[-1]
    assert isinstance(hold, Hold)
    assert hold.opening.arguments["name"] == "dbops_b_20260102t030405000_7k3m9qxz"


def test_a_pg_dump_that_is_too_old_is_refused_before_anything_starts_naming_both_versions() -> None:
    old = choose("pg_dump", [tool("pg_dump", 15, 18)], (18, 6))
    with pytest.raises(ToolFailed) as failed:
        DRIVER.compile_backup(job(), facts(tools={"pg_dump": old}), server(18))
    said = "/bin15/pg_dump is version 15.18, the server is PostgreSQL 18.6: pg_dump 18 or newer is needed"
    assert failed.value.message == said
    assert "postgresql-client" in failed.value.hint
    assert failed.value.reason == "tool_too_old"
    none = choose("pg_dump", [], (18, 6))
    with pytest.raises(ToolFailed, match="pg_dump was not found on this machine; PostgreSQL 18 or newer is needed"):
        DRIVER.compile_backup(job(), facts(tools={"pg_dump": none}), server(18))


def test_the_programs_of_the_servers_own_version_come_first_then_the_oldest_newer_ones() -> None:
    tools = [tool("t", 14, 1), tool("t", 18, 6), tool("t", 16, 2), tool("t", 15, 3)]
    assert choose("t", tools, (15, 9)) == tool("t", 15, 3)
    assert choose("t", tools, (17, 1)) == tool("t", 18, 6)
    assert isinstance(choose("t", tools, (17, 1), same_major=True), Missing)


@given(st.lists(st.integers(10, 20)), st.integers(10, 20))
def test_a_chosen_program_is_never_older_than_the_server(majors: list[int], major: int) -> None:
    chosen = choose("t", [tool("t", one, 0) for one in majors], (major, 0))
    assert isinstance(chosen, Missing) == all(one < major for one in majors)
    if isinstance(chosen, Tool):
        assert chosen.version[0] == min(one for one in majors if one >= major)


def test_what_a_machine_lacks_is_named() -> None:
    needed = Requirements(major=15, options=("icu", "zstd"), extensions=("postgis", "plpgsql"), glibc="2.36")
    build = Build(label="x", major=14, options=("zstd",), extensions=("plpgsql",), glibc="2.31")
    assert lacks(needed, build) == (
        "it is version 14, the backup is of version 15",
        "it is built without icu",
        "it has no extension postgis",
        "glibc 2.36 sorted the text indexes, and here is glibc 2.31",
    )
    unknown = Build(label="x", major=15, options=Missing("tool_missing"), extensions=Missing("tool_missing"))
    assert lacks(needed, unknown) == ()


def test_a_physical_copy_goes_into_a_directory_and_a_dump_into_a_database() -> None:
    copy = Chain(repository="main", records=(record("basebackup", *COPIED),))
    dump = Chain(repository="main", records=(record("dump", *DUMPED),))
    into_directory, into_database = Destination(kind="directory", path="/x"), Destination(kind="database", database="n")
    with pytest.raises(UsageError, match="it restores into a new directory, not into a database"):
        DRIVER.compile_restore(copy, into_database, Until(), server())
    with pytest.raises(UsageError, match="it restores into a new database of a running server"):
        DRIVER.compile_restore(dump, into_directory, Until(), server())
    with pytest.raises(UsageError) as failed:
        DRIVER.compile_restore(dump, into_database, Until(), server())
    assert failed.value.message.endswith("holds several databases")
    assert "shop" in failed.value.hint
    with pytest.raises(InputError, match="and no other"):
        DRIVER.compile_restore(copy, into_directory, Until(kind="time", time=NOW), server())
    steps = steps_of(DRIVER.compile_restore(copy, into_directory, Until(), server()))
    assert {"restore-base", "restore-16400", "restore-manifest", "check-files", "restore-finish"} <= set(steps)


def test_a_hostile_name_is_quoted_where_it_becomes_sql() -> None:
    chain = Chain(repository="main", records=(record("dump", *DUMPED),))
    steps = steps_of(DRIVER.compile_verify(chain, Destination(kind="scratch"), server(), "full"))
    create = steps["restore-create-16385"]
    assert isinstance(create, Sql)
    assert create.text.startswith('CREATE DATABASE "it\'s ""; drop\\ 50%" TEMPLATE template0 ENCODING')
    assert "check-fingerprints-16384" in steps
    assert "check-fingerprints-16385" not in steps


def test_a_database_is_made_again_as_its_version_says_it() -> None:
    icu = database("x", 1, provider="i", locale="de-DE", rules="&a < b")
    assert "LOCALE_PROVIDER icu ICU_LOCALE 'de-DE'" in create_database(icu, "x", 15)
    assert "ICU_RULES" not in create_database(icu, "x", 15)
    assert "ICU_RULES '&a < b'" in create_database(icu, "x", 17)
    assert "PROVIDER" not in create_database(icu, "x", 14)
    builtin = database("x", 1, provider="b", locale="C.UTF-8")
    assert "LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8'" in create_database(builtin, "x", 17)


def test_what_pg_restore_leaves_out_is_said_with_the_role_it_needs() -> None:
    one = database(
        "x", 1, owner="o", connection_limit=5, default_grants=False,
        settings=["work_mem=5MB", 'search_path="a b", c', "app.key=it's"], grants=["CONNECT|t|r", "TEMPORARY|f|"],
    )  # fmt: skip
    assert [(step.statement, step.role) for step in after(one, "n")] == [
        ('ALTER DATABASE "n" SET "work_mem" TO \'5MB\'', ""),
        ('ALTER DATABASE "n" SET "search_path" TO "a b", c', ""),
        ('ALTER DATABASE "n" SET "app"."key" TO \'it\'\'s\'', ""),
        ('ALTER DATABASE "n" CONNECTION LIMIT 5', ""),
        ('REVOKE ALL ON DATABASE "n" FROM PUBLIC', ""),
        ('GRANT CONNECT ON DATABASE "n" TO "r" WITH GRANT OPTION', "r"),
        ('GRANT TEMPORARY ON DATABASE "n" TO PUBLIC', ""),
        ('ALTER DATABASE "n" OWNER TO "o"', "o"),
    ]


def test_the_evidence_is_what_the_steps_said() -> None:
    chain = Chain(repository="main", records=(record("dump", *DUMPED),))
    found = Comparison(compared=3, equal=2, different=("public.t: rows differ",), skipped={"row_security": 1})
    outputs = {
        "restore-start": {"conninfo": ""},
        "check-amcheck": {"checks": '[{"id": "amcheck", "verdict": "verified", "summary": "good"}]'},
        "check-fingerprints-16384": {"comparison": msgspec.json.encode(found).decode()},
    }
    evidence = DRIVER.read_evidence(chain, "full", outputs)
    assert [(one.id, one.verdict) for one in evidence.checks] == [
        ("amcheck", Verdict.VERIFIED),
        ("fingerprints-16384", Verdict.FAILED),
    ]
    assert evidence.fingerprints == Fingerprints(compared=3, equal=2, different=("public.t: rows differ",))
    assert evidence.recovered_to == NOW
    nothing = DRIVER.read_evidence(chain, "full", {})
    assert nothing.recovered_to == Missing("not_restored", "the server did not start")
    assert isinstance(nothing.fingerprints, Missing)


FINGERPRINTS = st.lists(
    st.builds(Fingerprint, st.sampled_from("abcde"), rows=st.integers(0, 3), hash=st.sampled_from(["1.1", "2.2"])),
    unique_by=lambda one: one.name,
)


@given(FINGERPRINTS, FINGERPRINTS)
def test_only_equal_readings_compare_as_equal(one: list[Fingerprint], two: list[Fingerprint]) -> None:
    assert compare(one, one).different == ()
    answer = compare(one, two)
    assert (answer.different == ()) == ({x.name: x for x in one} == {x.name: x for x in two})
    assert answer.compared == answer.equal + len(answer.different)


def test_a_sequence_may_not_stand_beyond_what_was_recorded() -> None:
    def at(value: int, step: int = 1) -> list[Fingerprint]:
        return [Fingerprint("s", "sequence", value=value, step=step)]

    assert compare(at(5), at(3)).different == ()
    assert compare(at(5), at(6)).different == ("s: stands at 6, beyond the 5 that was recorded",)
    assert compare(at(5, -1), at(6, -1)).different == ()
    assert compare(at(5, 0), at(6, 0)).different == ()


def test_what_could_be_read_then_and_cannot_be_read_now_is_different() -> None:
    before, now = [Fingerprint("t", rows=1, hash="1.1")], [Fingerprint("t", skipped="failed")]
    assert compare(before, now).different == ("t: it cannot be read any more",)
    assert compare(now, before).skipped == {"failed": 1}


def test_fingerprints_that_cannot_be_read_are_an_input_error() -> None:
    with pytest.raises(InputError, match="these are not fingerprints"):
        read(b'{"nom": 1}\n')


def test_the_recipe_names_every_file_and_the_key() -> None:
    text = DRIVER.recipe(job(recipients=("age1abc",)), facts(), server())
    for name in DUMPED[:3]:
        assert f"cat {name}/vol-* | age -d -i key.txt | zstd -dc" in text
    assert "`age1abc`" in text
    assert shlex.quote("dbname='it\\'s \"; drop\\\\ 50%'") in text


def test_the_recipe_of_a_copy_moves_its_tablespaces_out_of_the_originals_way() -> None:
    spaces = [Tablespace(oid=16400, name="fast", location="/fast", owner="postgres")]
    text = DRIVER.recipe(job("basebackup"), facts(tablespaces=spaces), server())
    assert 'ln -sfn "$DATA.tablespaces/16400" "$DATA/pg_tblspc/16400"' in text
    assert text.index("pg_verifybackup") < text.index('cp "$DATA.map" "$DATA/tablespace_map"')
    assert "/fast" not in text
