"""Access: one frozen reading of who may do what, and the changes that lead from one state to another."""

from __future__ import annotations

import msgspec

__all__ = ["AccessSnapshot", "Change", "Desired", "Scope"]


class Scope(msgspec.Struct, frozen=True, kw_only=True):
    """What to read. Empty means everything that the login can see."""

    databases: tuple[str, ...] = ()


class AccessSnapshot(msgspec.Struct, frozen=True, kw_only=True):
    """Principals, memberships, objects, grants."""


class Desired(msgspec.Struct, frozen=True, kw_only=True):
    """A users spec, read and checked."""


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One difference between what is and what is wanted."""
