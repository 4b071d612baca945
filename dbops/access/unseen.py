"""Groups of which not everybody is known who is in them, and what that leaves open of an answer."""

from __future__ import annotations

from collections.abc import Iterator

from dbops.access.covered import Covered
from dbops.model.access import PUBLIC, UNKNOWN_MEMBERS, AccessSnapshot, SecuredObject

__all__ = ["barring", "letting", "unseen"]


def unseen(snapshot: AccessSnapshot) -> tuple[int, ...]:
    """The groups."""
    return tuple(at for at, one in enumerate(snapshot.principals) if UNKNOWN_MEMBERS in one.attributes)


def letting(effective: Covered, who: int, one: SecuredObject, action: str) -> Iterator[int]:
    """Groups that may do something, and that somebody may be in without our knowing."""
    holders = effective.nominal(one, action)
    return (group for group in _around(effective, who) if holders >> group & 1)


def barring(effective: Covered, who: int, one: SecuredObject, action: str) -> Iterator[int]:
    """The same of groups to which it is denied; whoever is not asked is not barred either."""
    denied = 0 if effective.exempt(one) >> who & 1 else effective.rights(one, action)[1]
    return (group for group in _around(effective, who) if denied >> group & 1)


def _around(effective: Covered, who: int) -> Iterator[int]:
    """Only an account can be in a group, and only one of the same directory; its word is the first attribute."""
    one = effective.snapshot.principals[who]
    if who == PUBLIC or one.kind != "user" or one.database:
        return
    for group in unseen(effective.snapshot):
        same = effective.snapshot.principals[group].attributes[:1] == one.attributes[:1]
        if same and not effective.contexts.holders(group) >> who & 1:
            yield group
