"""Every statement of the backend is T-SQL to two parsers that know nothing of each other."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

import pytest
import sqlglot
from sqlfluff.core import FluffConfig, Linter

from dbops_mssql.statement import text

NAMES = sorted(
    one.name.removesuffix(".sql") for one in files("dbops_mssql").joinpath("sql").iterdir() if one.name.endswith(".sql")
)


@cache
def linter() -> Linter:
    return Linter(config=FluffConfig(overrides={"dialect": "tsql"}))


def test_there_are_statements() -> None:
    assert len(NAMES) > 15


@pytest.mark.parametrize("name", NAMES)
def test_it_is_transact_sql(name: str) -> None:
    # A login is a name in brackets where the text has a place for one.
    sql = text(name).replace(":login", "[dbops]")
    assert all(sqlglot.parse(sql, dialect="tsql")), name
    assert not [str(one) for one in linter().parse_string(sql).violations]
