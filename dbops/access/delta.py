"""What the effective access of each principal gains and loses between two snapshots."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from dbops.access.closure import each
from dbops.access.effective import Effective
from dbops.access.evaluator import evaluator
from dbops.access.naming import spell
from dbops.model.access import AccessSnapshot, Kind, Membership, SecuredObject
from dbops.model.audit import Comparison
from dbops.model.users import Delta

__all__ = ["compare", "deltas"]

Key = tuple[str, tuple[str, ...]]
Places = dict[Key, SecuredObject]


def deltas(before: AccessSnapshot, after: AccessSnapshot, now: datetime) -> tuple[Delta, ...]:
    """Principals in the order of their names; only those for whom something changes."""
    old, new = evaluator(before, now), evaluator(after, now)
    gains: dict[str, list[str]] = {}
    losses: dict[str, list[str]] = {}
    names = _union(old, new)
    for what, was, will in _compared(old, new):
        for number in each(will & ~was):
            gains.setdefault(names[number], []).append(what)
        for number in each(was & ~will):
            losses.setdefault(names[number], []).append(what)
    _logins(old, new, gains, losses)
    return tuple(
        Delta(principal=who, gains=tuple(gains.get(who, ())), loses=tuple(losses.get(who, ())))
        for who in sorted(gains.keys() | losses.keys())
    )


def _union(old: Effective, new: Effective) -> list[str]:
    """Sets are compared over the names of both; those of the first alone come last."""
    names = [one.name for one in new.snapshot.principals]
    known = set(names)
    return names + [one.name for one in old.snapshot.principals if one.name not in known]


class _Renumbering:
    """Sets of the first snapshot in the numbers of the second."""

    def __init__(self, old: Effective, new: Effective) -> None:
        places = {name: at for at, name in enumerate(_union(old, new))}
        self._to = [places[one.name] for one in old.snapshot.principals]
        self._same = all(at == to for at, to in enumerate(self._to))

    def __call__(self, bits: int) -> int:
        return bits if self._same else sum(1 << self._to[number] for number in each(bits))


def _compared(old: Effective, new: Effective) -> Iterator[tuple[str, int, int]]:
    renumber = _Renumbering(old, new)
    before, after = _places(old.snapshot), _places(new.snapshot)
    for key in sorted(before.keys() | after.keys()):
        kind = new.snapshot.rules.kinds.get(key[0]) or old.snapshot.rules.kinds[key[0]]
        for action in kind.actions:
            first = renumber(_holders(old, before, key, action))
            second = _holders(new, after, key, action)
            if first != second:
                yield f"{action} on {spell(new.snapshot.rules, key[0], key[1])}", first, second


def _places(snapshot: AccessSnapshot) -> Places:
    return {(one.kind, one.path): one for one in snapshot.objects}


def _holders(effective: Effective, places: Places, key: Key, action: str) -> int:
    kind = effective.snapshot.rules.kinds.get(key[0])
    if kind is None or action not in kind.actions:
        return 0
    if key in places:
        return effective.nominal(places[key], action)
    return _by_table(effective, places, kind, key[1], action) if kind.name == "column" else 0


def _by_table(effective: Effective, places: Places, kind: Kind, path: tuple[str, ...], action: str) -> int:
    """A column is only in a snapshot when it has rights of its own; without them, those of its table hold."""
    found = 0
    for implied in kind.implied:
        for name, above in effective.snapshot.rules.kinds.items():
            table = places.get((name, path[:-1]))
            if table is not None and implied.action == action and implied.by_kind in (name, above.family):
                found |= effective.nominal(table, implied.by_action)
    return found


def _logins(old: Effective, new: Effective, gains: dict[str, list[str]], losses: dict[str, list[str]]) -> None:
    was = {old.snapshot.principals[number].name for number in each(old.able)}
    will = {new.snapshot.principals[number].name for number in each(new.able)}
    for name in will - was:
        gains.setdefault(name, []).insert(0, "LOGIN")
    for name in was - will:
        losses.setdefault(name, []).insert(0, "LOGIN")


def compare(before: AccessSnapshot, after: AccessSnapshot, now: datetime) -> Comparison:
    """Everything that differs, by name: positions do not matter."""
    parts = {
        "principals": _lines(_principals(before), _principals(after)),
        "memberships": _lines(_memberships(before), _memberships(after)),
        "objects": _lines(_objects(before), _objects(after)),
        "owners": _lines(_owners(before), _owners(after), _objects(before) & _objects(after)),
        "defaults": _lines(_defaults(before), _defaults(after)),
    }
    found = deltas(before, after, now)
    return Comparison(equal=not found and not any(parts.values()), deltas=found, **parts)


def _lines(before: set[str], after: set[str], within: set[str] | None = None) -> tuple[str, ...]:
    def kept(line: str) -> bool:
        return within is None or line.partition(" owned by ")[0] in within

    gone = [(line, f"- {line}") for line in before - after if kept(line)]
    come = [(line, f"+ {line}") for line in after - before if kept(line)]
    return tuple(text for _, text in sorted([*gone, *come]))


def _principals(snapshot: AccessSnapshot) -> set[str]:
    found: set[str] = set()
    for one in snapshot.principals:
        words = [*one.attributes]
        if one.valid_until:
            words.append(f"valid until {one.valid_until.isoformat()}")
        if one.connection_limit is not None:
            words.append(f"connection limit {one.connection_limit}")
        if one.kind != "unknown":
            found.add(f"{one.name} ({', '.join(words)})")
    return found


def _memberships(snapshot: AccessSnapshot) -> set[str]:
    return {_member(snapshot, one) for one in snapshot.memberships}


def _member(snapshot: AccessSnapshot, one: Membership) -> str:
    options = [word for word in ("inherit", "set", "admin") if getattr(one, word)]
    where = f" in {one.database}" if one.database else ""
    names = snapshot.principals
    return f"{names[one.member].name} in {names[one.group].name}{where} ({', '.join(options) or 'no options'})"


def _objects(snapshot: AccessSnapshot) -> set[str]:
    return {spell(snapshot.rules, one.kind, one.path) for one in snapshot.objects if one.kind != "column"}


def _owners(snapshot: AccessSnapshot) -> set[str]:
    return {
        f"{spell(snapshot.rules, one.kind, one.path)} owned by {snapshot.principals[one.owner].name}"
        for one in snapshot.objects
        if one.owner >= 0 and one.kind != "column"
    }


def _defaults(snapshot: AccessSnapshot) -> set[str]:
    found: set[str] = set()
    for one in snapshot.defaults:
        kind = snapshot.rules.kinds[one.kind]
        where = f"{one.database}.{one.schema}" if one.schema else one.database
        for grant in one.grants:
            actions = ", ".join(kind.names(grant.actions))
            who, creator = snapshot.principals[grant.grantee].name, snapshot.principals[one.creator].name
            found.add(f"{who} gets {actions} on each new {one.kind} of {creator} in {where}")
    return found
