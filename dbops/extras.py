"""What somebody runs when something that a backend stands on is not there."""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points

__all__ = ["GROUP", "how_to_install", "provider"]

GROUP = "dbops.backends"


def provider(point: EntryPoint) -> str:
    """The distribution that registered a backend."""
    return point.dist.name if point.dist else "an unknown package"


def how_to_install(engine: str, point: EntryPoint | None = None) -> str:
    """For a hint: the extra that is named like the engine, where its distribution has one. What every installation
    brings is only to be installed again.

    :param point: what registered the backend; by default whatever did so under the engine's name.
    """
    found = point or next(iter(entry_points(group=GROUP, name=engine)), None)
    package = provider(found) if found else "dbops"
    extras = (found.dist.metadata.get_all("Provides-Extra") or []) if found and found.dist else []
    if engine in extras:
        return f"pip install '{package}[{engine}]' brings what this engine needs."
    return f"Install {package} again, with what it needs."
