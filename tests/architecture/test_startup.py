"""What loads when: the help of a command must not cost the import of six drivers."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = {
    "alembic", "boto3", "botocore", "cryptography", "jinja2", "matplotlib", "prometheus_client", "psycopg", "pymysql",
    "pyodbc", "pyrage", "rich", "sqlalchemy", "yaml", "zstandard", "dbops_postgresql",
}  # fmt: skip


def loaded_by(program: str) -> set[str]:
    """The top-level modules in an interpreter of its own after ``program``."""
    program += "\nimport sys; print('\\n' + ' '.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    return {name.partition(".")[0] for name in done.stdout.splitlines()[-1].split()}


@pytest.mark.parametrize("arguments", [["--help"], ["-h"], ["--version"]])
def test_help_loads_no_driver(arguments: list[str]) -> None:
    call = f"try:\n    cli({arguments!r})\nexcept SystemExit as end:\n    assert not end.code"
    program = f"from dbops.cli.main import cli\n{call}"
    assert not loaded_by(program) & HEAVY


def test_the_library_loads_no_driver() -> None:
    assert not loaded_by("import dbops") & HEAVY


def test_the_pytest_plugin_loads_no_driver() -> None:
    """It is loaded into every pytest run of whoever has dbops installed."""
    assert not loaded_by("import dbops.testing.plugin") & HEAVY


def test_public_names_are_true() -> None:
    import dbops

    missing = [name for name in dbops.__all__ if not hasattr(dbops, name)]
    assert missing == []
    assert sorted(dbops.__all__) == sorted(set(dbops.__all__))


def test_everything_public_is_documented() -> None:
    import dbops

    bare = [
        name
        for name in dbops.__all__
        if callable(getattr(dbops, name)) and not (getattr(dbops, name).__doc__ or "").strip()
    ]
    assert bare == []
