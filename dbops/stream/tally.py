"""Counting and digesting bytes that pass."""

from __future__ import annotations

import hashlib

from dbops.model.repository import Content

__all__ = ["Tally"]


class Tally:
    """Length and SHA-256 of everything added; hashlib releases the interpreter lock for blocks of this size."""

    def __init__(self) -> None:
        self.size = 0
        self._digest = hashlib.sha256()

    def add(self, block: bytes | memoryview) -> None:
        self._digest.update(block)
        self.size += len(block)

    def content(self) -> Content:
        """What was added so far."""
        return Content(size=self.size, sha256=self._digest.hexdigest())
