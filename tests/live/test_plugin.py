"""The pytest plugin, as the author of another backend meets it."""

from __future__ import annotations

import pytest

pytest_plugins = ["pytester"]

ASKS_FOR_A_SERVER = """
    import pytest

    def test_any(postgres):
        assert postgres.sql("SELECT 1") == [(1,)]

    @pytest.mark.postgres(since=17)
    def test_new(postgres_major):
        assert postgres_major >= 17

    @pytest.mark.postgres(before=17)
    def test_old(postgres_major):
        assert postgres_major < 17

    @pytest.mark.postgres(newest=True)
    def test_latest(postgres_major):
        assert postgres_major == 18
"""


@pytest.fixture
def asking(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    monkeypatch.delenv("DBOPS_TEST_REQUIRE", raising=False)
    monkeypatch.delenv("DBOPS_TEST_POSTGRES", raising=False)
    pytester.makepyfile(ASKS_FOR_A_SERVER)
    return pytester


def test_what_is_missing_is_skipped_and_named_once(asking: pytest.Pytester) -> None:
    result = asking.runpytest_subprocess("--postgres", "9,10", "-k", "test_any or test_new")
    result.assert_outcomes(skipped=3)  # test_new, for which no version is left, is one of them
    named = [line for line in result.outlines if line.startswith("not tested here")]
    assert named == [
        "not tested here: PostgreSQL 10 (no server binary)",
        "not tested here: PostgreSQL 9 (no server binary)",
    ]


def test_what_is_required_and_missing_is_a_failure(asking: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DBOPS_TEST_REQUIRE", "postgresql10, postgresql18")
    result = asking.runpytest_subprocess("--postgres", "10", "-k", "test_any")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*PostgreSQL 10 is required by DBOPS_TEST_REQUIRE, and this machine has no server*"])


def test_versions_from_the_environment(asking: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DBOPS_TEST_POSTGRES", "16,18")
    result = asking.runpytest_subprocess("--collect-only", "-q")
    collected = [line.partition("::")[2] for line in result.outlines if "::" in line]
    assert sorted(collected) == [
        "test_any[postgresql16]",
        "test_any[postgresql18]",
        "test_latest[postgresql18]",
        "test_new[postgresql18]",
        "test_old[postgresql16]",
    ]


def test_what_needs_one_version_alone_can_be_left_out(asking: pytest.Pytester) -> None:
    chosen = ["--collect-only", "-q", "--postgres", "16,18", "-m", "on_postgresql and not newest"]
    result = asking.runpytest_subprocess(*chosen)
    collected = {line.partition("::")[2] for line in result.outlines if "::" in line}
    assert collected == {
        "test_any[postgresql16]",
        "test_any[postgresql18]",
        "test_new[postgresql18]",
        "test_old[postgresql16]",
    }


def test_a_wrong_option_says_what_it_takes(asking: pytest.Pytester) -> None:
    result = asking.runpytest_subprocess("--postgres", "eighteen")
    result.stderr.fnmatch_lines(["*--postgres: major versions such as 15,17,18 are wanted, not 'eighteen'*"])
    result.stdout.no_fnmatch_line("*INTERNALERROR*")


ASKS_FOR_MYSQL = """
    import pytest

    def test_any(mysql):
        assert mysql.sql("SELECT 1") == [(1,)]

    @pytest.mark.mysql(since="9.0", before="11.0")
    def test_between(mysql_series):
        assert mysql_series.label in ("MySQL 9.1", "MariaDB 10.8")

    @pytest.mark.mysql(family="mariadb")
    def test_mariadb(mysql_series):
        assert mysql_series.family == "mariadb"

    @pytest.mark.mysql(newest=True)
    def test_newest(mysql_series):
        pass

    def test_neither():
        pass
"""


@pytest.fixture
def asking_mysql(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    for name in ("DBOPS_TEST_REQUIRE", "DBOPS_TEST_MYSQL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DBOPS_SERVERS", "/nowhere")
    pytester.makepyfile(ASKS_FOR_MYSQL)
    return pytester


def test_series_that_are_missing_are_named_once(asking_mysql: pytest.Pytester) -> None:
    result = asking_mysql.runpytest_subprocess("--mysql", "mysql8.1,mariadb10.8", "-k", "test_any or test_between")
    result.assert_outcomes(skipped=2, passed=1)
    named = [line for line in result.outlines if line.startswith("not tested here")]
    assert named == [
        "not tested here: MariaDB 10.8 (no server binary)",
        "not tested here: MySQL 8.1 (no server binary)",
    ]


def test_a_series_that_is_required_and_missing_is_a_failure(
    asking_mysql: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DBOPS_TEST_REQUIRE", "mysql8.1")
    monkeypatch.setenv("DBOPS_TEST_MYSQL", "mysql8.1")
    result = asking_mysql.runpytest_subprocess("-k", "test_any")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*MySQL 8.1 is required by DBOPS_TEST_REQUIRE, and this machine has no server*"])


def test_series_that_a_test_runs_on(asking_mysql: pytest.Pytester) -> None:
    result = asking_mysql.runpytest_subprocess(
        "--collect-only", "-q", "--mysql", "mysql8.1,mysql9.1,mariadb10.8,mariadb12.1"
    )
    collected = [line.partition("::")[2] for line in result.outlines if "::" in line]
    assert sorted(collected) == [
        "test_any[mariadb10.8]",
        "test_any[mariadb12.1]",
        "test_any[mysql8.1]",
        "test_any[mysql9.1]",
        "test_between[mariadb10.8]",
        "test_between[mysql9.1]",
        "test_mariadb[mariadb10.8]",
        "test_mariadb[mariadb12.1]",
        "test_neither",
        "test_newest[mariadb12.1]",
        "test_newest[mysql9.1]",
    ]


def test_a_family_stands_for_its_series_and_leaves_out_the_other(
    asking_mysql: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DBOPS_TEST_REQUIRE", "mysql8.1,mariadb10.8")
    result = asking_mysql.runpytest_subprocess("--collect-only", "-q", "--mysql", "mysql", "-m", "on_mysql")
    collected = {line.partition("::")[2] for line in result.outlines if "::" in line}
    assert {"test_any[mysql8.1]", "test_any[mysql9.7]"} <= collected
    assert not [one for one in collected if "mariadb" in one or one == "test_neither"]


def test_a_wrong_series_says_what_it_takes(asking_mysql: pytest.Pytester) -> None:
    result = asking_mysql.runpytest_subprocess("--mysql", "mysql-9")
    result.stderr.fnmatch_lines(["*--mysql: series such as mysql9.7,mariadb10.11, or mysql,*wanted, not 'mysql-9'*"])
    result.stdout.no_fnmatch_line("*INTERNALERROR*")
