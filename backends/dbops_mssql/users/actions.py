"""What may be done with an object: the portable words of a spec and the server's own, as permissions."""

from __future__ import annotations

from difflib import get_close_matches

from dbops.errors import InputError
from dbops.model.access import Kind
from dbops.model.users import SpecGrant

__all__ = ["actions"]


def actions(grant: SpecGrant, kind: Kind) -> tuple[str, ...]:
    """In the server's order.

    :raises InputError: with ``file:line``: a word that has no meaning for this kind of object.
    """
    found: set[str] = set()
    for word in grant.can:
        found.update(_meaning(word, kind, grant.where))
    return tuple(action for action in kind.actions if action in found)


def _meaning(word: str, kind: Kind, where: str) -> tuple[str, ...]:
    plain = " ".join(word.upper().replace("_", " ").split())
    for portable in kind.words:
        if portable.word == word.lower():
            return portable.actions
    if plain in kind.actions:
        return (plain,)
    known = [*(one.word for one in kind.words), *(action.lower() for action in kind.actions)]
    close = get_close_matches(word.lower(), known, n=1)
    raise InputError(
        f"{where}: {word!r} has no meaning for a {kind.name}",
        hint=f"Did you mean {close[0]!r}?" if close else f"There is: {', '.join(known)}.",
    )
