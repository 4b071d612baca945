"""Dumps of MySQL and MariaDB: what keeps them from being made, how they are made and recorded, how they come back."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, cast

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbops.backup.fingerprints import Comparison
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
    LogRange,
    Until,
    Verdict,
)
from dbops.model.finding import Missing
from dbops.model.server import Server, Tool
from dbops.plan import Call, FromServer, Hold, Json, Sql, Step, ToCommand, Together, Transfer, walk
from dbops.spi import Backend, Host, Reader
from dbops_mysql import mariadb, mysql
from dbops_mysql.backup.artifacts import ACCOUNTS, contents, dump_of, fingerprints_of, key, views_of
from dbops_mysql.backup.facts import About, Database
from dbops_mysql.backup.logical import shared
from dbops_mysql.backup.options import command
from dbops_mysql.backup.rights import global_rights, lacking
from dbops_mysql.installation import Family

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
BACKENDS: Mapping[Family, Backend] = {"mysql": mysql, "mariadb": mariadb}
VERSIONS: Mapping[Family, tuple[int, ...]] = {"mysql": (9, 7, 4), "mariadb": (10, 11, 19)}
HOSTILE = "it's `; drop\\ 50%_"
RIGHTS = ("EVENT", "SELECT", "SHOW VIEW", "TRIGGER")


def server(family: Family) -> Server:
    version = VERSIONS[family]
    text = ".".join(map(str, version))
    return Server(engine=family, version=version, version_text=text, role="primary", incarnation="i", user="bk@%")


def database(name: str, **more: Any) -> Database:  # Any: whatever Database takes
    return Database(name=name, charset="utf8mb4", collation="utf8mb4_bin", **more)


def facts(family: Family, *databases: Database, tool: Tool | Missing | None = None, **about: Any) -> BackupFacts:
    # Any: whatever About takes
    known = {"family": family, "series": VERSIONS[family][:2], "rights": RIGHTS, "binlog": True, **about}
    every = databases or (database("shop", tables=2), database(HOSTILE, tables=1, views=1))
    program = tool or Tool(name="dump", path="/bin/dump", version=VERSIONS[family])
    return BackupFacts(
        databases=tuple(
            DatabaseFacts(name=one.name, bytes=1000 * (at + 1), extra=msgspec.to_builtins(one))
            for at, one in enumerate(every)
        ),
        total_bytes=2000,
        log_bytes_per_s=0.0,
        settings={"server_uuid": "u-1", "binlog_format": "ROW", "secret": Missing("no_permission")},
        tools={"dump": program},
        extra={"about": cast(Json, msgspec.to_builtins(About(**known)))},
    )


def job(**more: Any) -> BackupJob:  # Any: whatever BackupJob takes
    given = {"id": "b-1", "target": "shop", "repository": "main", "method": "dump", "started_at": NOW, **more}
    return BackupJob(**given)


def way(family: Family) -> Any:  # Any: a Way
    return next(one for one in cast(Any, BACKENDS[family].backup).ways if one.method.name == "dump")


def blocked(family: Family, found: BackupFacts) -> list[str]:
    about = msgspec.convert(found.extra["about"], type=About)
    return [one.reason for one in way(family).blockers(found, about, server(family))]


def said(family: Family, found: BackupFacts) -> str:
    about = msgspec.convert(found.extra["about"], type=About)
    return "\n".join(way(family).remarks(found, about, server(family)))


def steps(family: Family, found: BackupFacts | None = None, **more: Any) -> dict[str, Any]:  # Any: steps of any kind
    made = BACKENDS[family].backup.compile_backup(job(**more), found or facts(family), server(family))
    return {step.id: step for step in walk(made)}


# What keeps it from being made, and what is to be known


def test_nothing_does_with_the_rights_that_are_described() -> None:
    assert blocked("mysql", facts("mysql")) == []
    assert blocked("mariadb", facts("mariadb", rights=("ALL PRIVILEGES",))) == []


def test_without_a_right_something_would_be_left_out_in_silence() -> None:
    (reason,) = blocked("mariadb", facts("mariadb", rights=("SELECT", "EVENT")))
    assert reason == "bk@% lacks SHOW VIEW, TRIGGER on *.*: run what `dbops grants mariadb --for backup` prints"
    (reason,) = blocked("mysql", facts("mysql", database("shop", routines=3, hidden=2)))
    assert reason == "bk@% may not read stored routines of shop: GRANT SHOW_ROUTINE ON *.*"


def test_a_missing_program_and_a_name_that_no_dump_can_say() -> None:
    gone = Missing("tool_missing", "mysqldump was not found")
    assert blocked("mysql", facts("mysql", tool=cast(Any, gone))) == ["mysqldump was not found"]
    with pytest.raises(ToolFailed, match="mysqldump was not found"):
        steps("mysql", facts("mysql", tool=cast(Any, gone)))
    assert "holds a line break: 'a\\nb'" in blocked("mysql", facts("mysql", database("a\nb")))[0]


def test_a_plan_says_what_is_locked_and_what_no_snapshot_holds() -> None:
    plain = said("mysql", facts("mysql", retention_s=2_592_000))
    assert "All tables are locked for a moment" in plain
    assert "keeps its binary logs for 30d" in plain
    odd = said("mysql", facts("mysql", database("a", loose=tuple("tuvwxyz")), longest_s=340))
    assert "A statement has been running for 5m40s" in odd
    assert "7 tables have no transactions, so a dump holds them as they are read: a.t, a.u" in odd
    assert "a.x … and 2 more" in odd


@given(st.dictionaries(st.text(min_size=1, max_size=5), st.integers(0, 10**12), min_size=1), st.integers(1, 6))
def test_the_shares_hold_each_database_once_and_none_is_much_larger(sizes: dict[str, int], parallel: int) -> None:
    known = BackupFacts(
        databases=tuple(DatabaseFacts(name=name, bytes=size) for name, size in sizes.items()),
        total_bytes=0,
        log_bytes_per_s=0.0,
    )
    found = shared([database(name) for name in sizes], known, parallel)
    assert sorted(name for share in found for name in share) == sorted(sizes)
    assert len(found) == min(parallel, len(sizes))
    weights = [sum(sizes[name] + 1 for name in share) for share in found]
    assert max(weights) - min(weights) <= max(sizes.values()) + 1


@pytest.mark.parametrize(
    ("lines", "wanted", "missing"),
    [
        (["GRANT SELECT, `r`@`%` ON *.* TO `a`@`%`"], [("SELECT",), ("EVENT",)], ("EVENT",)),
        (["GRANT ALL PRIVILEGES ON *.* TO `a`@`%` WITH GRANT OPTION"], [("SELECT",), ("EVENT",)], ()),
        (["GRANT RELOAD ON *.* TO `a`", "GRANT FLUSH_TABLES ON *.* TO `a`"], [("X", "FLUSH_TABLES")], ()),
        (["GRANT SELECT ON `db`.* TO `a`@`%`"], [("SELECT", "SHOW DATABASES")], ("SELECT",)),
    ],
)
def test_rights_are_those_on_everything(lines: list[str], wanted: list[Any], missing: tuple[str, ...]) -> None:
    assert lacking(global_rights(lines), wanted) == missing


# How it is made


@pytest.mark.parametrize("family", ["mysql", "mariadb"])
def test_all_databases_begin_at_one_moment_in_as_many_streams_as_may_run(family: Family) -> None:
    plan = steps(family, parallel=2)
    hold = plan["moment"]
    assert isinstance(hold, Hold)
    assert json.loads(str(hold.opening.arguments["shares"])) == [[HOSTILE], ["shop"]]
    assert plan["dumps"].limit == 2
    assert isinstance(plan["dumps"], Together)
    share = plan["share-1"]
    assert [step.id for step in share.steps] == ["dump-1", "fingerprints-1"]
    for step in share.steps:
        assert isinstance(step, Transfer)
        assert step.source.arguments["moment"].step == "moment"  # type: ignore[union-attr]  # FromServer, with a Ref
    assert "fingerprints-0" not in steps(family, fingerprints=False)
    assert list(steps(family, parallel=1, databases=("shop",)))[:3] == ["moment", "accounts", "dumps"]


@pytest.mark.parametrize(
    ("family", "more", "program", "history"),
    [
        ("mariadb", {"versioned": 1}, (10, 11, 2), True),
        ("mariadb", {"versioned": 1}, (10, 6, 18), False),
        ("mariadb", {"versioned": 2, "precise": 1}, (10, 11, 2), False),
        ("mariadb", {}, (10, 11, 2), False),
        ("mysql", {}, (9, 7, 4), False),
    ],
)
def test_the_history_of_versioned_tables_comes_along_where_it_can(
    family: Family, more: dict[str, int], program: tuple[int, ...], history: bool
) -> None:
    tool = Tool(name="dump", path="/bin/dump", version=program)
    found = facts(family, database("shop", tables=2, **more), tool=tool)
    assert steps(family, found)["moment"].opening.arguments["history"] is history
    made = BACKENDS[family].backup.read_made(job(), found, server(family), {})
    assert contents(record(family, made.extra)).history is history
    told = any("history of versioned tables is not in this dump" in note for note in made.notes)
    assert told == (bool(more) and not history)


def test_a_program_is_told_everything_and_reads_no_option_file_of_anybody() -> None:
    words = command("mysql", "/bin/mysqldump", ["-x", "b"], 7, history=False)
    assert words[:2] == ["/bin/mysqldump", "--defaults-file=/dev/fd/7"]
    assert words[-4:] == ["--databases", "--", "-x", "b"]
    for wanted in ("--single-transaction", "--routines", "--events", "--triggers", "--hex-blob", "--no-tablespaces"):
        assert wanted in words
    assert {"--set-gtid-purged=OFF", "--column-statistics=0"} <= set(words)
    other = command("mariadb", "/bin/mariadb-dump", ["b"], 7, history=True)
    assert "--dump-history" in other
    assert not {"--set-gtid-purged=OFF", "--column-statistics=0"} & set(other)


# What is recorded

MOMENT = {
    "how": "locked", "taken_at": "2026-01-02T03:04:06.000007+00:00", "notes": '["tables were altered"]',
    "position": '{"file":"binlog.000003","offset":157,"gtids":"u-1:1-7"}',
}  # fmt: skip


def record(family: Family, extra: Mapping[str, Json], *names: str) -> BackupRecord:
    return BackupRecord(
        id="b-1", target="shop", incarnation="i", engine=family, server_version=server(family).version_text,
        method="dump", kind="logical", custody=Custody.REPOSITORY, location="main", started_at=NOW, finished_at=NOW,
        bytes=5, stored_bytes=5, source_bytes=3000, databases=("shop", HOSTILE), extra=dict(extra),
        artifacts=tuple(Artifact(name=name, bytes=5, stored_bytes=5, sha256="ab") for name in names),
    )  # fmt: skip


def made(
    family: Family = "mysql",
    moment: Mapping[str, str] = MOMENT,
    outputs: Mapping[str, Mapping[str, object]] | None = None,
) -> Any:  # Any: Made
    given = {"moment": moment, **(outputs or {})}
    return BACKENDS[family].backup.read_made(job(), facts(family), server(family), given)


def test_the_moment_and_where_the_log_stood_then() -> None:
    one = made()
    assert one.consistent_at == datetime(2026, 1, 2, 3, 4, 6, 7, tzinfo=UTC)
    assert one.log == LogRange(unit="gtid", start="u-1:1-7", end="u-1:1-7")
    assert one.tools == {"mysqldump": "9.7.4"}
    assert one.notes == ("tables were altered",)
    known = contents(record("mysql", one.extra))
    assert known.settings == {"server_uuid": "u-1", "binlog_format": "ROW"}
    assert (known.position.file, known.position.offset) == ("binlog.000003", 157) if known.position else False
    plain = made(moment={**MOMENT, "position": '{"file":"binlog.000003","offset":157}'})
    assert plain.log == LogRange(unit="binlog", start="binlog.000003:157", end="binlog.000003:157")
    assert made(moment={**MOMENT, "position": ""}).log is None
    assert made(moment={}).consistent_at == NOW


def test_what_streams_and_accounts_said_of_themselves() -> None:
    one = made(
        outputs={
            "dump-0": {"largest": 1000, "warnings": "mysqldump: odd"},
            "dump-1": {"largest": 70_000_000, "warnings": ""},
            "accounts": {"notes": '["no accounts are in this backup"]'},
        }
    )
    assert contents(record("mysql", one.extra)).largest_statement == 70_000_000
    assert "no accounts are in this backup" in one.notes
    assert "the dump program said: mysqldump: odd" in one.notes


def test_what_was_there_at_the_moment_counts() -> None:
    then = msgspec.json.encode([database("shop", tables=3, loose=("m",), floats=1)]).decode()
    one = made(moment={**MOMENT, "databases": then})
    known = contents(record("mysql", one.extra))
    assert {each.name: each.tables for each in known.databases} == {"shop": 3, HOSTILE: 1}
    assert "not of the same moment as the rest, since their engine has no transactions: shop.m" in one.notes
    assert any("FLOAT come back rounded to six digits" in note and "shop" in note for note in one.notes)


def test_a_word_for_a_database_is_a_file_name_and_like_no_other() -> None:
    assert key("Shop") != key("shop")
    assert dump_of("shop") == "dump-shop-a3e58dad.sql" or dump_of("shop").startswith("dump-shop-")
    assert key("漢字").isalnum()


@given(st.text(min_size=1, max_size=64))
def test_any_name_becomes_a_word(name: str) -> None:
    assert set(key(name)) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")
    assert len(key(name)) <= 33


# How it comes back

WHOLE = (
    ACCOUNTS, dump_of("shop"), fingerprints_of("shop"), dump_of(HOSTILE), views_of(HOSTILE), fingerprints_of(HOSTILE),
)  # fmt: skip


def chain(family: Family = "mysql", *names: str) -> Chain:
    return Chain(repository="main", records=(record(family, made(family).extra, *(names or WHOLE)),))


def test_a_dump_goes_into_a_new_database_under_any_name() -> None:
    driver = mysql.backup
    with pytest.raises(UsageError, match="it restores into a new database of a running server") as failed:
        driver.compile_restore(chain(), Destination(kind="directory", path="/x"), Until(), server("mysql"))
    assert "mysql://host/new_database" in failed.value.hint
    with pytest.raises(UsageError, match="holds several databases"):
        driver.compile_restore(chain(), Destination(kind="database", database="new"), Until(), server("mysql"))
    with pytest.raises(UsageError, match="holds no database 'hr'"):
        driver.compile_restore(chain(), Destination(kind="database", only=("hr",)), Until(), server("mysql"))
    place = Destination(kind="database", database="shop")
    with pytest.raises(InputError, match="and no other"):
        driver.compile_restore(chain(), place, Until(kind="time", time=NOW), server("mysql"))
    place = Destination(kind="database", database="new", only=(HOSTILE,))
    hold, load, read, make, look = walk(driver.compile_restore(chain(), place, Until(), server("mysql")))
    assert isinstance(hold, Hold)
    assert hold.opening.arguments["create"] == "CREATE DATABASE `new` CHARACTER SET 'utf8mb4' COLLATE 'utf8mb4_bin'"
    assert isinstance(load, Transfer)
    assert isinstance(load.sink, ToCommand)
    assert load.sink.argv[-1] == "--database=new"
    assert {"--binary-mode", "--comments", "--skip-reconnect"} <= set(load.sink.argv)
    assert [read.id, make.id, look.id] == [f"restore-views-{key(HOSTILE)}", "restore-views-make", "restore-finish"]


def test_a_proof_loads_all_tables_before_any_view_and_accounts_last() -> None:
    made_of = mysql.backup.compile_verify(chain(), Destination(kind="scratch"), server("mysql"), "full")
    plan = list(walk(made_of))
    ids = [step.id for step in plan]
    assert ids[:2] == ["area", "restore-start"]
    word = key(HOSTILE)
    order = [f"restore-{key('shop')}", f"restore-{word}", f"restore-views-{word}", "check-accounts", "check-tables"]
    assert [ids.index(one) for one in order] == sorted(ids.index(one) for one in order)
    create = next(step for step in plan if step.id == f"restore-create-{word}")
    assert isinstance(create, Sql)
    assert create.text.startswith("CREATE DATABASE `it's ``; drop\\ 50%_` CHARACTER SET")
    assert {f"check-fingerprints-{key('shop')}", f"check-fingerprints-{word}"} <= set(ids)
    weaker = mysql.backup.compile_verify(chain(), Destination(kind="scratch"), server("mysql"), "restore")
    assert not [step for step in walk(weaker) if "fingerprints" in step.id]
    checked = next(step for step in walk(weaker) if step.id == "check-tables")
    assert isinstance(checked, Call)
    assert checked.arguments["extended"] is False


def test_a_manifest_that_nobody_here_wrote() -> None:
    odd = Chain(repository="main", records=(record("mysql", {"about": 1}, *WHOLE),))
    with pytest.raises(InputError, match="does not say what a restore needs to know"):
        mysql.backup.compile_restore(odd, Destination(kind="database", database="x"), Until(), server("mysql"))
    lost = chain("mysql", ACCOUNTS)
    place = Destination(kind="database", database="shop")
    with pytest.raises(InputError, match="does not hold dump-shop"):
        mysql.backup.compile_restore(lost, place, Until(), server("mysql"))
    two = Chain(repository="main", records=(*chain().records, *chain().records))
    with pytest.raises(InputError, match="a chain of 2 backups"):
        mysql.backup.compile_restore(two, Destination(kind="database", database="x"), Until(), server("mysql"))
    foreign = msgspec.structs.replace(chain().records[0], method="magic")
    alone = Chain(repository="main", records=(foreign,))
    with pytest.raises(UsageError, match="no method of backup called 'magic'") as failed:
        mysql.backup.compile_restore(alone, Destination(kind="database", database="x"), Until(), server("mysql"))
    assert failed.value.hint == "There is: physical, dump."


def test_the_evidence_is_what_the_steps_said() -> None:
    found = Comparison(compared=3, equal=2, different=("t: rows differ",), skipped={"without_transactions": 1})
    outputs = {
        "restore-start": {"client": "x"},
        "check-tables": {"checks": '[{"id": "tables", "verdict": "verified", "summary": "good"}]'},
        "check-fingerprints-shop": {"comparison": msgspec.json.encode(found).decode()},
    }
    evidence = mysql.backup.read_evidence(chain(), "full", outputs)
    assert [(one.id, one.verdict) for one in evidence.checks] == [
        ("tables", Verdict.VERIFIED),
        ("fingerprints-shop", Verdict.FAILED),
    ]
    assert evidence.checks[1].summary == "2 of 3 objects are equal; left out: 1 without transactions"
    assert evidence.fingerprints == Fingerprints(compared=3, equal=2, different=("t: rows differ",))
    assert evidence.recovered_to == NOW
    nothing = mysql.backup.read_evidence(chain(), "full", {})
    assert nothing.recovered_to == Missing("not_restored", "the server did not start")


@pytest.mark.parametrize("family", ["mysql", "mariadb"])
def test_the_recipe_names_every_file_and_the_key(family: Family) -> None:
    text = BACKENDS[family].backup.recipe(job(recipients=("age1abc",)), facts(family), server(family))
    for name in (dump_of("shop"), dump_of(HOSTILE), views_of(HOSTILE), ACCOUNTS):
        assert f"cat {name}/vol-* | age -d -i key.txt | zstd -dc" in text
    assert views_of("shop") not in text
    assert f"load --database={shlex.quote(HOSTILE)}" in text
    assert "CREATE DATABASE `it's ``; drop\\ 50%_`" in text
    assert text.index(dump_of(HOSTILE)) < text.index(views_of(HOSTILE)) < text.index(ACCOUNTS)
    assert ("age" in BACKENDS[family].backup.recipe(job(), facts(family), server(family))) is False


def test_a_step_of_a_stream_from_the_server() -> None:
    found: Step = steps("mysql")["accounts"]
    assert isinstance(found, Transfer)
    assert found.source == FromServer(stream="accounts", arguments={"family": "mysql"})


@pytest.mark.parametrize(("family", "nobody"), [("mysql", "skip-grants user@skip-grants host"), ("mariadb", "@")])
def test_a_server_that_asks_nobody_is_told_before_any_question(family: Family, nobody: str) -> None:
    """Its own answer to SHOW GRANTS names an option and no way on."""
    found = msgspec.structs.replace(server(family), user=nobody)
    reader, host = cast(Reader, None), cast(Host, None)
    with pytest.raises(UsageError, match="the server was started with skip-grant-tables") as caught:
        BACKENDS[family].backup.inspect(reader, found, host)
    assert caught.value.hint == "Take the option out of its configuration and restart it; nothing is done until then."
