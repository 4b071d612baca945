"""Which driver is taken, and what is said when there is none."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import NoReturn

import pytest

from dbops.errors import ConfigError
from dbops_mssql import driver
from dbops_mssql.driver import Driver, choose, library

SO = "libmsodbcsql-18.6.so.2.1"
REGISTERED = ("PostgreSQL", "FreeTDS", "ODBC Driver 17 for SQL Server", "ODBC Driver 18 for SQL Server")


def nothing() -> None:
    return None


@pytest.mark.parametrize(
    ("given", "registered", "wheel", "wanted"),
    [
        ("", REGISTERED, Path("/w/lib.so"), Driver("/w/lib.so", "microsoft", "wheel")),
        ("", REGISTERED, None, Driver("ODBC Driver 18 for SQL Server", "microsoft", "installed")),
        ("", REGISTERED[:3], None, Driver("ODBC Driver 17 for SQL Server", "microsoft", "installed")),
        ("", REGISTERED[:2], None, Driver("FreeTDS", "freetds", "installed")),
        ("Mine", REGISTERED, Path("/w/lib.so"), Driver("Mine", "microsoft", "given")),
        ("/x/libtdsodbc.so", (), None, Driver("/x/libtdsodbc.so", "freetds", "given")),
    ],
)
def test_the_best_one_that_is_there(
    given: str, registered: tuple[str, ...], wheel: Path | None, wanted: Driver
) -> None:
    assert choose(given, installed=lambda: registered, wheel=lambda: wheel) == wanted


def test_none_at_all_names_the_extra() -> None:
    with pytest.raises(ConfigError, match="there is no ODBC driver of SQL Server here") as caught:
        choose(installed=lambda: REGISTERED[:1], wheel=nothing)
    assert "pip install 'dbops[mssql]'" in caught.value.hint
    assert (caught.value.code, caught.value.reason) == (78, "driver_missing")


def test_pyodbc_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyodbc", None)
    with pytest.raises(ConfigError, match="pyodbc cannot be loaded") as caught:
        choose()
    assert caught.value.hint == "pip install pyodbc"


def test_pyodbc_that_finds_no_driver_manager(monkeypatch: pytest.MonkeyPatch) -> None:
    class Finder:
        def find_spec(self, name: str, *_: object) -> None:
            if name == "pyodbc":
                self.fail()

        def fail(self) -> NoReturn:
            raise ImportError("libodbc.so.2: cannot open shared object file: No such file or directory", name="pyodbc")

    monkeypatch.delitem(sys.modules, "pyodbc", raising=False)
    monkeypatch.setattr(sys, "meta_path", [Finder(), *sys.meta_path])
    with pytest.raises(ConfigError, match=r"libodbc\.so\.2: cannot open") as caught:
        choose()
    assert "apt-get install libodbc2" in caught.value.hint


@pytest.mark.parametrize(
    ("system", "machine", "os_release", "place"),
    [
        ("Linux", "x86_64", {"ID": "debian"}, "linux/debian_ubuntu/x86_64/lib/" + SO),
        ("Linux", "aarch64", {"ID": "ubuntu", "ID_LIKE": "debian"}, "linux/debian_ubuntu/arm64/lib/" + SO),
        ("Linux", "x86_64", {}, "linux/debian_ubuntu/x86_64/lib/" + SO),
        ("Linux", "x86_64", {"ID": "rocky", "ID_LIKE": "rhel centos fedora"}, "linux/rhel/x86_64/lib/" + SO),
        ("Linux", "x86_64", {"ID": "opensuse-leap", "ID_LIKE": "suse opensuse"}, "linux/suse/x86_64/lib/" + SO),
        ("Linux", "x86_64", {"ID": "alpine"}, "linux/alpine/x86_64/lib/" + SO),
        ("Darwin", "arm64", {}, "macos/arm64/lib/libmsodbcsql.18.dylib"),
    ],
)  # fmt: skip
def test_the_wheel_s_library_of_this_system(
    tmp_path: Path, system: str, machine: str, os_release: dict[str, str], place: str
) -> None:
    wanted = tmp_path / place
    wanted.parent.mkdir(parents=True)
    wanted.touch()
    (wanted.parent / "libodbcinst.so.2").touch()
    assert library(tmp_path, system, machine, os_release) == wanted


@pytest.mark.parametrize(("system", "machine"), [("Windows", "AMD64"), ("Linux", "riscv64"), ("Linux", "x86_64")])
def test_a_system_that_the_wheel_has_nothing_for(tmp_path: Path, system: str, machine: str) -> None:
    assert library(tmp_path, system, machine, {}) is None


def test_without_the_extra_there_is_no_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(driver, "WHEEL", "no_such_module_of_anybody")
    driver.in_wheel.cache_clear()
    assert driver.in_wheel() is None
    driver.in_wheel.cache_clear()
