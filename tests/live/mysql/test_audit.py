"""The audit of a server with every bad habit, and of one without."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from dbops.access.audit import judge, worst
from dbops.access.evaluator import evaluator
from dbops.config import Config, Target, Waiver
from dbops.model.audit import AuditReport
from dbops.model.finding import Finding, Severity
from dbops.operations import access
from dbops.operations.workspace import Workspace
from dbops.state import State
from dbops.testing.lend import Private, lent
from dbops.testing.mysql import Series
from dbops.testing.servers import Installation, ThrowawayServer
from dbops_mysql import mariadb, mysql
from dbops_mysql.throwaway import MySQLServer

HABITS = r"""
CREATE DATABASE shop; CREATE DATABASE a_b; CREATE DATABASE axb; CREATE DATABASE old; CREATE DATABASE test;
CREATE TABLE shop.orders (id int PRIMARY KEY, total int); CREATE TABLE old.t (i int);
CREATE USER ''@'10.9.%';
GRANT SELECT ON shop.* TO ''@'10.9.%';
CREATE USER careless@localhost; CREATE USER certified@localhost REQUIRE X509;
CREATE USER gate@'%' IDENTIFIED BY 'x'; CREATE USER half@'%.com' IDENTIFIED BY 'x';
CREATE USER app@'%' IDENTIFIED BY 'x'; GRANT ALL ON *.* TO app@'%' WITH GRANT OPTION;
CREATE USER loader@localhost IDENTIFIED BY 'x'; GRANT FILE, SHUTDOWN, PROCESS ON *.* TO loader@localhost;
CREATE USER boss@'10.%' IDENTIFIED BY 'x'; CREATE ROLE keys_of_all; GRANT CREATE USER ON *.* TO keys_of_all;
GRANT keys_of_all TO boss@'10.%';
CREATE USER passer@localhost IDENTIFIED BY 'x'; GRANT SELECT ON shop.orders TO passer@localhost WITH GRANT OPTION;
CREATE USER reader@localhost IDENTIFIED BY 'x'; GRANT SELECT ON mysql.* TO reader@localhost;
CREATE USER writer@localhost IDENTIFIED BY 'x'; GRANT UPDATE ON mysql.db TO writer@localhost;
CREATE DEFINER = gone@'%' VIEW shop.lost AS SELECT id FROM shop.orders;
CREATE DEFINER = gone@'%' TRIGGER shop.checked BEFORE INSERT ON shop.orders FOR EACH ROW SET NEW.total = 1;
CREATE DEFINER = gone@'%' EVENT shop.nightly ON SCHEDULE EVERY 1 DAY DO SET @x = 1;
CREATE DEFINER = gone@'%' SQL SECURITY INVOKER VIEW shop.asked AS SELECT id FROM shop.orders;
CREATE DEFINER = root@localhost PROCEDURE shop.tidy() DELETE FROM shop.orders;
GRANT EXECUTE ON PROCEDURE shop.tidy TO passer@localhost;
CREATE ROLE nobodys; CREATE ROLE sleeping; GRANT sleeping TO reader@localhost;
GRANT ALL ON test.* TO ''@'10.9.%'; GRANT SELECT, INSERT ON `test\_%`.* TO reader@localhost;
GRANT SELECT ON old.* TO reader@localhost; GRANT UPDATE ON old.t TO reader@localhost; DROP DATABASE old;
GRANT SELECT ON a_b.* TO reader@localhost; GRANT SELECT ON `%`.* TO passer@localhost;
CREATE USER near@'10.9.0.1' IDENTIFIED BY 'x'; CREATE USER far@'%' IDENTIFIED BY 'x';
CREATE USER ''@twin; CREATE USER twice@'tw%' IDENTIFIED BY 'x';
"""
OWN = {
    "mysql": "CREATE USER aged@localhost IDENTIFIED WITH sha256_password BY 'x'",
    "mariadb": "CREATE USER aged@localhost IDENTIFIED VIA mysql_old_password USING '5d2e19393cc5ef67'",
}
PLUGIN = {"mysql": ("aged", "sha256_password", "low"), "mariadb": ("aged", "mysql_old_password", "high")}


@pytest.fixture(scope="module")
def seeded(mysql_series: Series, mysql_installation: Installation) -> Iterator[ThrowawayServer]:
    with lent(mysql_series.family, mysql_installation) as server:
        server.sql(HABITS)
        server.sql(OWN[mysql_series.family])
        yield server


def workspace(place: Path, server: ThrowawayServer, waivers: tuple[Waiver, ...] = ()) -> Workspace:
    target = Target(name="shop", endpoint=server.endpoint(), waivers=waivers)
    return Workspace(Config(targets={"shop": target}), state=State(place / "state", clock=lambda: datetime.now(UTC)))


@pytest.fixture(scope="module")
def report(seeded: ThrowawayServer, tmp_path_factory: pytest.TempPathFactory) -> AuditReport:
    return access.audit(workspace(tmp_path_factory.mktemp("audit"), seeded), "shop")


def seen(report: AuditReport, rule: str) -> set[tuple[str, str, str]]:
    return {(one.principal, one.object, one.severity.value) for one in report.findings if one.id == f"my.access.{rule}"}


EXPECTED = {
    "anonymous": {("''@'10.9.%'", "", "high"), ("''@'twin'", "", "high")},
    "empty_password": {("'careless'@'localhost'", "", "critical"), ("'certified'@'localhost'", "", "medium")},
    "wide_host": {
        ("'app'@'%'", "", "high"),
        ("'far'@'%'", "", "medium"),
        ("'gate'@'%'", "", "medium"),
        ("'half'@'%.com'", "", "low"),
    },
    "strong_rights": {("'app'@'%'", "", "high"), ("'boss'@'10.%'", "", "high")},
    "file": {("'app'@'%'", "", "high"), ("'loader'@'localhost'", "", "high")},
    "process": {(who, "", severity) for who in ("'app'@'%'", "'loader'@'localhost'") for severity in ("medium", "low")},
    "grant_option": {("'app'@'%'", "server", "medium"), ("'passer'@'localhost'", "table:shop.orders", "low")},
    "system_schema": {
        ("'writer'@'localhost'", "database:mysql", "critical"),
        ("'app'@'%'", "database:mysql", "high"),
        ("'reader'@'localhost'", "database:mysql", "medium"),
        ("'passer'@'localhost'", "database:mysql", "medium"),
    },
    "missing_definer": {
        ("'gone'@'%'", name, "medium") for name in ("view:shop.lost", "trigger:shop.checked", "event:shop.nightly")
    },
    "definer_rights": {("'root'@'localhost'", "procedure:shop.tidy", "medium")},
    "test_rows": {
        ("''@'10.9.%'", "database:test", "medium"),
        ("'reader'@'localhost'", r"pattern:`test\_%`", "low"),
    },
    "absent_database": {("'reader'@'localhost'", "database:old", "low")},
    "wide_rows": {
        ("'passer'@'localhost'", "pattern:`%`", "medium"),
        ("'reader'@'localhost'", "pattern:a_b", "medium"),
    },
    "shadowed": {("''@'10.9.%'", "", "medium"), ("''@'twin'", "", "medium")},
}


@pytest.mark.parametrize("rule", EXPECTED)
def test_a_bad_habit_is_found(report: AuditReport, rule: str) -> None:
    assert seen(report, rule) == EXPECTED[rule]


def test_roles_and_old_plugins_are_found(report: AuditReport, mysql_series: Series) -> None:
    at = "" if mysql_series.family == "mariadb" else "@'%'"
    roles = {f"'{name}'{at}" if at else name for name in ("nobodys", "sleeping", "keys_of_all")}
    found = seen(report, "unused_role")
    assert {who for who, _, _ in found} == roles
    assert [severity for who, _, severity in found if "nobodys" in who] == ["low"]
    who, plugin, severity = PLUGIN[mysql_series.family]
    [old] = [one for one in report.findings if one.id == "my.access.old_plugin" and who in one.principal]
    assert plugin in old.summary
    assert old.severity.value == severity
    assert not report.unknown


def test_what_is_found_says_what_will_happen(report: AuditReport) -> None:
    def about(rule: str, name: str) -> str:
        [one] = [
            one for one in report.findings if one.id == f"my.access.{rule}" and name in (one.principal, one.object)
        ]
        return one.summary

    assert "every change of its table that it is for fails" in about("missing_definer", "trigger:shop.checked")
    assert "only the server's log says so" in about("missing_definer", "event:shop.nightly")
    assert "it means axb as well; now it reaches axb, too" in about("wide_rows", "pattern:a_b")
    assert "its rights on shop, test count for everybody else from there" in about("anonymous", "''@'10.9.%'")
    assert "'twice'@'tw%'" in about("shadowed", "''@'twin'")
    assert "'passer'@'localhost' may call it" in about("definer_rights", "procedure:shop.tidy")


def test_fingerprints_stay(seeded: ThrowawayServer, report: AuditReport, tmp_path: Path) -> None:
    again = access.audit(workspace(tmp_path, seeded), "shop")
    assert [one.fingerprint for one in again.findings] == [one.fingerprint for one in report.findings]
    assert len({one.fingerprint for one in report.findings}) == len(report.findings)


def test_a_snapshot_from_a_file_is_judged_the_same(
    seeded: ThrowawayServer, report: AuditReport, tmp_path: Path, mysql_series: Series
) -> None:
    ws = workspace(tmp_path, seeded)
    saved = tmp_path / "snapshot.json"
    saved.write_bytes(msgspec.json.encode(access.snapshot(ws, "shop")))
    backend = mariadb if mysql_series.family == "mariadb" else mysql
    findings, _ = judge(backend.access.rules(), evaluator(access.load_snapshot(saved), ws.now()))
    assert findings == report.findings


def test_waivers(seeded: ThrowawayServer, report: AuditReport, tmp_path: Path) -> None:
    one = next(one for one in report.findings if one.id == "my.access.file")
    waivers = (
        Waiver(id="my.access.file", fingerprint=one.fingerprint, reason="loads files"),
        Waiver(id="my.access.old_*", reason="until the clients are new"),
    )
    found = access.audit(workspace(tmp_path, seeded, waivers), "shop").findings
    waived = {each.fingerprint for each in found if each.waived}
    old = {each.fingerprint for each in found if each.id == "my.access.old_plugin"}
    assert waived == {one.fingerprint, *old}


def executable(one: Finding) -> bool:
    """A definer's account is not what it takes here, and a password is not known."""
    return bool(one.remedy.sql) and "…" not in one.remedy.sql and "missing_definer" not in one.id


def test_the_remedies_are_sql_that_removes_the_findings(private_mysql: Private, tmp_path: Path) -> None:
    """One of each principal's at a time: whoever is renamed or dropped is not there for the next one."""
    server = private_mysql()
    server.sql(HABITS)
    left = list(access.audit(workspace(tmp_path, server), "shop").findings)
    for _ in range(12):
        for one in {one.principal: one for one in left if executable(one)}.values():
            server.sql(one.remedy.sql)
        left = list(access.audit(workspace(tmp_path, server), "shop").findings)
    assert [(one.id, one.principal) for one in left if executable(one)] == []


def test_a_hardened_server(private_mysql: Private, tmp_path: Path, mysql_series: Series) -> None:
    server = private_mysql()
    name = "r_read" if mysql_series.family == "mariadb" else "r_read@'%'"
    to = "FOR" if mysql_series.family == "mariadb" else "TO"
    server.sql(
        "CREATE DATABASE app_data; CREATE TABLE app_data.t (i int); CREATE ROLE r_read;"
        rf"GRANT SELECT ON `app\_data`.* TO {name}; CREATE USER alice@'10.1.2.%' IDENTIFIED BY 'x';"
        f"GRANT {name} TO alice@'10.1.2.%'; SET DEFAULT ROLE {name} {to} alice@'10.1.2.%';"
        "CREATE DEFINER = alice@'10.1.2.%' SQL SECURITY INVOKER VIEW app_data.v AS SELECT i FROM app_data.t"
    )
    found = access.audit(workspace(tmp_path, server), "shop").findings
    assert {one.id for one in found} <= {"my.access.old_plugin"}
    assert worst(found) in (None, Severity.LOW)
    server.login("auditor")
    backend = mariadb if mysql_series.family == "mariadb" else mysql
    server.sql(backend.grants(["audit"], "'auditor'@'localhost'", server.version))
    target = Target(name="shop", endpoint=server.endpoint("auditor"))
    by_login = access.audit(
        Workspace(Config(targets={"shop": target}), state=workspace(tmp_path, server).state), "shop"
    )
    others = [one for one in by_login.findings if "auditor" not in one.principal]
    assert [one.fingerprint for one in others] == [one.fingerprint for one in found], "the login sees as much as root"
    about_itself = {one.id for one in by_login.findings if "auditor" in one.principal}
    assert about_itself <= {"my.access.system_schema", "my.access.old_plugin"}
    assert worst(by_login.findings) is Severity.MEDIUM, "it reads the stored passwords, and that is said"


def test_a_server_that_asks_nobody(private_mysql: Private, tmp_path: Path) -> None:
    server = private_mysql(skip_grant_tables="ON")
    assert isinstance(server, MySQLServer)
    url = f"{server.engine}://root@/?unix_socket={server.socket}"
    ws = workspace(tmp_path, server)
    found = {one.id: one for one in access.audit(ws, url).findings}
    assert found["my.access.skip_grants"].severity is Severity.CRITICAL
    server.sql(found["my.access.skip_grants"].remedy.sql)
    assert {one.id for one in access.audit(ws, url).findings} == found.keys() - {"my.access.skip_grants"}
