"""What every RESTORE.md says: how one backup is got back by hand, with public tools alone, command by command."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from dbops.model.backup import BackupJob
from dbops.model.server import Server

__all__ = ["KEY", "block", "head", "stream"]

KEY = "key.txt"
"""The file that a private key is put into."""


def head(job: BackupJob, server: Server, label: str, programs: Sequence[str] = ()) -> list[str]:
    """What it is, how its streams are stored, and how they are opened. ``label`` is the engine's."""
    lines = [
        f"# How to restore {job.id}",
        "",
        f"A {job.method} of {job.target}, {label} {server.version_text}, begun {job.started_at.isoformat()}.",
        "dbops is not needed." + (f" These programs are: {', '.join(programs)}." if programs else ""),
        "",
        "Every stream is a directory of volumes `vol-0000`, `vol-0001`, …: put together in this order they are the "
        + ("encrypted, " if job.recipients else "")
        + "compressed stream. `manifest` beside this file has the SHA-256 of each.",
        "Run the commands in the directory of this file, in a shell with `set -e -o pipefail`.",
        "",
    ]
    if job.recipients:
        lines += [f"It is encrypted: put a private key that fits one of these into `{KEY}`.", ""]
        lines += [f"- `{one}`" for one in job.recipients] + [""]
    return lines


def stream(job: BackupJob, name: str) -> str:
    """The shell words that print a stream in the clear."""
    decrypt = f" | age -d -i {KEY}" if job.recipients else ""
    return f"cat {shlex.quote(name)}/vol-*{decrypt} | zstd -dc"


def block(*commands: str) -> list[str]:
    """Commands to be run as they stand."""
    return ["```sh", *commands, "```", ""]
