"""Which ODBC driver sessions use: Microsoft's from the extra ``mssql``, else one that is installed, else FreeTDS.

A session of ``mssql+mssqlpython://`` brings a driver of its own and needs none of this.
"""

from __future__ import annotations

import platform
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

import msgspec

from dbops.errors import ConfigError

__all__ = ["Driver", "Family", "choose", "described"]

Family = Literal["microsoft", "freetds"]
INSTALLED: Mapping[str, Family] = {
    "ODBC Driver 18 for SQL Server": "microsoft",
    "ODBC Driver 17 for SQL Server": "microsoft",
    "FreeTDS": "freetds",
}
WHEEL = "mssql_python_odbc"
MANAGER_HINT = (
    "Install the driver manager: `apt-get install libodbc2` on Debian and Ubuntu, `dnf install unixODBC` on Fedora and "
    "Red Hat, `apk add unixodbc` on Alpine, `brew install unixodbc` on macOS."
)
DRIVER_HINT = "pip install 'dbops[mssql]' brings Microsoft's; one that is installed, or FreeTDS, does as well."
# As the wheel sorts its files by the family of the distribution; what is not named is taken for Debian's.
_DISTRIBUTIONS = (("alpine", ("alpine",)), ("rhel", ("rhel", "fedora", "centos")), ("suse", ("suse", "sles")))
_MACHINES = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}


class Driver(msgspec.Struct, frozen=True):
    """:param name: as ODBC takes it: a registered name, or the path of the library.
    :param origin: ``wheel``, ``installed`` or ``given`` (by ``?driver=``)."""

    name: str
    family: Family
    origin: Literal["wheel", "installed", "given"]


def choose(
    given: str = "",
    *,
    installed: Callable[[], Sequence[str]] | None = None,
    wheel: Callable[[], Path | None] | None = None,
) -> Driver:
    """The driver for a session.

    :param given: what the URL asks for; it need not be registered (a path).
    :param installed: names the registered ones; :param wheel: finds the one of the extra. Both are for tests.
    :raises ConfigError: there is no driver manager, or no driver.
    """
    names = (installed or _registered)()
    if given:
        return Driver(given, "freetds" if "tds" in given.lower() else "microsoft", "given")
    library = (wheel or in_wheel)()
    if library is not None:
        return Driver(str(library), "microsoft", "wheel")
    for name, family in INSTALLED.items():
        if name in names:
            return Driver(name, family, "installed")
    raise ConfigError("there is no ODBC driver of SQL Server here", hint=DRIVER_HINT, reason="driver_missing")


def described(driver: Driver) -> str:
    """For the doctor: ``Microsoft's ODBC driver libmsodbcsql-18.6.so.2.1 (of the extra mssql)``."""
    whose = "Microsoft's ODBC driver" if driver.family == "microsoft" else "the ODBC driver of FreeTDS"
    origin = {"wheel": "of the extra mssql", "installed": "installed", "given": "as the URL says"}[driver.origin]
    return f"{whose} {Path(driver.name).name} ({origin})"


def _registered() -> Sequence[str]:
    """Those that the driver manager knows.

    :raises ConfigError: pyodbc is there and cannot be loaded, which is so without the driver manager.
    """
    try:
        import pyodbc
    except ImportError as error:
        absent = isinstance(error, ModuleNotFoundError)
        hint = "pip install pyodbc" if absent else MANAGER_HINT
        raise ConfigError(f"pyodbc cannot be loaded: {error}", hint=hint, reason="driver_missing") from None
    return tuple(pyodbc.drivers())


@cache
def in_wheel() -> Path | None:
    """The library in the wheel ``mssql-python-odbc``. Windows has no use for it: its driver manager takes registered
    names alone."""
    spec = find_spec(WHEEL)
    if spec is None or spec.origin is None:
        return None
    root = Path(spec.origin).with_name("libs")
    found = library(root, platform.system(), platform.machine(), _os_release())
    return found if found is not None and found.is_file() else None


def library(root: Path, system: str, machine: str, os_release: Mapping[str, str]) -> Path | None:
    """The newest library of this system below ``root``; None where it has none."""
    architecture = _MACHINES.get(machine.lower())
    if architecture is None or system not in ("Linux", "Darwin"):
        return None
    if system == "Darwin":
        place = root / "macos" / architecture / "lib"
        pattern = "libmsodbcsql*.dylib"
    else:
        place = root / "linux" / _distribution(os_release) / architecture / "lib"
        pattern = "libmsodbcsql*.so*"
    return max(place.glob(pattern), default=None)


def _distribution(os_release: Mapping[str, str]) -> str:
    words = f"{os_release.get('ID', '')} {os_release.get('ID_LIKE', '')}".lower()
    return next((name for name, marks in _DISTRIBUTIONS if any(mark in words for mark in marks)), "debian_ubuntu")


def _os_release() -> Mapping[str, str]:
    try:
        return platform.freedesktop_os_release()
    except OSError:
        return {}
