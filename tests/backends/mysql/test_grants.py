"""The text of the least-privileged logins."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbops.errors import Unsupported, UsageError
from dbops_mysql.grants import JOBS, SECTIONS, grants
from dbops_mysql.quoting import account, literal

ENGINES = sorted(SECTIONS)
MADE = [(engine, job) for engine in ENGINES for job in JOBS if job in SECTIONS[engine]]


def statements(text: str) -> str:
    return "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("--"))


@pytest.mark.parametrize(("engine", "replication"), [("mysql", "REPLICATION CLIENT"), ("mariadb", "SLAVE MONITOR")])
def test_health_gets_monitoring_and_no_data(engine: str, replication: str) -> None:
    text = statements(grants(engine, ["health"], "dbops"))
    assert "GRANT PROCESS ON *.* TO `dbops`@`%`;" in text
    assert f"GRANT {replication} ON *.* TO `dbops`@`%`;" in text
    assert "GRANT REFERENCES ON *.* TO `dbops`@`%`;" in text
    assert "SELECT ON *.*" not in text
    assert "SUPER" not in text
    assert "ALL" not in text


@pytest.mark.parametrize("engine", ENGINES)
def test_nobody_gets_in_before_there_is_a_password(engine: str) -> None:
    text = grants(engine, ["health"], "dbops")
    assert "CREATE USER IF NOT EXISTS `dbops`@`%` ACCOUNT LOCK;" in statements(text)
    assert "--   ALTER USER `dbops`@`%` IDENTIFIED BY '…' ACCOUNT UNLOCK;" in text
    assert "IDENTIFIED" not in statements(text)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_host_can_be_named(engine: str) -> None:
    for login in ("'db ops'@'10.%'", "db ops@10.%", "`db ops`@10.%"):
        text = statements(grants(engine, ["health"], login))
        assert "GRANT PROCESS ON *.* TO `db ops`@`10.%`;" in text
        assert "`%`" not in text


def test_the_head_names_the_version() -> None:
    assert "on MySQL 8.4: health." in grants("mysql", ["health"], "x", (8, 4))
    assert "on MySQL 8.0 and later: health." in grants("mysql", ["health"], "x")
    assert "on MariaDB 10.6 and later: health." in grants("mariadb", ["health"], "x")


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    "login",
    [
        "",
        "we'ird@10.%",
        "a@b@c",
        "a@",
        "@b",
        "two\nlines",
        "nul\0",
        "right-to-left\u202e",
        "trailing ",
        "face\U0001f600",
        "''@'%'",
        "'x'@''",
        "'x'@'a\nb'",
    ],
)
def test_a_name_that_cannot_be_one_is_refused(engine: str, login: str) -> None:
    with pytest.raises(UsageError, match="cannot be the name of a login") as caught:
        grants(engine, ["health"], login)
    assert "'name'@'host'" in caught.value.hint


def test_how_long_a_name_can_be() -> None:
    assert grants("mysql", ["health"], "x" * 32)
    assert grants("mariadb", ["health"], "x" * 128)
    for engine, length in (("mysql", 33), ("mariadb", 129)):
        with pytest.raises(UsageError):
            grants(engine, ["health"], "x" * length)


@pytest.mark.parametrize("engine", ENGINES)
def test_jobs_that_there_are_not(engine: str) -> None:
    with pytest.raises(UsageError, match="there is no job 'helth'") as caught:
        grants(engine, ["helth"], "dbops")
    assert caught.value.hint == "Jobs: health, audit, backup, users."
    with pytest.raises(UsageError, match="no job was named"):
        grants(engine, [], "dbops")
    for job in set(JOBS) - set(SECTIONS[engine]):
        with pytest.raises(Unsupported, match=f"the rights for {job} are not described yet"):
            grants(engine, [job], "dbops")


letters = st.characters(categories=["L", "N", "P", "S"], max_codepoint=0xFFFF, exclude_characters="\\")
names = st.text(letters, min_size=1, max_size=32)


@pytest.mark.parametrize(("engine", "job"), MADE)
@given(names, names)
def test_any_name_is_only_a_name(engine: str, job: str, name: str, host: str) -> None:
    text = grants(engine, [job], f"{literal(name)}@{literal(host)}")
    plain = grants(engine, [job], "'PLAIN'@'HOST'")
    assert text == plain.replace(account("PLAIN", "HOST"), account(name, host))
