"""Who holds a lease, and whether that process is certainly gone.

Only a process of the same place (boot, and container) can be proved dead; of any other, only its lease's expiry tells.
"""

from __future__ import annotations

import getpass
import os
import socket
import sys
from pathlib import Path

from dbops.model.repository import Owner

__all__ = ["certainly_dead", "this_process"]


def this_process() -> Owner:
    """The process that runs this."""
    pid = os.getpid()
    return Owner(host=socket.gethostname(), user=_user(), pid=pid, place=_place(), born=_born(pid)[1])


def certainly_dead(owner: Owner) -> bool:
    """True only on proof; a doubt is no."""
    if not owner.place or owner.place != _place():
        return False
    if sys.platform == "win32":  # signal 0 is Ctrl-C there
        return False
    try:
        os.kill(owner.pid, 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    state, born = _born(owner.pid)
    # A pid is used again; a zombie does nothing any more. Without /proc both are unknown, which is no proof.
    return state == "Z" or bool(born and owner.born and born != owner.born)


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "?"


def _place() -> str:
    if sys.platform == "darwin":
        return f"darwin:{socket.gethostname()}"
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot}:{Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return ""


def _born(pid: int) -> tuple[str, str]:
    """State letter and start time in clock ticks since boot: proc(5), fields 3 and 22 of ``stat``."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return fields[0], fields[19]
    except (OSError, IndexError):
        return "", ""
