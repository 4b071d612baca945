"""Names of objects as a person writes them: ``kind:part.part``, parts quoted the engine's way where they must be."""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import get_close_matches
from itertools import islice

from dbops.access.accounts import is_account, split_account
from dbops.errors import UsageError
from dbops.model.access import UNKNOWN_MEMBERS, AccessSnapshot, Principal, Rules, SecuredObject

__all__ = ["find", "find_accounts", "find_principal", "label", "parts", "spell", "split_kind"]

_LOOKED_AT = 2000
_PLAIN = re.compile(r"[^\W\d][\w$-]*\Z")


def spell(rules: Rules, kind: str, path: Sequence[str]) -> str:
    """``table:app.sales.orders``; a part with a dot, a quote or a blank is quoted."""
    if not path:
        return kind
    known = rules.kinds.get(kind)
    raw = known is not None and known.signature
    spelled = [part if raw and at == len(path) - 1 else _part(part, rules.quotes) for at, part in enumerate(path)]
    return f"{kind}:{'.'.join(spelled)}"


def _part(part: str, quotes: tuple[str, str]) -> str:
    if _PLAIN.match(part) or part == "*":
        return part
    return f"{quotes[0]}{part.replace(quotes[1], quotes[1] * 2)}{quotes[1]}"


def label(snapshot: AccessSnapshot, one: SecuredObject) -> str:
    """The name of an object of a snapshot."""
    return spell(snapshot.rules, one.kind, one.path)


def split_kind(text: str, rules: Rules) -> tuple[str, str]:
    """``("table", "app.sales.orders")``; the kind (or family of kinds) is empty when it was left out."""
    kind, colon, rest = text.partition(":")
    known = rules.kinds.keys() | {one.family for one in rules.kinds.values() if one.family}
    if colon and kind in known:
        return kind, rest
    return ("", text) if text not in rules.kinds else (text, "")


def parts(text: str, rules: Rules) -> tuple[str, ...]:
    """A dotted name in its parts, quotes taken off. What stands in brackets (a signature) is left as it is.

    :raises UsageError: a quote that is not closed, or an empty part.
    """
    opening, closing = rules.quotes
    found: list[str] = []
    at = 0
    while at <= len(text):
        part, at = _quoted(text, at, opening, closing) if text.startswith(opening, at) else _bare(text, at)
        found.append(part)
        if at < len(text) and text[at] != ".":
            raise UsageError(f"{text}: a dot is missing after {part!r}")
        at += 1
    return tuple(found)


def _quoted(text: str, at: int, opening: str, closing: str) -> tuple[str, int]:
    start, end = at, at + len(opening)
    letters: list[str] = []
    while end < len(text):
        if text.startswith(closing * 2, end):
            letters.append(closing)
            end += 2 * len(closing)
        elif text.startswith(closing, end):
            end += len(closing)
            if end < len(text) and text[end] == "(":  # a routine with a quoted name: kept as it is written
                return text[start:], len(text)
            return "".join(letters), end
        else:
            letters.append(text[end])
            end += 1
    raise UsageError(f"{text}: a quote is not closed")


def _bare(text: str, at: int) -> tuple[str, int]:
    end = at
    while end < len(text) and text[end] != ".":
        if text[end] == "(":
            return text[at:], len(text)
        end += 1
    if end == at:
        raise UsageError(f"{text}: a part of the name is empty")
    return text[at:end], end


def find(snapshot: AccessSnapshot, text: str) -> int:
    """The position of the object that ``text`` names; leading parts may be left out where that is clear.

    :raises UsageError: no such object, or several.
    """
    kind, rest = split_kind(text, snapshot.rules)
    path = _path(kind, rest, snapshot.rules) if rest else ()
    found = [number for number, one in enumerate(snapshot.objects) if _fits(snapshot, one, kind, path)]
    exact = [number for number in found if len(snapshot.objects[number].path) == len(path)]
    near = [number for number in exact or found if snapshot.objects[number].database == snapshot.database]
    chosen = near if len(near) == 1 else exact or found
    if len(chosen) == 1:
        return chosen[0]
    names = sorted(label(snapshot, snapshot.objects[number]) for number in chosen)
    if names:
        raise UsageError(f"{text} could be several objects", hint=f"Write one of: {'; '.join(names[:5])}.")
    raise UsageError(f"there is no object {text}", hint=_what_there_is(snapshot, text, kind, path))


def _what_there_is(snapshot: AccessSnapshot, text: str, kind: str, path: tuple[str, ...]) -> str:
    """The names that are most like it among those that share a part with it; else what the name may begin with."""
    if snapshot.databases_missing:
        return f"Not read: {', '.join(snapshot.databases_missing)}."
    alike = (one for one in snapshot.objects if _fits(snapshot, one, kind, one.path) and _shares(one.path, path))
    labels = (label(snapshot, one) for one in islice(alike, _LOOKED_AT))
    close = get_close_matches(text, [one if kind else one.partition(":")[2] for one in labels], n=3)
    kinds = f"Kinds: {', '.join(sorted(snapshot.rules.kinds))}."
    return f"Did you mean {' or '.join(close)}?" if close else kinds


def _shares(path: tuple[str, ...], given: tuple[str, ...]) -> bool:
    own = path[-len(given) :] if given else ()
    return len(own) == len(given) and (len(given) == 1 or any(a == b for a, b in zip(own, given, strict=True)))


def _path(kind: str, rest: str, rules: Rules) -> tuple[str, ...]:
    """A name of one part is taken whole, dots and all: ``account:'alice'@'10.%'``."""
    whole = kind in rules.kinds and rules.kinds[kind].depth == 1 and not rest.startswith(rules.quotes[0])
    return (rest,) if whole else parts(rest, rules)


def _fits(snapshot: AccessSnapshot, one: SecuredObject, kind: str, path: tuple[str, ...]) -> bool:
    if kind and one.kind != kind and snapshot.kind(one).family != kind:
        return False
    return one.path[-len(path) :] == path if path else not one.path


def find_principal(snapshot: AccessSnapshot, text: str) -> int:
    """The position of a principal: ``alice``, ``role:app_read``, ``'alice'@'10.%'``, ``alice@10.%``, ``PUBLIC``.

    An account of a user and a host is also found by its user, as long as there is one of that user.
    :raises UsageError: nobody of that name, or several.
    """
    kind, colon, rest = text.partition(":")
    by_kind = rest if colon else ""
    found = [
        number
        for number, one in enumerate(snapshot.principals)
        if _called(one, text) or (by_kind and one.kind == kind and _called(one, by_kind))
    ]
    known = [number for number in found if snapshot.principals[number].kind != "unknown"] or found
    outside = [number for number in known if not snapshot.principals[number].database]
    known = outside or known  # what a name means on the server comes before what it means in one of its databases
    if len(known) == 1:
        return known[0]
    if known:
        people = [snapshot.principals[number] for number in known]
        names = (f"{one.kind}:{one.name}" if one.name == text else one.name for one in people)
        raise UsageError(f"{text} could be several principals", hint=f"Write one of: {'; '.join(names)}.")
    if text.upper() == "PUBLIC":
        return 0
    raise UsageError(f"there is no principal {text!r} on this server", hint=_near(text, snapshot))


def find_accounts(snapshot: AccessSnapshot, text: str) -> tuple[int, ...]:
    """The position of a principal, or of all accounts of a user whose name alone is given.

    :raises UsageError: nobody of that name, or an account and a role.
    """
    people = list(enumerate(snapshot.principals))
    if not any(one.name == text for _, one in people):
        accounts = tuple(at for at, one in people if one.kind == "user" and one.user == text != "")
        if accounts:
            return accounts
    return (find_principal(snapshot, text),)


def _called(one: Principal, text: str) -> bool:
    if one.name == text:
        return True
    if not is_account(one):
        return False
    both = split_account(text)
    if one.user == text and not one.host:
        return True
    return one.user == text if both is None else (one.user, one.host.lower()) == (both[0], both[1].lower())


def _near(text: str, snapshot: AccessSnapshot) -> str:
    close = get_close_matches(text, [one.name for one in snapshot.principals], n=1)
    groups = [one.name for one in snapshot.principals if UNKNOWN_MEMBERS in one.attributes]
    found = [f"Did you mean {close[0]!r}?"] if close else []
    if groups:
        more = f" and {len(groups) - 3} more" if len(groups) > 3 else ""
        found.append(
            f"Not everybody is known who is in {', '.join(groups[:3])}{more}: who comes in by such a group may do what "
            "it may."
        )
    hidden = dict.fromkeys(why.detail for why in snapshot.kinds_missing.values() if why.reason == "hidden_rows")
    if hidden and not close:
        found.append(f"The login in use is not shown everything: {'; '.join(hidden)}.")
    return " ".join(found)
