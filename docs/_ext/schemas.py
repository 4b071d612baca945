"""Write the JSON Schemas of every document into ``docs/reference/schemas``: ``python docs/_ext/schemas.py``.

They are committed, so that a change of what is printed shows in review; a test compares them with the code.
"""

from __future__ import annotations

import json
from pathlib import Path

from dbops.report.schemas import DOCUMENTS, FILES, schema

FOLDER = Path(__file__).parent.parent / "reference" / "schemas"


def file_name(name: str) -> str:
    """``dbops.health.check/1`` is in ``dbops.health.check.1.json``."""
    return f"{name.replace('/', '.')}.json"


def texts() -> dict[str, str]:
    """What each file has to hold."""
    names = sorted([*DOCUMENTS, *FILES])
    return {file_name(name): json.dumps(schema(name), indent=2, ensure_ascii=False) + "\n" for name in names}


def main() -> None:
    """Write them all, and remove what is no document any more."""
    wanted = texts()
    for path in FOLDER.glob("*.json"):
        if path.name not in wanted:
            path.unlink()
    for name, text in wanted.items():
        (FOLDER / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
