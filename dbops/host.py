"""The machine where dbops runs, seen without changing it."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Sequence
from pathlib import Path

from dbops import process
from dbops.errors import DbopsError
from dbops.model.finding import Missing
from dbops.model.server import Tool, Version

__all__ = ["LocalHost", "parse_version"]

_NUMBERS = re.compile(r"(\d+(?:\.\d+)+|\d+)(?:beta|rc|devel)?\d*")


def parse_version(text: str) -> Version:
    """The first version number in what a program prints for ``--version``; empty when there is none."""
    found = _NUMBERS.search(text)
    return tuple(int(part) for part in found.group(1).split(".")) if found else ()


class LocalHost:
    """Programs, room and processors of this machine; versions are asked once for each path."""

    def __init__(self) -> None:
        self.cpus = os.cpu_count() or 1
        self._banners: dict[str, str] = {}

    def tool(self, name: str, places: Sequence[str] = (), at_least: Version = ()) -> Tool | Missing:
        """The newest program ``name`` in ``places`` (in front) or on PATH that is ``at_least`` so new."""
        found = [self._tool(name, path) for path in self._candidates(name, places)]
        if not found:
            return Missing("tool_missing", f"{name} is neither on PATH nor in {', '.join(places) or 'any known place'}")
        best = max(found, key=lambda tool: tool.version)
        if best.version < at_least:
            have = f"is version {_dotted(best.version)}" if best.version else "does not tell its version"
            return Missing("tool_too_old", f"{best.path} {have}; {_dotted(at_least)} or newer is needed")
        return best

    def free_bytes(self, path: Path) -> int | Missing:
        """Room for this user below ``path`` or its nearest existing parent, in bytes."""
        here = path.absolute()
        while not here.exists() and here != here.parent:
            here = here.parent
        try:
            return shutil.disk_usage(here).free
        except OSError as error:
            return Missing("not_reachable", f"{here}: {error.strerror}")

    def _candidates(self, name: str, places: Sequence[str]) -> list[str]:
        paths = [shutil.which(name, path=place) for place in places]
        paths.append(shutil.which(name))
        return list(dict.fromkeys(path for path in paths if path))

    def _tool(self, name: str, path: str) -> Tool:
        if path not in self._banners:
            self._banners[path] = _ask_version(path)
        banner = self._banners[path]
        return Tool(name=name, path=path, version=parse_version(banner), banner=banner)


def _dotted(version: Version) -> str:
    return ".".join(map(str, version))


def _ask_version(path: str) -> str:
    try:
        done = process.run([path, "--version"], timeout=10)
        return (done.stdout or done.stderr).strip()
    except DbopsError:
        return ""
