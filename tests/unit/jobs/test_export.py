"""Jobs as systemd units and as a line for cron."""

from __future__ import annotations

import pytest

from dbops.config import JobConfig
from dbops.errors import ConfigError
from dbops.jobs.export import calendar_events, cron_line, systemd_units
from dbops.jobs.schedule import parse

NIGHTLY = JobConfig(name="nightly", do="backup", targets="all", at="15 2 * * *", timezone="Europe/Berlin")
PROGRAM = ("/opt/dbops/bin/dbops",)


@pytest.mark.parametrize(
    ("at", "events"),
    [
        ("15 2 * * *", ("*-*-* 02:15:00 UTC",)),
        ("* * * * *", ("*-*-* *:*:00 UTC",)),
        ("0 */6 * * *", ("*-*-* 00,06,12,18:00:00 UTC",)),
        ("0 3 1 1,7 *", ("*-01,07-01 03:00:00 UTC",)),
        ("0 3 * * mon-fri", ("Mon,Tue,Wed,Thu,Fri *-*-* 03:00:00 UTC",)),
        ("0 3 * * 0-7", ("*-*-* 03:00:00 UTC",)),
        ("0 3 13 * fri", ("*-*-13 03:00:00 UTC", "Fri *-*-* 03:00:00 UTC")),
    ],
)
def test_a_schedule_in_the_words_of_systemd(at: str, events: tuple[str, ...]) -> None:
    assert calendar_events(parse(at), "UTC") == events


def test_a_job_becomes_a_service_and_a_timer() -> None:
    units = systemd_units([NIGHTLY], PROGRAM, "/etc/dbops/dbops.toml")
    assert set(units) == {"dbops-nightly.service", "dbops-nightly.timer"}
    service, timer = units["dbops-nightly.service"], units["dbops-nightly.timer"]
    assert "ExecStart=/opt/dbops/bin/dbops job run nightly --config /etc/dbops/dbops.toml --format json\n" in service
    for line in ("Type=oneshot", "NoNewPrivileges=yes", "ProtectSystem=full"):
        assert f"\n{line}\n" in service
    for line in (
        "OnCalendar=*-*-* 02:15:00 Europe/Berlin",
        "Persistent=true",
        "RandomizedDelaySec=300",
        "Unit=dbops-nightly.service",
        "WantedBy=timers.target",
    ):
        assert f"\n{line}\n" in timer


def test_the_delay_is_small_beside_the_rhythm() -> None:
    often = JobConfig(name="often", do="health", targets="all", at="*/5 * * * *")
    assert "\nRandomizedDelaySec=30\n" in systemd_units([often], PROGRAM)["dbops-often.timer"]


def test_hostile_names_stay_on_their_line() -> None:
    job = JobConfig(name='a"b %h\nExecStart=/bin/rm $HOME', do="backup", targets="all", at="@daily")
    units = systemd_units([job], ("/opt/my tools/dbops",), "/etc/100%/dbops.toml")
    service = next(text for name, text in units.items() if name.endswith(".service"))
    lines = [line for line in service.splitlines() if line.startswith("ExecStart=")]
    (line,) = lines
    assert line == (
        'ExecStart="/opt/my tools/dbops" job run "a\\"b %%h\\nExecStart=/bin/rm $$HOME" '
        "--config /etc/100%%/dbops.toml --format json"
    )
    assert all(name.isascii() and "/" not in name and " " not in name for name in units)


def test_one_line_for_cron() -> None:
    text = cron_line(("/opt/my tools/dbops",), "/etc/100%/dbops.toml")
    (line,) = [line for line in text.splitlines() if not line.startswith("#")]
    assert line == ("*/5 * * * * '/opt/my tools/dbops' job run --due --config /etc/100\\%/dbops.toml --format json")
    assert "--config" not in cron_line(PROGRAM)


@pytest.mark.parametrize(("at", "timezone"), [("never", "UTC"), ("@daily", "Mars/Base")])
def test_a_wrong_schedule_is_refused(at: str, timezone: str) -> None:
    job = JobConfig(name="nightly", do="backup", targets="all", at=at, timezone=timezone)
    with pytest.raises(ConfigError, match=r"jobs\.nightly\."):
        systemd_units([job], PROGRAM)
