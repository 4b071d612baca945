"""The picture: rows are engines, columns are domains, one word per domain in every tree."""

from __future__ import annotations

import itertools
import re
import tomllib
from importlib.metadata import entry_points
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
BACKENDS = sorted(path.name for path in (ROOT / "backends").glob("dbops_*"))
DOMAINS = ("access", "backup", "health")
CODE = sorted([*ROOT.glob("dbops/**/*.py"), *ROOT.glob("backends/*/**/*.py"), *ROOT.glob("tests/**/*.py")])
SQL = sorted(ROOT.glob("backends/*/sql/*.sql"))
MAX_LINES = 400
# A file of tests follows one room, and each test in it is read alone.
MAX_TEST_LINES = 650
MAX_SPI_LINES = 300


def is_comment(line: str) -> bool:
    return line.startswith("--")


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_backends_are_a_source_root_not_a_package() -> None:
    assert not (ROOT / "backends/__init__.py").exists()


def test_every_backend_folder_is_shipped() -> None:
    packages = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    assert packages == ["dbops", *(f"backends/{name}" for name in BACKENDS)]


def test_every_backend_folder_is_registered() -> None:
    registered = PROJECT["project"]["entry-points"]["dbops.backends"]
    assert sorted({target.partition(":")[0] for target in registered.values()}) == BACKENDS


def test_every_backend_folder_is_under_the_import_contracts() -> None:
    linter = PROJECT["tool"]["importlinter"]
    assert linter["root_packages"] == ["dbops", *BACKENDS]
    contracts = {contract["id"]: contract for contract in linter["contracts"]}
    assert contracts["core-knows-no-backend"]["forbidden_modules"] == BACKENDS
    assert contracts["backend-knows-the-plugin-surface"]["source_modules"] == BACKENDS


def test_installed_metadata_is_that_of_this_tree() -> None:
    """An editable install keeps the entry points of the day it was made."""
    installed = {
        one.name: one.value for one in entry_points(group="dbops.backends") if one.dist and one.dist.name == "dbops"
    }
    assert installed == PROJECT["project"]["entry-points"]["dbops.backends"], "install again: pip install -e ."


def test_backends_load_under_their_registered_name() -> None:
    for one in entry_points(group="dbops.backends"):
        assert one.load().name == one.name


@pytest.mark.parametrize("domain", DOMAINS)
def test_domain_has_one_word_in_every_tree(domain: str) -> None:
    places = [ROOT / "dbops" / domain / "__init__.py", ROOT / f"dbops/model/{domain}.py"]
    places += [ROOT / f"dbops/operations/{domain}.py"]
    for backend in BACKENDS:
        module = ROOT / "backends" / backend / domain
        places.append(module / "__init__.py" if module.is_dir() else module.with_suffix(".py"))
    assert [name_of(place) for place in places if not place.is_file()] == []


def test_module_is_one_thought() -> None:
    lines = {name_of(path): len(path.read_text(encoding="utf-8").splitlines()) for path in CODE}
    limit = {name: MAX_TEST_LINES if name.startswith("tests") else MAX_LINES for name in lines}
    assert {name: count for name, count in lines.items() if count > limit[name]} == {}, "split it by what it is about"


def test_plugin_surface_is_one_page() -> None:
    assert len((ROOT / "dbops/spi.py").read_text(encoding="utf-8").splitlines()) < MAX_SPI_LINES


def test_module_is_named_for_what_it_is_about() -> None:
    empty_words = re.compile(r"(^|_)(utils?|helpers?|managers?|misc|common|stuff)($|_)")
    assert [name_of(path) for path in CODE if empty_words.search(path.stem)] == []


def test_core_never_compares_names_of_engines() -> None:
    comparison = re.compile(r"[!=]=\s*['\"](postgresql|mysql|mariadb|mssql)['\"]|is_mariadb|is_postgres")
    core = [path for path in CODE if path.is_relative_to(ROOT / "dbops")]
    assert [name_of(path) for path in core if comparison.search(path.read_text(encoding="utf-8"))] == []


def test_sql_file_begins_with_versions_and_privilege() -> None:
    """Files of grants_* are answers, not questions: they are what a person runs to give the privileges."""
    bare = []
    for path in SQL:
        comment = "".join(itertools.takewhile(is_comment, path.read_text(encoding="utf-8").splitlines()))
        versions = re.search(r"\b\d+(\.\d+)?(\+|-\d+| to \d+)|every version|Azure SQL", comment)
        privilege = re.search(r"privilege|needs|superuser|pg_\w+|EXECUTE|SELECT|USAGE|REPLICATION|VIEW [A-Z]+", comment)
        if not path.stem.startswith("grants_") and not (versions and privilege):
            bare.append(name_of(path))
    assert bare == []


def test_tests_are_no_package() -> None:
    assert [name_of(path) for path in ROOT.glob("tests/**/__init__.py") if "fixtures" not in path.parts] == []


def test_changes_are_told() -> None:
    kinds = {kind["directory"] for kind in PROJECT["tool"]["towncrier"]["type"]}
    fragments = [path for path in (ROOT / "changes").glob("*.md") if path.name != "README.md"]
    assert fragments
    for path in fragments:
        assert path.name.split(".")[-2] in kinds, f"{path.name}: see changes/README.md"
        assert path.read_text(encoding="utf-8").strip()


def test_licence_is_the_one_that_is_declared() -> None:
    assert PROJECT["project"]["license"] == "Apache-2.0"
    assert "Apache License" in (ROOT / "LICENSE").read_text(encoding="utf-8")
