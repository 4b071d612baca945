"""Which backends there are. Built-in ones register through the same entry points as anybody else's."""

from __future__ import annotations

from functools import cache
from importlib.metadata import EntryPoint, entry_points

from dbops.errors import ConfigError, UsageError
from dbops.extras import GROUP, how_to_install, provider
from dbops.spi import API_VERSION, Backend

__all__ = ["GROUP", "backend", "backends", "for_scheme", "names"]


def names() -> tuple[str, ...]:
    """The registered names, sorted; loads no backend."""
    return tuple(sorted(_points()))


@cache
def backend(name: str) -> Backend:
    """Load one backend.

    :raises UsageError: no such name.
    :raises ConfigError: two distributions provide it, it was made for another API, or it cannot be imported.
    """
    points = _points()
    if name not in points:
        raise UsageError(f"there is no backend called {name!r}", hint=f"Installed: {', '.join(sorted(points))}.")
    return load(points[name])


def backends() -> dict[str, Backend]:
    """Every backend by name."""
    return {name: backend(name) for name in names()}


def for_scheme(scheme: str) -> Backend:
    """The backend that answers for a URL scheme (``postgresql``, ``mysql``), drivers after ``+`` left out.

    :raises UsageError: nobody does.
    """
    plain = scheme.partition("+")[0]
    known: set[str] = set()
    broken: list[str] = []
    for name in [plain] if plain in _points() else names():
        try:
            candidate = backend(name)
        except ConfigError as error:
            if name == plain:
                raise
            broken.append(error.message)  # somebody else's plugin: told only when nobody answers
            continue
        if plain in candidate.url_schemes:
            return candidate
        known.update(candidate.url_schemes)
    hint = f"Known: {', '.join(sorted(known))}."
    raise UsageError(f"no backend answers for {plain}:// URLs", hint=" ".join([hint, *broken]))


def load(point: EntryPoint) -> Backend:
    """Import a backend and check that it speaks this version of the plugin API."""
    try:
        found: Backend = point.load()
    except (ImportError, AttributeError) as error:
        absent = isinstance(error, ModuleNotFoundError) and error.name
        reason = f"{error.name} is missing" if absent else str(error)
        raise ConfigError(
            f"the backend {point.name!r} ({provider(point)}) cannot be imported: {reason}",
            hint=how_to_install(point.name, point),
        ) from error
    version = getattr(found, "api_version", None)
    if version != API_VERSION:
        raise ConfigError(
            f"the backend {point.name!r} ({provider(point)}) speaks plugin API {version}, this dbops {API_VERSION}",
            hint=f"Install a version of {provider(point)} made for plugin API {API_VERSION}.",
        )
    return found


@cache
def _points() -> dict[str, EntryPoint]:
    return unique(tuple(entry_points(group=GROUP)))


def unique(points: tuple[EntryPoint, ...]) -> dict[str, EntryPoint]:
    """Entry points by name.

    :raises ConfigError: two distributions provide one name; both are named. One distribution that is seen twice
        (an editable install beside a built one) is the same provider.
    """
    found: dict[str, EntryPoint] = {}
    for point in points:
        other = found.setdefault(point.name, point)
        if other.value != point.value or provider(other) != provider(point):
            raise ConfigError(
                f"two packages provide the backend {point.name!r}: {provider(other)} ({other.value}) "
                f"and {provider(point)} ({point.value})",
                hint="Uninstall one of them.",
            )
    return found
