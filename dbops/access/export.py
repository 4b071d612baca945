"""A users spec made of a snapshot: it plans to nothing against the same server."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dbops.access.match import managed
from dbops.access.naming import spell
from dbops.model.access import AccessSnapshot, Grant, Membership, Principal, SecuredObject

__all__ = ["export", "names_to_export"]

Entry = dict[str, Any]  # Any: the plain values of a YAML document


def names_to_export(snapshot: AccessSnapshot, patterns: Sequence[str]) -> tuple[str, ...]:
    """The principals that a spec is made of; without patterns everybody but the engine's own and who bypasses all."""
    bypass = set(snapshot.rules.bypass)
    return tuple(
        one.name
        for one in snapshot.principals
        if (managed(patterns, one) if patterns else not one.system and not bypass.intersection(one.attributes))
        and one.kind not in ("public", "unknown")
    )


def export(snapshot: AccessSnapshot, names: Sequence[str], databases: Sequence[str]) -> Entry:
    """The spec as plain values, in the order in which they are to be written.

    ``attributes`` are in the engine's words and ``NOINHERIT`` stands for the attribute that is missing.
    """
    exporting = _Export(snapshot, names, databases)
    roles, users = exporting.people()
    return {
        "dbops": "users/1",
        "manage": {"principals": list(names), "databases": list(databases)},
        **({"roles": roles} if roles else {}),
        **({"users": users} if users else {}),
    }


class _Export:
    def __init__(self, snapshot: AccessSnapshot, names: Sequence[str], databases: Sequence[str]) -> None:
        self._snapshot = snapshot
        self._databases = set(databases)
        places = {one.name: number for number, one in enumerate(snapshot.principals)}
        self._numbers = [places[name] for name in names]
        chosen = set(self._numbers)
        self._objects = [one for one in snapshot.objects if self._inside(one)]
        self._grants: dict[int, list[tuple[SecuredObject, Grant]]] = {number: [] for number in chosen}
        for one in self._objects:
            for grant in snapshot.grants(one):
                if grant.grantee in chosen and grant.grantee != one.owner:
                    self._grants[grant.grantee].append((one, grant))
        self._member_of: dict[int, list[Membership]] = {number: [] for number in chosen}
        for row in snapshot.memberships:
            if row.member in chosen and not row.implicit:
                self._member_of[row.member].append(row)

    def _inside(self, one: SecuredObject) -> bool:
        return not self._snapshot.kind(one).contained or one.database in self._databases

    def people(self) -> tuple[dict[str, Entry], dict[str, Entry]]:
        """Those that cannot log in, and those that can."""
        roles: dict[str, Entry] = {}
        users: dict[str, Entry] = {}
        for number in self._numbers:
            one = self._snapshot.principals[number]
            (users if one.login else roles)[one.name] = self._entry(number, one)
        return roles, users

    def _entry(self, number: int, one: Principal) -> Entry:
        attributes = [word.lower() for word in one.attributes if word not in ("LOGIN", "INHERIT")]
        if "INHERIT" not in one.attributes:
            attributes.append("noinherit")
        found: Entry = {
            "attributes": attributes,
            "member_of": self._memberships(number, one),
            "grants": [*self._on_objects(number), *self._future(number)],
            "owns": self._owns(number),
        }
        entry = {key: value for key, value in found.items() if value}
        if one.valid_until is not None:
            entry["valid_until"] = one.valid_until.isoformat()
        if one.connection_limit is not None:
            entry["connection_limit"] = one.connection_limit
        return entry

    def _memberships(self, number: int, one: Principal) -> list[Any]:
        groups: dict[str, dict[str, bool]] = {}
        for row in self._member_of[number]:
            options = groups.setdefault(
                self._snapshot.principals[row.group].name, {"inherit": False, "set": False, "admin": False}
            )
            for word in options:
                options[word] |= bool(getattr(row, word))
        usual = {"inherit": "INHERIT" in one.attributes, "set": True, "admin": False}
        return [
            name if options == usual else {"role": name, **{key: v for key, v in options.items() if v != usual[key]}}
            for name, options in sorted(groups.items())
        ]

    def _on_objects(self, number: int) -> list[Entry]:
        found: dict[tuple[str, tuple[str, ...], bool], list[str]] = {}
        columns: dict[tuple[str, tuple[str, ...], tuple[str, ...], bool], list[str]] = {}
        for one, grant in self._grants[number]:
            kind = self._snapshot.kind(one)
            for bits, option in ((grant.actions & ~grant.grantable, False), (grant.grantable, True)):
                actions = kind.names(bits)
                if actions and one.kind == "column":
                    table = self._snapshot.objects[one.parent]
                    columns.setdefault((table.kind, table.path, actions, option), []).append(one.path[-1])
                elif actions:
                    words = found.setdefault((one.kind, one.path, option), [])
                    words += [word for word in actions if word not in words]
        plain = [self._grant(kind, path, words, option) for (kind, path, option), words in found.items()]
        partly = [
            {**self._grant(kind, path, list(actions), option), "columns": names}
            for (kind, path, actions, option), names in columns.items()
        ]
        return [*plain, *partly]

    def _grant(self, kind: str, path: tuple[str, ...], actions: Sequence[str], option: bool) -> Entry:
        entry: Entry = {"object": self._spell(kind, path), "can": [word.lower() for word in actions]}
        return {**entry, "grantable": True} if option else entry

    def _spell(self, kind: str, path: tuple[str, ...]) -> str:
        return spell(self._snapshot.rules, kind, path)

    def _future(self, number: int) -> list[Entry]:
        creators: dict[tuple[str, tuple[str, ...], tuple[str, ...], bool], list[str]] = {}
        for one in self._snapshot.defaults:
            if one.database not in self._databases or one.creator == number:
                continue
            kind = self._snapshot.rules.kinds[one.kind]
            path = (one.database, one.schema or "*", "*")[: kind.depth]
            for grant in one.grants:
                if grant.grantee != number:
                    continue
                for bits, option in ((grant.actions & ~grant.grantable, False), (grant.grantable, True)):
                    if bits:
                        key = (one.kind, path, kind.names(bits), option)
                        creators.setdefault(key, []).append(self._snapshot.principals[one.creator].name)
        return [
            {**self._grant(kind, path, actions, option), "future": "only", "creators": sorted(names)}
            for (kind, path, actions, option), names in sorted(creators.items())
        ]

    def _owns(self, number: int) -> list[str]:
        return [
            self._spell(one.kind, one.path)
            for one in self._objects
            if one.owner == number and one.follows < 0 and one.kind != "parameter"
        ]
