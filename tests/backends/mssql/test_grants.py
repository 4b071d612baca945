"""The SQL that makes a login for dbops: what it holds, and what it refuses to write."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbops.errors import UsageError
from dbops.testing.shape import Quoting, shape
from dbops_mssql import backend
from dbops_mssql.grants import JOBS

BRACKETS = Quoting(("[", "]"))


def statements(text: str) -> list[str]:
    return [line for line in text.splitlines() if line and not line.startswith("--")]


@pytest.mark.parametrize("version", [None, (13,), (16, 0)])
def test_every_job_says_what_it_gives(version: tuple[int, ...] | None) -> None:
    for job in JOBS:
        text = backend.grants([job], "dbops", version)
        assert f"-- {job}: " in text
        assert any(line.startswith(("GRANT", "ALTER SERVER ROLE")) for line in statements(text))


def test_nobody_is_made_an_administrator() -> None:
    text = "\n".join(statements(backend.grants(JOBS, "dbops")))
    assert "sysadmin" not in text
    assert "GRANT OPTION" not in text
    watching = "\n".join(statements(backend.grants(["health", "audit"], "dbops")))
    assert not {"ALTER", "CONTROL", "UPDATE", "EXECUTE"} & set(watching.replace("ALTER LOGIN", "").split())


def test_narrower_rights_are_named_where_there_are_some() -> None:
    assert "VIEW SERVER PERFORMANCE STATE" in backend.grants(["health"], "x", (16, 0))
    assert "VIEW ANY SECURITY DEFINITION" in backend.grants(["audit"], "x", (17,))
    for version in (None, (15, 0)):
        text = backend.grants(JOBS, "x", version)
        assert "VIEW SERVER STATE" in text
        assert "PERFORMANCE" not in text
        assert "SECURITY" not in text


def test_a_login_of_windows_has_no_password() -> None:
    text = backend.grants(["audit"], "CORP\\dbops$")
    assert "CREATE LOGIN [CORP\\dbops$] FROM WINDOWS" in text
    assert "PASSWORD" not in text


@given(st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=60))
def test_a_name_stays_a_name(name: str) -> None:
    plain = "CORP\\x" if "\\" in name else "x"
    assert shape(backend.grants(JOBS, name), BRACKETS) == shape(backend.grants(JOBS, plain), BRACKETS)


@pytest.mark.parametrize("name", ["", "a" * 129, "a\nb", "a\0", "a "])
def test_a_name_that_the_server_would_refuse_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="cannot be the name of a login"):
        backend.grants(["audit"], name)


@pytest.mark.parametrize(("jobs", "said"), [([], "no job was named"), (["audit", "dance"], "there is no job 'dance'")])
def test_jobs_are_known_ones(jobs: list[str], said: str) -> None:
    with pytest.raises(UsageError, match=said) as caught:
        backend.grants(jobs, "x")
    assert "health, audit, backup, users" in caught.value.hint
