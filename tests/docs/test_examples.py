"""Every command that the documentation shows is run, in order, against a real server filled like the demo's shop.

A block marked ``console`` holds lines that begin with ``$``. It must succeed; a comment ``<!-- exit: N -->`` before it
says another exit code, ``any`` allows the answers 0, 1 and 76 (it depends on what is found). What is for other engines
says so, ``<!-- on: mysql mariadb -->`` or ``<!-- exit: 1, on: mariadb -->``; the target ``shop`` is then their shop.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
import yaml

from dbops_mysql.demo.shop import Shop as OtherShop
from dbops_postgresql.demo.shop import Shop

DOCS = Path(__file__).parents[2] / "docs"
BLOCK = re.compile(
    r"(?:<!-- (?:exit: (?P<code>\w+))?(?:, )?(?:on: (?P<engines>[\w ]+))? -->\n)?"
    r"```(?P<language>\w+)\n(?P<text>.*?)```",
    re.DOTALL,
)
PAGES = ["how-to/health.md", "how-to/access.md", "how-to/users.md", "how-to/backup.md", "how-to/unattended.md"]
OTHER_PAGES = ["how-to/access.md", "how-to/users.md", "how-to/backup.md"]


def commands(page: str, engine: str = "postgresql") -> Iterator[tuple[str, str]]:
    """Each command for an engine with the exit code that its block allows."""
    for found in BLOCK.finditer((DOCS / page).read_text(encoding="utf-8")):
        if found["language"] == "console" and engine in (found["engines"] or "postgresql").split():
            for line in found["text"].splitlines():
                if line.startswith("$ "):
                    yield line[2:], found["code"] or "0"


def test_every_page_with_commands_is_run() -> None:
    pages = {str(path.relative_to(DOCS)) for path in DOCS.rglob("*.md") if "_build" not in path.parts}
    with_commands = {page for page in pages if any(True for _ in commands(page))}
    assert with_commands == set(PAGES)
    others = {page for page in pages for engine in ("mysql", "mariadb") if any(True for _ in commands(page, engine))}
    assert others == set(OTHER_PAGES)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, shop: Shop) -> Path:
    """A directory with a dbops.toml for the shop and the spec that the users page shows."""
    folder = tmp_path_factory.mktemp("docs")
    endpoint = shop.endpoint()
    assert endpoint.password is not None
    (folder / "dbops.toml").write_text(
        f"""
[repositories.main]
url = "file://{folder}/repository"
[targets.shop]
url = "postgresql://postgres@{endpoint.host}:{endpoint.port}/shop"
password = "{endpoint.password.ref}"
repository = "main"
labels = {{ env = "prod" }}
timeout = "20s"
[targets.shop.objective]
rpo = "24h"
rto = "2h"
keep = {{ daily = 7, weekly = 4, monthly = 12 }}
[targets.shop.verify]
tools = "{shop.tools}"
[jobs.nightly]
do = "backup"
targets = "label:env=prod"
at = "15 2 * * *"
[jobs.proof]
do = "verify"
targets = "label:env=prod"
at = "30 4 * * sun"
level = "full"
"""
    )
    shown = [found["text"] for found in BLOCK.finditer((DOCS / "how-to/users.md").read_text(encoding="utf-8"))]
    spec = next(text for text in shown if "dbops: users/1" in text)
    assert yaml.safe_load(spec)["users"]["erin"]
    (folder / "team.yaml").write_text(spec)
    return folder


def environment_of(place: Path) -> dict[str, str]:
    return {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "DBOPS_STATE": str(place / "state"),
        "ERIN_PASSWORD": "first-secret-of-erin",
    }


@pytest.mark.parametrize("page", ["docs/how-to/library.md", "README.md"])
def test_python_examples(page: str, place: Path) -> None:
    text = (DOCS.parent / page).read_text(encoding="utf-8")
    programs = [found["text"] for found in BLOCK.finditer(text) if found["language"] == "python"]
    assert programs
    for program in programs:
        done = subprocess.run(
            [sys.executable, "-c", program],
            check=False,
            cwd=place,
            env=environment_of(place),
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, f"{page}: {program}\n{done.stderr[-3000:]}"


@pytest.mark.parametrize("page", PAGES)
def test_examples(page: str, place: Path) -> None:
    run(commands(page), place, page)


def run(wanted: Iterable[tuple[str, str]], place: Path, page: str) -> None:
    environment = environment_of(place)
    for command, code in wanted:
        done = subprocess.run(
            ["bash", "-c", command], check=False, cwd=place, env=environment, capture_output=True, text=True
        )
        allowed = {0, 1, 76} if code == "any" else {int(code)}
        assert done.returncode in allowed, f"{page}: {command}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"


@pytest.fixture(scope="module")
def other_place(other_shop: OtherShop, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same for a shop on another engine."""
    folder = tmp_path_factory.mktemp("docs")
    at = other_shop.endpoint()
    assert at.password is not None
    (folder / "dbops.toml").write_text(
        f"""
[repositories.main]
url = "file://{folder}/repository"
[targets.shop]
repository = "main"
url = "{at.engine}://{at.user}@{at.host}:{at.port}/shop"
password = "{at.password.ref}"
timeout = "20s"
"""
    )
    blocks = list(BLOCK.finditer((DOCS / "how-to/users.md").read_text(encoding="utf-8")))
    spec = next(one["text"] for one in blocks if one["language"] == "yaml" and "mysql" in (one["engines"] or ""))
    (folder / "team.yaml").write_text(spec)
    return folder


@pytest.mark.parametrize("page", OTHER_PAGES)
def test_examples_for_other_engines(page: str, other_shop: OtherShop, other_place: Path) -> None:
    run(commands(page, other_shop.installation.family), other_place, page)
