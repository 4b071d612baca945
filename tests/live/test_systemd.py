"""Exported units, read by systemd itself."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from dbops.config import JobConfig
from dbops.jobs.export import calendar_events, systemd_units
from dbops.jobs.schedule import parse

pytestmark = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="not tested here: systemd (no systemd-analyze)"
)
JOB = JobConfig(name="night & day", do="backup", targets="all", at="15 2 13 * fri", timezone="Europe/Berlin")


def test_the_units_are_accepted(tmp_path: Path) -> None:
    for name, text in systemd_units([JOB], (sys.executable, "-m", "dbops"), "/etc/100%/dbops.toml").items():
        (tmp_path / name).write_text(text)
    files = [str(path) for path in tmp_path.iterdir()]
    found = subprocess.run(["systemd-analyze", "verify", *files], capture_output=True, text=True, check=False)
    ours = [line for line in found.stderr.splitlines() if "dbops" in line and "man " not in line]
    assert ours == []


@pytest.mark.parametrize("at", ["15 2 * * *", "*/5 * * * *", "0 3 13 * fri", "0 3 1 1,7 *", "7 */6 * * mon-fri"])
def test_the_calendar_events_are_accepted(at: str) -> None:
    for event in calendar_events(parse(at), "Europe/Berlin"):
        subprocess.run(["systemd-analyze", "calendar", event], capture_output=True, check=True)
