"""A text that is ready, for results whose document is a selection of what the text is made from."""

from __future__ import annotations

from collections.abc import Callable, Mapping

__all__ = ["rendered"]


def rendered(text: str) -> Mapping[str, Callable[[object], str]]:
    """The ``renderers`` of :func:`dbops.cli.output.emit` that give this text, whatever the result."""

    def ready(_result: object) -> str:
        return text

    return {"text": ready}
