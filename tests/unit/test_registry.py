"""Backends are found by entry points; every way that this goes wrong names the package."""

from __future__ import annotations

import email.message
import importlib.metadata
import sys
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from dbops import registry
from dbops.errors import ConfigError, UsageError
from dbops.spi import API_VERSION


class Package(importlib.metadata.Distribution):
    """An installed package that consists of its name."""

    def __init__(self, name: str, extras: tuple[str, ...] = ()) -> None:
        self._name = name
        self._extras = extras

    def read_text(self, filename: str) -> str | None:
        return f"Metadata-Version: 2.1\nName: {self._name}\nVersion: 1\n" if filename == "METADATA" else None

    def locate_file(self, path: object) -> Path:
        raise NotImplementedError

    @property
    def metadata(self) -> importlib.metadata.PackageMetadata:
        message = email.message.Message()
        message["Name"] = self._name
        for extra in self._extras:
            message["Provides-Extra"] = extra
        return message  # type: ignore[return-value]  # the protocol that the standard library's own messages fulfil


def point(name: str, value: str, package: str | None = "dbops-toy", *extras: str) -> EntryPoint:
    made = EntryPoint(name, value, registry.GROUP)
    if package is not None:
        vars(made).update(dist=Package(package, extras))
    return made


def module(monkeypatch: pytest.MonkeyPatch, name: str, **attributes: object) -> None:
    made = ModuleType(name)
    vars(made).update(attributes)
    monkeypatch.setitem(sys.modules, name, made)


def toy(name: str, *schemes: str, api: object = API_VERSION) -> SimpleNamespace:
    return SimpleNamespace(name=name, api_version=api, url_schemes=schemes)


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[EntryPoint]]:
    points: list[EntryPoint] = []
    monkeypatch.setattr(registry, "entry_points", lambda group: points if group == registry.GROUP else [])
    _forget()
    yield points
    _forget()


def _forget() -> None:
    registry.backend.cache_clear()
    registry._points.cache_clear()


def test_names_load_nothing(installed: list[EntryPoint]) -> None:
    installed += [point("toy", "nowhere.at.all:backend"), point("ape", "neither:backend")]
    assert registry.names() == ("ape", "toy")


def test_a_backend_by_name(installed: list[EntryPoint], monkeypatch: pytest.MonkeyPatch) -> None:
    made = toy("toy", "toy")
    module(monkeypatch, "dbops_toy", backend=made)
    installed.append(point("toy", "dbops_toy:backend"))
    assert registry.backend("toy") is made
    assert registry.backends() == {"toy": made}


def test_an_unknown_name_lists_what_is_there(installed: list[EntryPoint]) -> None:
    installed += [point("toy", "x:backend"), point("ape", "y:backend")]
    with pytest.raises(UsageError, match="no backend called 'oracle'") as caught:
        registry.backend("oracle")
    assert caught.value.hint == "Installed: ape, toy."


def test_two_providers_of_a_name_are_both_named(installed: list[EntryPoint]) -> None:
    installed += [point("toy", "dbops_toy:backend"), point("toy", "other_toy:it", "other-toy")]
    with pytest.raises(ConfigError) as caught:
        registry.names()
    assert caught.value.message == (
        "two packages provide the backend 'toy': dbops-toy (dbops_toy:backend) and other-toy (other_toy:it)"
    )


def test_one_package_seen_twice_is_one_provider(installed: list[EntryPoint]) -> None:
    installed += [point("toy", "dbops_toy:backend"), point("toy", "dbops_toy:backend")]
    assert registry.names() == ("toy",)


def test_a_package_without_a_name(installed: list[EntryPoint]) -> None:
    installed += [point("toy", "a:backend", None), point("toy", "b:backend", None)]
    with pytest.raises(ConfigError, match=r"an unknown package \(a:backend\) and an unknown package \(b:backend\)"):
        registry.names()


@pytest.mark.parametrize(
    ("extras", "hint"),
    [
        (("demo", "toy"), "pip install 'dbops[toy]' brings what this engine needs."),
        (("demo",), "Install dbops again, with what it needs."),
    ],
)
def test_a_missing_driver_of_ours_names_the_extra_where_there_is_one(
    installed: list[EntryPoint], extras: tuple[str, ...], hint: str
) -> None:
    installed.append(point("toy", "no_such_module_at_all:backend", "dbops", *extras))
    with pytest.raises(ConfigError) as caught:
        registry.backend("toy")
    assert caught.value.message == "the backend 'toy' (dbops) cannot be imported: no_such_module_at_all is missing"
    assert caught.value.hint == hint


def test_a_missing_driver_of_a_plugin_names_the_plugin(installed: list[EntryPoint]) -> None:
    installed.append(point("toy", "no_such_module_at_all:backend"))
    with pytest.raises(ConfigError, match="'toy' \\(dbops-toy\\) cannot be imported") as caught:
        registry.backend("toy")
    assert caught.value.hint == "Install dbops-toy again, with what it needs."


def test_a_module_without_the_backend_is_named(installed: list[EntryPoint], monkeypatch: pytest.MonkeyPatch) -> None:
    module(monkeypatch, "dbops_toy")
    installed.append(point("toy", "dbops_toy:backend"))
    with pytest.raises(ConfigError, match=r"'toy' \(dbops-toy\) cannot be imported: .*'backend'"):
        registry.backend("toy")


@pytest.mark.parametrize("api", [API_VERSION + 1, None, "1"])
def test_another_plugin_api_is_refused(
    installed: list[EntryPoint], monkeypatch: pytest.MonkeyPatch, api: object
) -> None:
    module(monkeypatch, "dbops_toy", backend=toy("toy", api=api))
    installed.append(point("toy", "dbops_toy:backend"))
    with pytest.raises(ConfigError) as caught:
        registry.backend("toy")
    assert caught.value.message == (f"the backend 'toy' (dbops-toy) speaks plugin API {api}, this dbops {API_VERSION}")
    assert caught.value.hint == f"Install a version of dbops-toy made for plugin API {API_VERSION}."


def test_a_url_scheme_finds_its_backend(installed: list[EntryPoint], monkeypatch: pytest.MonkeyPatch) -> None:
    made = toy("toy", "toy", "toys")
    module(monkeypatch, "dbops_toy", backend=made)
    installed.append(point("toy", "dbops_toy:backend"))
    for scheme in ("toy", "toys", "toy+driver"):
        assert registry.for_scheme(scheme) is made
    with pytest.raises(UsageError) as caught:
        registry.for_scheme("oracle+x")
    assert caught.value.message == "no backend answers for oracle:// URLs"
    assert caught.value.hint == "Known: toy, toys."


def test_a_broken_plugin_stands_in_nobody_s_way(installed: list[EntryPoint], monkeypatch: pytest.MonkeyPatch) -> None:
    made = toy("toy", "toy", "toys")
    module(monkeypatch, "dbops_toy", backend=made)
    installed += [point("ape", "no_such_module_at_all:backend"), point("toy", "dbops_toy:backend")]
    assert registry.for_scheme("toys") is made
    with pytest.raises(UsageError, match="no backend answers for oracle") as caught:
        registry.for_scheme("oracle")
    assert "the backend 'ape' (dbops-toy) cannot be imported" in caught.value.hint
    with pytest.raises(ConfigError, match="'ape'"):
        registry.for_scheme("ape")


def test_a_name_that_is_no_scheme_of_its_backend(installed: list[EntryPoint], monkeypatch: pytest.MonkeyPatch) -> None:
    module(monkeypatch, "dbops_toy", backend=toy("toy", "toys"))
    installed.append(point("toy", "dbops_toy:backend"))
    with pytest.raises(UsageError, match="no backend answers for toy://"):
        registry.for_scheme("toy")
