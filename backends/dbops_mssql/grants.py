"""A least-privileged login for jobs of dbops: SQL that a person reads and runs, never dbops itself."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from dbops.errors import UsageError
from dbops.model.server import Version
from dbops_mssql.quoting import NAME_CHARACTERS, identifier, literal, valid_name
from dbops_mssql.statement import text

__all__ = ["JOBS", "NOBODY_S_HASH", "grants"]

JOBS = ("health", "audit", "backup", "users")
# From 2022 on there are narrower rights: files sql/grants_…_2022.sql.
NARROWER: Version = (16,)
NARROWED = {"health", "audit"}
# The stored form of a password (a version, four bytes of salt, SHA-512) of which nobody knows what it was made from.
NOBODY_S_HASH = "0x0200" + "00000000" + "00" * 64
_WORD = re.compile(r":(login|text|nobody)\b")


def grants(jobs: Sequence[str], login: str, version: Version | None = None) -> str:
    """SQL of a login that can do ``jobs`` (some of ``JOBS``) and no more.

    A name with a backslash is one of Windows. :param version: left out, the text is for all releases from 2016 on.
    :raises UsageError: no job, an unknown one, or a name that the server would refuse.
    """
    unknown = [job for job in jobs if job not in JOBS]
    if unknown or not jobs:
        what = f"there is no job {unknown[0]!r} to make a login for" if unknown else "no job was named"
        raise UsageError(what, hint=f"Jobs: {', '.join(JOBS)}.")
    # A line break would end the comment that repeats the name.
    if not valid_name(login) or not login.isprintable() or login != login.rstrip(" "):
        raise UsageError(
            f"{login!r} cannot be the name of a login",
            hint=f"1 to {NAME_CHARACTERS} letters, no control characters; DOMAIN\\name is one of Windows.",
        )
    windows = "\\" in login
    parts = [_head(jobs, login, windows=windows), _part("login_windows" if windows else "login", login)]
    parts += [_part(_section(job, version), login) for job in JOBS if job in jobs]
    return "\n\n".join(parts) + "\n"


def _section(job: str, version: Version | None) -> str:
    return f"{job}_2022" if job in NARROWED and version is not None and version >= NARROWER else job


def _head(jobs: Sequence[str], login: str, *, windows: bool) -> str:
    lines = [
        f"-- A login for dbops on SQL Server: {', '.join(job for job in JOBS if job in jobs)}.",
        "-- Run this as an administrator, in master; once more does no harm.",
        "-- Azure SQL Database has no rights on a server: there, make a user in the database, and grant it",
        "-- VIEW DATABASE STATE and VIEW DEFINITION.",
    ]
    if not windows:
        lines += [
            "-- Then give it a password, where no history keeps it:",
            f"--   ALTER LOGIN {identifier(login)} WITH PASSWORD = N'…';",
        ]
    return "\n".join(lines)


def _part(name: str, login: str) -> str:
    words: Mapping[str, str] = {"login": identifier(login), "text": literal(login), "nobody": NOBODY_S_HASH}
    return _WORD.sub(lambda found: words[found[1]], text(f"grants_{name}"))
