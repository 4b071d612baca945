"""Each rule finds its defect in a small world, and nothing in one without it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, cast

import msgspec
import pytest

from dbops.access.audit import judge
from dbops.access.evaluator import evaluator
from dbops.model.access import AccessSnapshot, Scope
from dbops.model.finding import Finding
from dbops.model.server import Server
from dbops.spi import Reader
from dbops_mysql import mariadb, mysql
from dbops_mysql.access.catalogue import Account, Defined, Member, MySQLCatalogue, Proxy, Right
from dbops_mysql.access.inspect import inspect
from dbops_mysql.access.mariadb import MariaDBCatalogue

NOW = datetime(2026, 1, 1, tzinfo=UTC)
BACKENDS = {"mysql": mysql, "mariadb": mariadb}
VERSIONS = {"mysql": (9, 7, 4), "mariadb": (10, 11, 19)}
SYSTEM = ("user", "global_priv", "db", "func")


class NoServer:
    """A Reader of a server without a row."""

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        yield

    def scalar(self, *_: object) -> datetime:
        return NOW.replace(tzinfo=None)

    def tuples(self, *_: object) -> list[tuple[Any, ...]]:
        return []


class World(msgspec.Struct, kw_only=True):
    """What a catalogue would answer."""

    accounts: tuple[Account, ...] = ()
    members: tuple[Member, ...] = ()
    rights: tuple[tuple[str, str, str, tuple[str, ...], tuple[str, ...]], ...] = ()
    databases: tuple[str, ...] = ("mysql", "shop")
    code: tuple[Defined, ...] = ()
    proxies: tuple[Proxy, ...] = ()
    skipped: bool = False


class Told:
    """A catalogue that is told what to answer."""

    world: World
    told: dict[str, str]
    rules: Any

    @property
    def variables(self) -> dict[str, str]:
        return self.told

    def accounts(self) -> list[Account]:
        return [ROOT, *self.world.accounts]

    def members(self, accounts: Iterable[Account]) -> Iterator[Member]:
        return iter(self.world.members)

    def rights(self) -> Iterator[Right]:
        kinds = self.rules(()).kinds
        for user, host, what, path, actions in self.world.rights:
            yield Right(user, host, what, path, kinds[what].bits(actions))

    def proxies(self) -> list[Proxy]:
        return list(self.world.proxies)

    def databases(self) -> list[str]:
        return list(self.world.databases)

    def tables(self) -> Iterator[tuple[str, tuple[str, str]]]:
        yield from (("table", ("mysql", name)) for name in SYSTEM)
        yield "table", ("shop", "orders")
        yield from (("view", (one.path[0], one.path[1])) for one in self.world.code if one.kind == "view")

    def views(self) -> Iterator[Defined]:
        return (one for one in self.world.code if one.kind == "view")

    def routines(self) -> Iterator[Defined]:
        return (one for one in self.world.code if one.kind in ("procedure", "function"))

    def events(self) -> Iterator[Defined]:
        return (one for one in self.world.code if one.kind == "event")

    def triggers(self) -> Iterator[Defined]:
        return (one for one in self.world.code if one.kind == "trigger")


class ToldMySQL(Told, MySQLCatalogue):
    """MySQL's."""


class ToldMariaDB(Told, MariaDBCatalogue):
    """MariaDB's."""


def taken(world: World, engine: str, variables: dict[str, str]) -> AccessSnapshot:
    kind: type[ToldMySQL | ToldMariaDB] = ToldMariaDB if engine == "mariadb" else ToldMySQL
    nobody = "skip-grants user@skip-grants host" if engine == "mysql" else "@"
    server = Server(
        engine=engine,
        version=VERSIONS[engine],
        version_text="x",
        role="primary",
        incarnation="i",
        user=nobody if world.skipped else "root@localhost",
    )

    def catalogue(reader: Reader, server: Server) -> MySQLCatalogue:
        found = kind(reader, server)
        found.world, found.told = world, variables
        return found

    return inspect(cast("Reader", NoServer()), server, Scope(), catalogue)


def found(world: World, engine: str, **variables: str) -> list[Finding]:
    findings, unknown = judge(BACKENDS[engine].access.rules(), evaluator(taken(world, engine, variables), NOW))
    assert not unknown
    return list(findings)


def one(world: World, engine: str, rule: str, **variables: str) -> Finding:
    [only] = [each for each in found(world, engine, **variables) if each.id == f"my.access.{rule}"]
    return only


def user(name: str, host: str = "10.1.2.%", *attributes: str, plugin: str = "ed25519", **more: Any) -> Account:
    words = ("LOGIN", *attributes) if "LOCKED" not in attributes else attributes
    return Account(user=name, host=host, attributes=words, password=plugin, settings=(f"plugin={plugin}",), **more)


def group(engine: str, name: str, **more: Any) -> Account:
    locked = () if engine == "mariadb" else ("LOCKED", "NO PASSWORD")
    return Account(user=name, host="" if engine == "mariadb" else "%", role=True, attributes=locked, **more)


def member(engine: str, who: str, role: str, *, active: bool = True) -> Member:
    return Member(user=who, host="10.1.2.%", role=role, role_host="" if engine == "mariadb" else "%", active=active)


ROOT = user(
    "root", "localhost", actions=("SELECT", "SUPER", "CREATE USER", "FILE", "SHUTDOWN", "PROCESS", "GRANT OPTION")
)
ALICE = user("alice")
pytestmark = pytest.mark.parametrize("engine", ["mysql", "mariadb"])


def test_a_clean_world(engine: str) -> None:
    own = "mariadb.sys" if engine == "mariadb" else "mysql.sys"
    world = World(
        accounts=(
            ALICE,
            user("bob", "db1.example.org"),
            group(engine, "r"),
            user(own, "localhost", "LOCKED", system=True),
        ),
        members=(member(engine, "alice", "r"),),
        rights=(
            ("alice", "10.1.2.%", "database", (r"shop\_%",), ("SELECT",)),
            ("bob", "db1.example.org", "table", ("shop", "orders"), ("SELECT", "INSERT")),
            (own, "localhost", "table", ("mysql", "global_priv"), ("SELECT", "DELETE")),
        ),
        code=(
            Defined(kind="procedure", path=("shop", "p"), definer=("alice", "10.1.2.%")),
            Defined(kind="view", path=("shop", "v"), definer=("gone", "%"), invoker=True, body="select 1"),
            Defined(kind="event", path=("shop", "e"), definer=("root", "localhost")),
        ),
    )
    assert found(world, engine) == []


def test_ids_are_kept_and_each_says_why(engine: str) -> None:
    rules = BACKENDS[engine].access.rules()
    assert [rule.id.removeprefix("my.access.") for rule in rules] == [
        "skip_grants", "anonymous", "empty_password", "old_plugin", "wide_host", "strong_rights", "file", "process",
        "grant_option", "system_schema", "missing_definer", "definer_rights", "unused_role", "test_rows",
        "absent_database", "wide_rows", "shadowed",
    ]  # fmt: skip
    assert all(rule.why and rule.title for rule in rules)
    assert all(bool(rule.benchmarks) <= (engine == "mariadb") for rule in rules)


def test_nobody_is_asked(engine: str) -> None:
    assert one(World(skipped=True), engine, "skip_grants").severity.value == "critical"


@pytest.mark.parametrize(
    ("attributes", "severity", "how"),
    [
        (("NO PASSWORD",), "high", "without a password"),
        ((), "high", "with one password for all"),
        (("LOCKED", "NO PASSWORD"), "low", "once it is unlocked"),
    ],
)
def test_an_account_without_a_name(engine: str, attributes: tuple[str, ...], severity: str, how: str) -> None:
    finding = one(World(accounts=(user("", "h", *attributes),)), engine, "anonymous")
    assert finding.severity.value == severity
    assert how in finding.summary
    assert finding.remedy.sql == "DROP USER IF EXISTS ``@`h`;"


@pytest.mark.parametrize(
    ("more", "severity"), [((), "critical"), (("EXPIRED",), "critical"), (("REQUIRE X509",), "medium")]
)
def test_no_password(engine: str, more: tuple[str, ...], severity: str) -> None:
    finding = one(World(accounts=(user("alice", "h", "NO PASSWORD", *more),)), engine, "empty_password")
    assert finding.severity.value == severity
    assert finding.remedy.sql == "ALTER USER `alice`@`h` ACCOUNT LOCK;"


def test_who_cannot_log_in_needs_no_password(engine: str) -> None:
    assert found(World(accounts=(user("alice", "h", "LOCKED", "NO PASSWORD"),)), engine) == []


@pytest.mark.parametrize(
    ("plugin", "severities"),
    [
        ("mysql_old_password", {"mysql": "high", "mariadb": "high"}),
        ("mysql_native_password", {"mysql": "medium", "mariadb": "low"}),
        ("sha256_password", {"mysql": "low", "mariadb": None}),
        ("caching_sha2_password", {"mysql": None, "mariadb": None}),
        ("unix_socket", {"mysql": None, "mariadb": None}),
    ],
)
def test_old_plugins(engine: str, plugin: str, severities: dict[str, str | None]) -> None:
    findings = found(World(accounts=(user("alice", "h", plugin=plugin),)), engine)
    assert [each.severity.value for each in findings] == [word for word in [severities[engine]] if word]
    better = "IDENTIFIED WITH caching_sha2_password BY" if engine == "mysql" else "IDENTIFIED VIA ed25519 USING"
    assert all(better in each.remedy.sql for each in findings)


@pytest.mark.parametrize(
    ("host", "severity"),
    [
        ("%", "medium"),
        ("%.%", "medium"),
        ("0.0.0.0/0.0.0.0", "medium"),
        ("128.0.0.0/128.0.0.0", "low"),
        ("%.com", "low"),
        ("8.%", "low"),
        ("1%", "low"),
        ("10.%", None),
        ("192.168.1.%", None),
        ("10.0.0.0/255.0.0.0", None),
        ("%.example.org", None),
        ("web-%", None),
        ("localhost", None),
        ("::1", None),
    ],
)
def test_hosts(engine: str, host: str, severity: str | None) -> None:
    findings = found(World(accounts=(user("alice", host),)), engine)
    assert [(each.id, each.severity.value) for each in findings] == (
        [("my.access.wide_host", severity)] if severity else []
    )


def test_a_wide_host_is_worse_with_strong_rights(engine: str) -> None:
    world = World(accounts=(user("alice", "%", actions=("SUPER",)),))
    assert one(world, engine, "wide_host").severity.value == "high"
    assert "SUPER" in one(world, engine, "wide_host").summary


@pytest.mark.parametrize(
    ("action", "severity"),
    [("SUPER", "high"), ("CREATE USER", "high"), ("BINLOG_ADMIN BINLOG ADMIN", "medium"), ("RELOAD", None)],
)
def test_strong_rights(engine: str, action: str, severity: str | None) -> None:
    word = {"mysql": "BINLOG_ADMIN", "mariadb": "BINLOG ADMIN"}[engine] if action.startswith("BINLOG") else action
    dynamic = {word: False} if "_" in word else {}
    account = user("alice", actions=() if dynamic else (word,), dynamic=dynamic)
    findings = [each for each in found(World(accounts=(account,)), engine) if each.id == "my.access.strong_rights"]
    assert [each.severity.value for each in findings] == ([severity] if severity else [])
    assert all(f"{word} ON *.* FROM `alice`@`10.1.2.%`" in each.remedy.sql for each in findings)


@pytest.mark.parametrize("active", [True, False])
def test_strong_rights_by_a_role(engine: str, active: bool) -> None:
    """A role that must be chosen first counts: who was granted it can choose it."""
    world = World(
        accounts=(ALICE, group(engine, "dba", actions=("SUPER",))),
        members=(member(engine, "alice", "dba", active=active),),
    )
    finding = one(world, engine, "strong_rights")
    assert finding.principal == "'alice'@'10.1.2.%'"
    role = "`dba`" if engine == "mariadb" else "`dba`@`%`"
    assert f"{role} FROM `alice`@`10.1.2.%`" in finding.remedy.sql


def test_files_and_processes(engine: str) -> None:
    world = World(accounts=(user("alice", actions=("FILE", "SHUTDOWN", "PROCESS")),))
    assert {(each.id.removeprefix("my.access."), each.severity.value) for each in found(world, engine)} == {
        ("file", "high"),
        ("process", "medium"),
        ("process", "low"),
    }


def test_passing_on(engine: str) -> None:
    rights = (("alice", "10.1.2.%", "table", ("shop", "orders"), ("SELECT", "GRANT OPTION")),)
    finding = one(World(accounts=(ALICE,), rights=rights), engine, "grant_option")
    assert (finding.severity.value, finding.object) == ("low", "table:shop.orders")
    assert "GRANT OPTION ON `shop`.`orders` FROM `alice`@`10.1.2.%`" in finding.remedy.sql
    everywhere = World(accounts=(user("alice", actions=("SELECT", "GRANT OPTION")),))
    assert one(everywhere, engine, "grant_option").severity.value == "medium"


@pytest.mark.parametrize(
    ("kind", "path", "actions", "severity", "what"),
    [
        ("database", ("mysql",), ("SELECT",), "medium", "can read the stored passwords"),
        ("table", ("mysql", "STORED"), ("SELECT",), "medium", "can read the stored passwords"),
        ("table", ("mysql", "db"), ("INSERT",), "critical", "can write the tables"),
        ("table", ("mysql", "func"), ("INSERT",), "critical", "can write the tables"),
        ("database", ("mysql",), ("DELETE",), "critical", "can write the tables"),
        ("table", ("mysql", "db"), ("SELECT",), None, ""),
        # No server lets anybody make a trigger on its own tables.
        ("table", ("mysql", "db"), ("TRIGGER",), None, ""),
    ],
)
def test_the_grant_tables(  # noqa: PLR0917
    engine: str, kind: str, path: tuple[str, ...], actions: tuple[str, ...], severity: str | None, what: str
) -> None:
    stored = {"mysql": "user", "mariadb": "global_priv"}[engine]
    where = tuple(stored if part == "STORED" else part for part in path)
    world = World(accounts=(ALICE,), rights=(("alice", "10.1.2.%", kind, where, actions),))
    findings = found(world, engine)
    assert [(each.id, each.severity.value) for each in findings] == (
        [("my.access.system_schema", severity)] if severity else []
    )
    assert all(what in each.summary and f"{actions[0]} ON `mysql`" in each.remedy.sql for each in findings)


@pytest.mark.parametrize(
    ("kind", "what"),
    [
        ("view", "whoever reads it gets an error"),
        ("trigger", "every change of its table that it is for fails"),
        ("event", "it does not run"),
        ("procedure", "whoever calls it gets an error"),
    ],
)
def test_a_definer_that_is_gone(engine: str, kind: str, what: str) -> None:
    world = World(code=(Defined(kind=kind, path=("shop", "x"), definer=("gone", "h"), body="select 1"),))
    finding = one(world, engine, "missing_definer")
    assert what in finding.summary
    assert finding.object == f"{kind}:shop.x"
    assert finding.remedy.sql.startswith("CREATE USER IF NOT EXISTS `gone`@`h` IDENTIFIED")
    assert finding.remedy.sql.endswith("ACCOUNT LOCK;")


def test_a_definer_whom_another_account_stands_for(engine: str) -> None:
    code = (Defined(kind="event", path=("shop", "x"), definer=("alice", "10.1.2.3")),)
    finding = one(World(accounts=(ALICE,), code=code), engine, "missing_definer")
    assert finding.severity.value == "low"
    assert "with the rights of 'alice'@'10.1.2.%' instead" in finding.summary


def test_a_routine_that_lends_out_rights(engine: str) -> None:
    code = (Defined(kind="procedure", path=("shop", "p"), definer=("root", "localhost")),)
    rights = (("alice", "10.1.2.%", "procedure", ("shop", "p"), ("EXECUTE",)),)
    finding = one(World(accounts=(ALICE,), code=code, rights=rights), engine, "definer_rights")
    assert "'alice'@'10.1.2.%' may call it" in finding.summary
    assert finding.remedy.sql == "ALTER PROCEDURE `shop`.`p` SQL SECURITY INVOKER;"
    assert found(World(accounts=(ALICE,), code=code), engine) == [], "nobody may call it"


def test_roles(engine: str) -> None:
    assert one(World(accounts=(group(engine, "r"),)), engine, "unused_role").severity.value == "low"
    asleep = World(accounts=(ALICE, group(engine, "r")), members=(member(engine, "alice", "r", active=False),))
    assert one(asleep, engine, "unused_role").severity.value == "info"


def test_whoever_made_a_role_is_nobody_who_has_it(engine: str) -> None:
    host = "" if engine == "mariadb" else "%"
    made = Member(user="root", host="localhost", role="r", role_host=host, active=False, admin=True)
    world = World(accounts=(group(engine, "r"),), members=(made,))
    assert "granted to nobody" in one(world, engine, "unused_role").summary


@pytest.mark.parametrize("row", ["test", r"test\_%"])
def test_rows_for_tests(engine: str, row: str) -> None:
    mine = World(accounts=(ALICE,), rights=(("alice", "10.1.2.%", "database", (row,), ("SELECT",)),))
    assert one(mine, engine, "test_rows").severity.value == "low"
    all_ = World(rights=(("", "%", "database", (row,), ("SELECT", "INSERT")),))
    assert one(all_, engine, "test_rows").severity.value == "medium"
    assert f"SELECT, INSERT ON `{row}`.* FROM ``@`%`" in one(all_, engine, "test_rows").remedy.sql


def test_rows_for_what_is_not_there(engine: str) -> None:
    rights = (
        ("alice", "10.1.2.%", "database", ("old",), ("SELECT",)),
        ("alice", "10.1.2.%", "table", ("old", "t"), ("UPDATE",)),
    )
    finding = one(World(accounts=(ALICE,), rights=rights), engine, "absent_database")
    assert finding.object == "database:old"
    assert "SELECT ON `old`.* FROM" in finding.remedy.sql
    assert "UPDATE ON `old`.`t` FROM" in finding.remedy.sql


@pytest.mark.parametrize(
    ("row", "there", "severity"),
    [
        ("a_b", ("a_b",), "low"),
        ("a_b", ("a_b", "axb"), "medium"),
        ("a_b", (), "low"),
        (r"a\_b", ("a_b", "axb"), None),
        ("app%", ("apple", "appx"), None),
        ("performance_schema", ("performance_schema",), None),
        ("performance_schema", ("performance_schema", "performanceXschema"), "medium"),
        ("%", (), "medium"),
        ("my%", (), "medium"),
    ],
)
def test_rows_that_reach_further(engine: str, row: str, there: tuple[str, ...], severity: str | None) -> None:
    world = World(
        accounts=(ALICE,),
        rights=(("alice", "10.1.2.%", "database", (row,), ("INDEX",)),),
        databases=("mysql", "shop", *there),
    )
    findings = [each for each in found(world, engine) if each.id == "my.access.wide_rows"]
    assert [each.severity.value for each in findings] == ([severity] if severity else [])


def test_a_row_that_reaches_further_is_written_as_it_was_meant(engine: str) -> None:
    rights = (("alice", "10.1.2.%", "database", ("a_b",), ("SELECT",)),)
    finding = one(World(accounts=(ALICE,), rights=rights, databases=("a_b",)), engine, "wide_rows")
    first, second = finding.remedy.sql.splitlines()
    assert first == r"GRANT SELECT ON `a\_b`.* TO `alice`@`10.1.2.%`;"
    assert "SELECT ON `a_b`.* FROM `alice`@`10.1.2.%`" in second


def test_where_wildcards_are_letters_no_row_reaches_further(engine: str) -> None:
    """With MySQL's partial_revokes; MariaDB has nothing of the kind."""
    rights = (("alice", "10.1.2.%", "database", ("a_b",), ("SELECT",)),)
    world = World(accounts=(ALICE,), rights=rights, databases=("a_b", "axb"))
    assert len(found(world, engine, partial_revokes="ON")) == (1 if engine == "mariadb" else 0)


def test_somebody_without_a_name_comes_first(engine: str) -> None:
    world = World(accounts=(user("", "10.1.2.3", "LOCKED"), ALICE))
    finding = one(world, engine, "shadowed")
    assert finding.principal == "''@'10.1.2.3'"
    assert "as 'alice'@'10.1.2.%' is taken for ''@'10.1.2.3'" in finding.summary


def test_an_account_that_nobody_ever_gets(engine: str) -> None:
    world = World(accounts=(user("", "h%", "LOCKED"), user("alice", "%%"), user("alice", "%")))
    shadowed = [each for each in found(world, engine) if each.id == "my.access.shadowed"]
    assert [each.severity.value for each in shadowed if "nobody can ever log in" in each.summary] == ["low"]
