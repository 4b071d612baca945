"""The pytest plugin: fixtures that hand out real servers, and a summary that names what could not be tested.

Each engine has a room of its own that says which fixtures, markers and options there are:
:mod:`dbops.testing.postgresql`, :mod:`dbops.testing.mysql`, :mod:`dbops.testing.mssql`. A server that this machine
lacks is a skip, and a failure where ``DBOPS_TEST_REQUIRE=postgresql15,mysql9.7,mariadb10.11,mssql,…`` names it. With
pytest-xdist each worker has its own servers.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from dbops.testing.missing import NOT_TESTED

pytest_plugins = ("dbops.testing.postgresql", "dbops.testing.mysql", "dbops.testing.mssql")
pytest.register_assert_rewrite("dbops.testing.contracts", "dbops.testing.live")


def pytest_configure(config: pytest.Config) -> None:
    """Markers; and what a killed session left behind is cleaned up, by the controller alone."""
    config.addinivalue_line(
        "markers", "proves(engine, *capabilities, by): what a test proves, for the matrix of dbops.testing.matrix"
    )
    if not hasattr(config, "workerinput"):
        from dbops.testing.servers import sweep

        sweep(Path(tempfile.gettempdir()))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What could not be tested, each once."""
    reasons = {str(report.longrepr[2]) for report in terminalreporter.getreports("skipped") if report.longrepr}
    for reason in sorted(reasons):
        _, found, engine = reason.partition(NOT_TESTED)
        if found:
            terminalreporter.write_line(f"{NOT_TESTED}{engine}", yellow=True)
