"""The least-privileged account for each job, as SQL that an administrator reads and runs.

An account of these engines is a name at a host. ``dbops`` alone is that name at every host (``%``); written as
``'dbops'@'10.0.0.7'`` or ``dbops@10.0.0.7`` it is at that one. Running the text again changes nothing. What a right
opens beyond its purpose is said beside it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from dbops.access.accounts import split_account as unquoted
from dbops.errors import Unsupported, UsageError
from dbops.model.server import Version
from dbops_mysql.quoting import account, split_account
from dbops_mysql.statement import text

__all__ = ["JOBS", "SECTIONS", "grants"]

JOBS = ("health", "audit", "backup", "users")
ANYWHERE = "%"
# A user's name in mysql.user.
NAME_CHARACTERS = {"mysql": 32, "mariadb": 128}
HOST_CHARACTERS = 255
LABELS = {"mysql": "MySQL 8.0 and later", "mariadb": "MariaDB 10.6 and later"}
# By engine and job: files sql/grants_….sql, in their order.
SECTIONS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "mysql": {"health": ("health",), "audit": ("audit",), "backup": ("backup",), "users": ("users",)},
    "mariadb": {
        "health": ("health_mariadb",),
        "audit": ("audit_mariadb",),
        "backup": ("backup_mariadb",),
        "users": ("users_mariadb",),
    },
}
_WORD = re.compile(r":login\b")


def grants(engine: str, jobs: Sequence[str], login: str, version: Version | None = None) -> str:
    """SQL of an account that can do ``jobs`` (some of ``JOBS``) and no more.

    :param engine: ``mysql`` or ``mariadb``. :param version: left out, the text is for all that are supported.
    :raises UsageError: no job, an unknown one, or a name that the server would refuse.
    :raises Unsupported: a job that nobody described yet.
    """
    _check(jobs)
    name, host = _account(engine, login)
    who = account(name, host)
    parts = [_head(engine, jobs, who, version), _part("login", who)]
    parts += [_part(name, who) for job in JOBS if job in jobs for name in _sections(engine, job)]
    return "\n\n".join(parts) + "\n"


def _sections(engine: str, job: str) -> tuple[str, ...]:
    if job not in SECTIONS[engine]:
        raise Unsupported(f"{LABELS[engine]}: the rights for {job} are not described yet")
    return SECTIONS[engine][job]


def _check(jobs: Sequence[str]) -> None:
    unknown = [job for job in jobs if job not in JOBS]
    if unknown or not jobs:
        what = f"there is no job {unknown[0]!r} to make a login for" if unknown else "no job was named"
        raise UsageError(what, hint=f"Jobs: {', '.join(JOBS)}.")


def _account(engine: str, login: str) -> tuple[str, str]:
    name, host = split_account(login) or unquoted(login) or (login, ANYWHERE)
    longest = NAME_CHARACTERS[engine]
    # A line break would end the comment that repeats the name; spaces at the end are cut off.
    well = login.isprintable() and 0 < len(name) <= longest and 0 < len(host) <= HOST_CHARACTERS
    if name == login and "@" in login:
        well = False  # a user, or a user and a host? Quotes say it.
    if not well or name != name.rstrip(" ") or any(ord(letter) > 0xFFFF for letter in name + host):
        raise UsageError(
            f"{login!r} cannot be the name of a login",
            hint=f"1 to {longest} letters, no control characters, as name, name@host or 'name'@'host'.",
        )
    return name, host


def _head(engine: str, jobs: Sequence[str], who: str, version: Version | None) -> str:
    label = f"{LABELS[engine].split()[0]} {'.'.join(map(str, version))}" if version else LABELS[engine]
    return "\n".join(
        (
            f"-- A login for dbops on {label}: {', '.join(job for job in JOBS if job in jobs)}.",
            "-- Run this as an administrator; once more does no harm.",
            "-- Then give it a password, in a client that keeps no history of it, and let it in:",
            f"--   ALTER USER {who} IDENTIFIED BY '…' ACCOUNT UNLOCK;",
        )
    )


def _part(name: str, who: str) -> str:
    return _WORD.sub(lambda _found: who, text(f"grants_{name}"))
