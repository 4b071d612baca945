"""Whether the server programs of this machine can open what was backed up, asked before anything is restored.

A copy needs the same major version and build options, the extensions, and the collations under which its indexes were
sorted. A machine that lacks one of them gives no answer about the backup, which is neither a pass nor a failure.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import msgspec

from dbops import process
from dbops.errors import CouldNotTell, DbopsError
from dbops.model.finding import Missing
from dbops_postgresql.installation import Installation, installations

__all__ = ["Build", "Requirements", "choose", "lacks", "read_build"]

OPTION_OF = {"icu": "--with-icu", "lz4": "--with-lz4", "zstd": "--with-zstd", "libxml": "--with-libxml"}


class Requirements(msgspec.Struct, frozen=True, kw_only=True):
    """What a copy of a server needs.

    :param options: build options by the words of ``OPTION_OF``.
    :param extensions: those that are installed in a database that is restored.
    :param glibc: the version that sorted text indexes; empty when none depends on it. Only for physical copies.
    """

    major: int
    options: tuple[str, ...] = ()
    extensions: tuple[str, ...] = ()
    glibc: str = ""


class Build(msgspec.Struct, frozen=True, kw_only=True):
    """What server programs can do."""

    label: str
    major: int
    options: tuple[str, ...] | Missing
    extensions: tuple[str, ...] | Missing
    glibc: str = ""


def lacks(needed: Requirements, build: Build) -> tuple[str, ...]:
    """Pure: every reason why ``build`` cannot tell about the copy; empty when it can."""
    reasons: list[str] = []
    if build.major != needed.major:
        reasons.append(f"it is version {build.major}, the backup is of version {needed.major}")
    reasons += [f"it is built without {name}" for name in _absent(needed.options, build.options)]
    reasons += [f"it has no extension {name}" for name in _absent(needed.extensions, build.extensions)]
    if needed.glibc and build.glibc and needed.glibc != build.glibc:
        reasons.append(f"glibc {needed.glibc} sorted the text indexes, and here is glibc {build.glibc}")
    return tuple(reasons)


def choose(needed: Requirements, tools: str = "") -> Installation:
    """The first installation that fits; ``tools`` is a directory of programs to be used before all others.

    :raises CouldNotTell: there is none; each one of the right version is named with what it lacks.
    """
    found = installations([Path(tools)] if tools else [])
    same = [one for one in found if one.major == needed.major]
    reasons: list[str] = []
    for one in same:
        why = lacks(needed, read_build(one))
        if not why:
            return one
        reasons.append(f"{one.label}: {', '.join(why)}")
    if same:
        kind = "extension_missing" if all("extension" in reason for reason in reasons) else "environment"
        raise CouldNotTell(
            f"no PostgreSQL on this machine can open this backup: {'; '.join(reasons)}",
            hint="Run the proof where the same packages as on the server are installed, or name them by `tools`.",
            reason=kind,
        )
    have = ", ".join(one.label for one in found) or "none"
    raise CouldNotTell(
        f"a PostgreSQL {needed.major} server is needed to open this backup, and this machine has: {have}",
        hint=f"Install PostgreSQL {needed.major}, or name its directory by `tools`.",
        reason="tool_missing",
    )


def read_build(installation: Installation) -> Build:
    """Ask ``pg_config``; where it is not installed, what it would say is Missing and nothing is held against it."""
    share = _ask(installation, "--sharedir")
    configured = _ask(installation, "--configure")
    options: tuple[str, ...] | Missing = Missing("tool_missing", "there is no pg_config")
    if configured:
        options = tuple(name for name, option in OPTION_OF.items() if f"'{option}" in configured)
    controls = [Path(share, "extension")] if share else []
    names = [path.stem for place in controls if place.is_dir() for path in place.glob("*.control")]
    return Build(
        label=installation.label,
        major=installation.major,
        options=options,
        extensions=tuple(sorted(names)) if names else Missing("tool_missing", "the extensions are not found"),
        glibc=_glibc(),
    )


def _absent(needed: Sequence[str], have: Sequence[str] | Missing) -> list[str]:
    return [] if isinstance(have, Missing) else [name for name in needed if name not in have]


def _ask(installation: Installation, question: str) -> str:
    try:
        return process.run([installation.tool("pg_config"), question], timeout=20).stdout.strip()
    except DbopsError:
        return ""


def _glibc() -> str:
    try:
        return (os.confstr("CS_GNU_LIBC_VERSION") or "").removeprefix("glibc ")
    except (AttributeError, ValueError, OSError):  # not a system with glibc
        return ""
