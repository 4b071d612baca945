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


def test_a_wrong_option_says_what_it_takes(asking: pytest.Pytester) -> None:
    result = asking.runpytest_subprocess("--postgres", "eighteen")
    result.stderr.fnmatch_lines(["*--postgres: major versions such as 15,17,18 are wanted, not 'eighteen'*"])
    result.stdout.no_fnmatch_line("*INTERNALERROR*")
