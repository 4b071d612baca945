"""What a command costs before it does anything, beside importing click alone."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any


# Any: the fixture's own types live in a conftest, which cannot be imported.
def test_startup(race: Callable[..., Any], dbops: list[str]) -> None:
    race(
        "start-up",
        {
            "python -c 'import click'": [sys.executable, "-c", "import click"],
            "dbops --help": [*dbops, "--help"],
            "dbops job --help": [*dbops, "job", "--help"],
        },
        rounds=15,
    )
