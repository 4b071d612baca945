"""Jobs for a scheduler that is there already: systemd units, or one line for cron. Pure: nothing is installed."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from dbops.config import JobConfig
from dbops.jobs import schedule
from dbops.jobs.schedule import Cron

__all__ = ["calendar_events", "cron_line", "systemd_units"]

WEEKDAYS = ("Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat")
EVERY_MINUTES = 5
# Spread over the fleet, yet small beside the job's own rhythm.
DELAY_S = 300
DELAY_SHARE = 10

SERVICE = """\
# {name}.service, written by `dbops job export systemd`
[Unit]
Description=dbops job {job}: {do}
Documentation=man:crontab(5) man:systemd.timer(5)
Wants=network-online.target
After=network-online.target

[Service]
Type=oneshot
ExecStart={command}
# Secrets named env:NAME in dbops.toml: NAME=value lines, mode 0600.
EnvironmentFile=-/etc/dbops/environment
# The state directory and its owner, whichever user this is set to run as.
#User=dbops
StateDirectory=dbops
StateDirectoryMode=0750
Environment=DBOPS_STATE=%S/dbops/state
KillMode=mixed
TimeoutStopSec=120
Nice=10
IOSchedulingClass=best-effort
IOSchedulingPriority=7
UMask=0077
NoNewPrivileges=yes
PrivateDevices=yes
ProtectSystem=full
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectControlGroups=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6
RestrictNamespaces=yes
RestrictSUIDSGID=yes
LockPersonality=yes
"""

TIMER = """\
# {name}.timer, written by `dbops job export systemd`
[Unit]
Description=dbops job {job}: {at}

[Timer]
{events}
Persistent=true
RandomizedDelaySec={delay}
AccuracySec=1min
Unit={name}.service

[Install]
WantedBy=timers.target
"""

CRON = """\
# Written by `dbops job export cron`: runs whatever dbops.toml says is due; for `crontab -e`.
# In /etc/cron.d, put the user's name in front of the command.
*/{every} * * * * {command}
"""


def systemd_units(jobs: Sequence[JobConfig], program: Sequence[str], config: str = "") -> dict[str, str]:
    """A service and a timer for each job, by file name.

    :param program: how dbops is called here; :param config: the configuration's absolute path, empty for the usual.
    :raises ConfigError: a job's schedule is none.
    """
    units: dict[str, str] = {}
    for job in jobs:
        name = f"dbops-{_unit_name(job.name)}"
        cron = schedule.parse(job.at, f"jobs.{job.name}.at")
        schedule.zone(job.timezone, f"jobs.{job.name}.timezone")
        command = _systemd_command([*program, "job", "run", job.name, *_config(config), "--format", "json"])
        units[f"{name}.service"] = SERVICE.format(name=name, job=_line(job.name), do=_line(job.do), command=command)
        events = "\n".join(f"OnCalendar={event}" for event in calendar_events(cron, job.timezone))
        units[f"{name}.timer"] = TIMER.format(
            name=name, job=_line(job.name), at=_line(f"{job.at} ({job.timezone})"), events=events, delay=_delay(cron)
        )
    return units


def cron_line(program: Sequence[str], config: str = "") -> str:
    """One entry for a crontab, which runs whatever is due."""
    command = shlex.join([*program, "job", "run", "--due", *_config(config), "--format", "json"])
    # In a crontab a percent sign ends the command.
    return CRON.format(every=EVERY_MINUTES, command=command.replace("%", "\\%"))


def calendar_events(cron: Cron, timezone: str) -> tuple[str, ...]:
    """The schedule as systemd's calendar events; two when a day may fit by its date or by its weekday."""
    months = _listing(cron.months, 12, 2)
    clock = f"{_listing(cron.hours, 24, 2)}:{_listing(cron.minutes, 60, 2)}:00 {timezone}"
    days = _listing(cron.days, 31, 2)
    weekdays = "" if len(cron.weekdays) == 7 else ",".join(WEEKDAYS[day] for day in cron.weekdays) + " "
    if cron.either_day:
        return f"*-{months}-{days} {clock}", f"{weekdays}*-{months}-* {clock}"
    return (f"{weekdays}*-{months}-{days} {clock}",)


def _listing(values: Sequence[int], all_of_them: int, width: int) -> str:
    return "*" if len(values) == all_of_them else ",".join(f"{value:0{width}d}" for value in values)


def _delay(cron: Cron) -> int:
    per_day = len(cron.minutes) * len(cron.hours)
    return min(DELAY_S, 86400 // per_day // DELAY_SHARE)


def _config(path: str) -> list[str]:
    return ["--config", path] if path else []


def _unit_name(name: str) -> str:
    return "".join(letter if letter.isascii() and letter.isalnum() else f"_{ord(letter):x}" for letter in name)


def _line(text: str) -> str:
    # In a unit a percent sign begins a specifier, and a line break another setting.
    return " ".join(text.split()).replace("%", "%%")


def _systemd_command(words: Sequence[str]) -> str:
    return " ".join(_systemd_word(word) for word in words)


def _systemd_word(word: str) -> str:
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$").replace("\n", "\\n")
    plain = escaped and all(letter.isalnum() or letter in "-_./:=,+@%$" for letter in escaped)
    return escaped if plain else f'"{escaped}"'
