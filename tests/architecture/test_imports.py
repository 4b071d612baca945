"""Who may import whom. The contracts themselves are in pyproject.toml, [tool.importlinter]."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = sorted([*ROOT.glob("dbops/**/*.py"), *ROOT.glob("backends/*/**/*.py")])
POSIX_ONLY = {"fcntl", "grp", "pty", "pwd", "resource", "syslog", "termios", "tty"}
RUNS_PROGRAMS = {"multiprocessing", "pexpect", "pty", "subprocess"}
RUNNING_CALLS = {
    "os.system",
    "os.popen",
    "os.fork",
    "os.posix_spawn",
    "os.execv",
    "os.execve",
    "os.execvp",
    "os.spawnv",
}


def test_contracts_are_kept(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    from importlinter import cli

    monkeypatch.chdir(ROOT)
    broken = cli.lint_imports(no_cache=True)
    assert not broken, capsys.readouterr().out


def test_modules_load_on_every_platform() -> None:
    """SQL Server is administered from Windows too: what only POSIX has is imported where it is used."""
    found = {name_of(path): _imported_by(_at_module_level(path)) & POSIX_ONLY for path in SOURCES}
    assert {name: modules for name, modules in found.items() if modules} == {}


def test_programs_are_run_in_one_place() -> None:
    others = [path for path in SOURCES if path != ROOT / "dbops/process.py"]
    found = {name_of(path): _imported_by(ast.walk(_tree(path))) & RUNS_PROGRAMS for path in others}
    assert {name: modules for name, modules in found.items() if modules} == {}
    calls = {name_of(path): _calls(path) & RUNNING_CALLS for path in others}
    assert {name: called for name, called in calls.items() if called} == {}


def test_library_does_not_end_the_interpreter() -> None:
    library = [path for path in SOURCES if not path.is_relative_to(ROOT / "dbops/cli")]
    calls = {name_of(path): _calls(path) & {"sys.exit", "os._exit", "exit", "quit"} for path in library}
    assert {name: called for name, called in calls.items() if called} == {}


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def _calls(path: Path) -> set[str]:
    return {ast.unparse(node.func) for node in ast.walk(_tree(path)) if isinstance(node, ast.Call)}


def _at_module_level(path: Path) -> list[ast.AST]:
    """Statements that run on import: those below ``if`` and ``try`` count, those in functions do not."""
    found: list[ast.AST] = []
    waiting: list[ast.AST] = [_tree(path)]
    while waiting:
        node = waiting.pop()
        found.append(node)
        waiting += [
            child
            for child in ast.iter_child_nodes(node)
            if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        ]
    return found


def _imported_by(nodes: Iterable[ast.AST]) -> set[str]:
    names: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.partition(".")[0])
    return names
