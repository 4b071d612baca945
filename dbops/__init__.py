"""dbops, the database operations assistant.

The library's door is :class:`Workspace`; the four things it does are the modules of :mod:`dbops.operations`::

    import dbops
    from dbops.operations import health

    ws = dbops.Workspace.load()
    report = health.check(ws, "shop")

Names are imported when they are first used, so that ``import dbops`` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dbops.config import Config, Target
    from dbops.errors import DbopsError
    from dbops.execute import Outcome
    from dbops.operations.workspace import Workspace
    from dbops.plan import Plan, SecretRef, load_plan

__version__ = "0.1.0"

__all__ = [
    "Config",
    "DbopsError",
    "Outcome",
    "Plan",
    "SecretRef",
    "Target",
    "Workspace",
    "__version__",
    "load_plan",
]

_HOME = {
    "Config": "dbops.config",
    "DbopsError": "dbops.errors",
    "Outcome": "dbops.execute",
    "Plan": "dbops.plan",
    "SecretRef": "dbops.plan",
    "Target": "dbops.config",
    "Workspace": "dbops.operations.workspace",
    "load_plan": "dbops.plan",
}


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module 'dbops' has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
