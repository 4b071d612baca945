"""The least-privileged login for each job, as SQL that a superuser reads and runs.

One text serves every database, and running it again changes nothing. What a right opens beyond its purpose is said
beside it: whoever runs the text should not have to find that out.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from importlib.resources import files

from dbops.errors import UsageError
from dbops_postgresql.quoting import identifier, literal

__all__ = ["JOBS", "grants"]

JOBS = ("health", "audit", "backup", "users")
NAME_BYTES = 63
READ_ALL_SINCE = 14
_WORD = re.compile(r":(login|literal)\b")


def grants(jobs: Sequence[str], login: str, server_version: int | None = None) -> str:
    """SQL of a login that can do ``jobs`` (some of ``JOBS``) and no more.

    :param server_version: the major version; left out, the text is for 14 and later.
    :raises UsageError: no job, an unknown one, or a name that PostgreSQL refuses or cuts off.
    """
    _check(jobs, login)
    parts = [_head(jobs, login, server_version), _part("login", login)]
    parts += [_part(name, login) for job in JOBS if job in jobs for name in _sections(job, server_version)]
    return "\n\n".join(parts) + "\n"


def _sections(job: str, server_version: int | None) -> tuple[str, ...]:
    if job != "backup":
        return (job,)
    old = server_version is not None and server_version < READ_ALL_SINCE
    return ("backup", "backup_13" if old else "backup_14", "backup_objects")


def _check(jobs: Sequence[str], login: str) -> None:
    unknown = [job for job in jobs if job not in JOBS]
    if unknown or not jobs:
        what = f"there is no job {unknown[0]!r} to make a login for" if unknown else "no job was named"
        raise UsageError(what, hint=f"Jobs: {', '.join(JOBS)}.")
    # A line break would end the comment that repeats the name.
    if not login.isprintable() or not 0 < len(login.encode()) <= NAME_BYTES or login.startswith("pg_"):
        raise UsageError(
            f"{login!r} cannot be the name of a login",
            hint=f"1 to {NAME_BYTES} bytes, no control characters, and not pg_ in front: those are PostgreSQL's own.",
        )


def _head(jobs: Sequence[str], login: str, server_version: int | None) -> str:
    version = str(server_version) if server_version else f"{READ_ALL_SINCE} and later"
    return "\n".join(
        (
            f"-- A login for dbops on PostgreSQL {version}: {', '.join(job for job in JOBS if job in jobs)}.",
            "-- Run this as a superuser in every database that accepts connections; once more does no harm.",
            f"-- Then set a password in psql, so that no log shows it:  \\password {identifier(login)}",
        )
    )


def _part(name: str, login: str) -> str:
    text = files("dbops_postgresql").joinpath(f"sql/grants_{name}.sql").read_text(encoding="utf-8").strip()
    words = {":login": identifier(login), ":literal": literal(login)}
    return _WORD.sub(lambda found: words[found[0]], text)
