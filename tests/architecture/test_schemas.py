"""The published schemas are committed, so that a change of what is printed shows in review."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from dbops.report.schemas import DOCUMENTS, FILES

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs" / "reference" / "schemas"
SCRIPT = ROOT / "docs" / "_ext" / "schemas.py"


def test_the_committed_schemas_are_those_of_the_code() -> None:
    done = subprocess.run([sys.executable, SCRIPT, "--check"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_there_is_one_file_for_each() -> None:
    names = {f"{name.replace('/', '.')}.json" for name in (*DOCUMENTS, *FILES)}
    assert {path.name for path in FOLDER.iterdir()} == names
