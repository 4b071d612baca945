"""Write the JSON Schemas of every document into ``docs/reference/schemas``: ``python docs/_ext/schemas.py``.

They are committed, so that a change of what is printed shows in review; ``--check`` says which ones are out of date.
Descriptions come from docstrings and do not count there: another wording promises nothing else.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path

from dbops.report.schemas import DOCUMENTS, FILES, schema

FOLDER = Path(__file__).parent.parent / "reference" / "schemas"
COMMAND = "python docs/_ext/schemas.py"


def file_name(name: str) -> str:
    """``dbops.health.check/1`` is in ``dbops.health.check.1.json``."""
    return f"{name.replace('/', '.')}.json"


def texts() -> dict[str, str]:
    """What each file has to hold."""
    names = sorted([*DOCUMENTS, *FILES])
    return {file_name(name): json.dumps(schema(name), indent=2, ensure_ascii=False) + "\n" for name in names}


def out_of_date(wanted: Mapping[str, str]) -> list[str]:
    """Files that promise something else, are missing, or are of no document any more."""
    there = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.json")}
    return sorted(wanted.keys() ^ there.keys()) + sorted(
        name for name in wanted.keys() & there.keys() if promise(wanted[name]) != promise(there[name])
    )


def promise(text: str) -> object:
    """A schema without its descriptions."""
    return json.loads(text, object_pairs_hook=_undescribed)


def _undescribed(pairs: list[tuple[str, object]]) -> dict[str, object]:
    return {key: value for key, value in pairs if key != "description" or not isinstance(value, str)}


def write(wanted: Mapping[str, str]) -> None:
    """Bring every file up to date."""
    FOLDER.mkdir(exist_ok=True)
    for path in FOLDER.glob("*.json"):
        if path.name not in wanted:
            path.unlink()
    for name, text in wanted.items():
        (FOLDER / name).write_text(text, encoding="utf-8")


def main(arguments: list[str]) -> int:
    """The exit code."""
    wanted = texts()
    if "--check" not in arguments:
        write(wanted)
        return 0
    stale = out_of_date(wanted)
    if stale:
        sys.stderr.write(f"out of date, run '{COMMAND}' and look at the difference: {', '.join(stale)}\n")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
