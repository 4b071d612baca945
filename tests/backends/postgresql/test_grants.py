"""The text of the least-privileged logins."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from dbops.errors import UsageError
from dbops_postgresql.grants import JOBS, grants
from dbops_postgresql.quoting import identifier, literal


def statements(text: str) -> str:
    return "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("--"))


def test_health_gets_monitoring_and_no_data() -> None:
    text = statements(grants(["health"], "dbops"))
    assert 'GRANT pg_monitor TO "dbops";' in text
    assert "pg_read_all_data" not in text
    assert "REPLICATION" not in text
    assert "CREATEROLE" not in text


def test_audit_gets_nothing_but_a_connection() -> None:
    text = statements(grants(["audit"], "dbops"))
    assert "GRANT CONNECT ON DATABASE" in text
    assert "pg_monitor" not in text
    assert "pg_read_all_data" not in text


def test_backup_says_what_its_rights_open() -> None:
    text = grants(["backup"], "dbops")
    assert 'ALTER ROLE "dbops" REPLICATION BYPASSRLS;' in text
    assert 'GRANT pg_read_all_data TO "dbops";' in text
    assert "password verifiers" in text
    assert "pg_hba.conf" in text


def test_13_is_told_in_its_own_words() -> None:
    text = statements(grants(["backup"], "dbops", 13))
    assert "pg_read_all_data" not in text
    assert "pg_authid" in text


def test_several_jobs_are_one_text_in_one_order() -> None:
    assert grants(["backup", "health"], "x") == grants(["health", "backup"], "x")
    assert grants(JOBS, "x").count("set_config('dbops.login'") == 1


def test_no_password_is_ever_in_it() -> None:
    text = grants(JOBS, "dbops")
    assert '\\password "dbops"' in text
    assert "PASSWORD '" not in text


@pytest.mark.parametrize("login", ["", "pg_monitor", "x" * 64, "é" * 32, "two\nlines", "nul\0", "right-to-left\u202e"])
def test_a_name_that_cannot_be_one_is_refused(login: str) -> None:
    with pytest.raises(UsageError, match="cannot be the name of a login"):
        grants(["health"], login)


def test_an_unknown_job_names_the_known_ones() -> None:
    with pytest.raises(UsageError, match="there is no job 'helth'") as caught:
        grants(["helth"], "dbops")
    assert caught.value.hint == "Jobs: health, audit, backup, users."


def test_no_job_at_all() -> None:
    with pytest.raises(UsageError, match="no job was named"):
        grants([], "dbops")


@given(st.text(st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=15))
def test_a_name_stands_in_sql_only_as_a_quoted_whole(login: str) -> None:
    if login.startswith("pg_"):
        return
    # The text has quoted words of its own ('o', 'S'); what is looked for is a name that only we put there.
    assume(identifier(login) not in statements(grants(JOBS, "another")))
    assume(literal(login) not in statements(grants(JOBS, "another")))
    text = statements(grants(JOBS, login))
    left = text.replace(identifier(login), "").replace(literal(login), "")
    assert left == statements(grants(JOBS, "another")).replace('"another"', "").replace("'another'", "")


@pytest.mark.parametrize(
    ("name", "quoted"), [("a", '"a"'), ('a"b', '"a""b"'), ("a%b", '"a%b"'), ("a\\b", '"a\\b"'), ("", '""')]
)
def test_identifiers(name: str, quoted: str) -> None:
    assert identifier(name) == quoted


@pytest.mark.parametrize(
    ("text", "quoted"), [("a", "'a'"), ("it's", "'it''s'"), ("a\\'b", " E'a\\\\''b'"), ("50%", "'50%'")]
)
def test_literals(text: str, quoted: str) -> None:
    assert literal(text) == quoted
