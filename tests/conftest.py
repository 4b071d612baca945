"""For every test: hypothesis without clocks, and nothing of the developer's own settings."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from pathlib import Path
from typing import NoReturn

import hypothesis
import pytest

from dbops.testing.mssql import Simulate

# A shared machine stalls now and then; a slow example is no bug, and neither is one that was slowly made up: the health
# check of hypothesis measures time as deadlines do. CI draws the same examples every time.
hypothesis.settings.register_profile("default", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.register_profile(
    "ci", hypothesis.settings.get_profile("default"), derandomize=True, print_blob=True
)
hypothesis.settings.register_profile(
    "fuzz",
    hypothesis.settings.get_profile("default"),
    max_examples=int(os.environ.get("DBOPS_TEST_EXAMPLES", "1")),
)
PROFILE = "fuzz" if "DBOPS_TEST_EXAMPLES" in os.environ else "ci" if "CI" in os.environ else "default"
hypothesis.settings.load_profile(PROFILE)

OWN_SETTINGS = ("DBOPS_CONFIG", "NO_COLOR", "FORCE_COLOR", "COLUMNS", "SSLMODE", "MYSQL_HOST", "MYSQL_TCP_PORT")


# A shell that starts the tests in the background lets them ignore Ctrl-C, and every program that a test interrupts too.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

HERE = Path(__file__).parent
WITHOUT_SERVER = (HERE / "unit", HERE / "backends")


@pytest.fixture(autouse=True)
def _unit_tests_reach_nothing(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """No server and no program; files below ``tmp_path`` are allowed."""
    if not any(request.path.is_relative_to(place) for place in WITHOUT_SERVER):
        return

    def refuse(*arguments: object, **_options: object) -> NoReturn:
        raise AssertionError(f"a unit test reaches outside: {arguments[1:]}; it belongs into tests/live")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(subprocess.Popen, "__init__", refuse)


@pytest.fixture(autouse=True)
def _no_settings_of_the_developer(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    for name in [*OWN_SETTINGS, *(name for name in os.environ if name.startswith("PG"))]:
        monkeypatch.delenv(name, raising=False)
    home = tmp_path_factory.getbasetemp() / "home"
    home.mkdir(exist_ok=True)
    for name in ("HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(home))
    monkeypatch.setenv("DBOPS_STATE", str(home / "state"))


@pytest.fixture(scope="session")
def mssql_simulator() -> Simulate:
    """No SQL Server can be had for a test; this speaks like one."""
    from tests.simulators.mssql.lent import simulate

    return simulate
