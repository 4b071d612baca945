"""A users spec made of a snapshot: it plans to nothing against the same server."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from dbops.access.match import managed
from dbops.access.naming import spell
from dbops.model.access import AccessSnapshot, Grant, Kind, Membership, Principal, SecuredObject

__all__ = ["export", "names_to_export", "with_passwords"]

UNSET = "none"  # as Principal.password says that there is none
Entry = dict[str, Any]  # Any: the plain values of a YAML document


def names_to_export(snapshot: AccessSnapshot, patterns: Sequence[str]) -> tuple[str, ...]:
    """The principals that a spec is made of; without patterns everybody but the engine's own and who may do all."""
    bypass, everything = set(snapshot.rules.bypass), _with_everything(snapshot)
    return tuple(
        one.name
        for number, one in enumerate(snapshot.principals)
        if (
            managed(patterns, one)
            if patterns
            else not one.system and not bypass.intersection(one.attributes) and number not in everything
        )
        and one.kind not in ("public", "unknown")
    )


def _with_everything(snapshot: AccessSnapshot) -> set[int]:
    """Who was granted every right on the whole of a server, where an engine has rights on that."""
    found: set[int] = set()
    for one in snapshot.objects:
        kind = snapshot.kind(one)
        every = sum(1 << at for at, action in enumerate(kind.actions) if action not in kind.own_options)
        if not one.path and kind.option:
            found |= {grant.grantee for grant in snapshot.grants(one) if grant.actions & every == every}
    return found


def export(
    snapshot: AccessSnapshot, names: Sequence[str], databases: Sequence[str], hashes: Mapping[str, str] | None = None
) -> Entry:
    """The spec as plain values, in the order in which they are to be written.

    ``attributes`` are in the engine's words, and ``NO`` and a word stands for one that everybody else has. Accounts of
    one user that are alike are one entry with several hosts.

    :param hashes: references to what is stored of passwords, by principal.
    """
    exporting = _Export(snapshot, names, databases, hashes or {})
    roles, users = exporting.people()
    return {
        "dbops": "users/1",
        "manage": {"principals": exporting.managed(), "databases": list(databases)},
        **({"roles": roles} if roles else {}),
        **({"users": users} if users else {}),
    }


def with_passwords(snapshot: AccessSnapshot, names: Sequence[str]) -> tuple[Principal, ...]:
    """Those of some who have a password of their own on the server, or for all that this login is shown."""
    chosen = set(names)
    return tuple(
        one for one in snapshot.principals if one.name in chosen and not one.database and one.password != UNSET
    )


class _Export:
    def __init__(
        self, snapshot: AccessSnapshot, names: Sequence[str], databases: Sequence[str], hashes: Mapping[str, str]
    ) -> None:
        self._snapshot = snapshot
        self._hashes = hashes
        # Only for who has a password has the server no other place to take it from.
        self._sids = {one.name: one.sid for one in with_passwords(snapshot, names) if snapshot.rules.orphaned}
        self._rules = snapshot.rules
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

    def managed(self) -> list[str]:
        """The principals, by the user's name where all of his accounts are among them, and it need not be quoted."""
        people = self._snapshot.principals
        chosen = {people[number].name for number in self._numbers}
        partly = {one.user for one in people if one.user and one.name not in chosen and one.kind != "unknown"}
        found = [
            one.user if one.user and one.user not in partly and not self._quoted(one) else one.name
            for one in (people[number] for number in self._numbers)
        ]
        return list(dict.fromkeys(found))

    def _quoted(self, one: Principal) -> bool:
        return not self._rules.any_host and self._rules.quotes[0] in one.name

    def people(self) -> tuple[dict[str, Entry], dict[str, Entry]]:
        """Roles, and accounts of those who log in."""
        roles: dict[str, Entry] = {}
        users: dict[str, Entry] = {}
        accounts: dict[str, list[tuple[Principal, Entry]]] = {}
        for number in self._numbers:
            one = self._snapshot.principals[number]
            entry = self._entry(number, one)
            # Without hosts a name is whole: that of a user in a database, or one that is written in brackets.
            if one.user and self._rules.any_host:
                accounts.setdefault(one.user, []).append((one, entry))
            else:
                (users if _logs_in(one) else roles)[one.name] = entry
        for name, mine in accounts.items():
            for one, key, entry in _folded(name, mine, self._rules.any_host):
                (users if _logs_in(one) else roles)[key] = entry
        return roles, users

    def _entry(self, number: int, one: Principal) -> Entry:
        rules = self._rules
        told = [word for word in one.attributes if word != rules.login and word not in rules.assumed]
        said = (*rules.decided, *rules.made_as)
        attributes = [word.lower() for word in told if not rules.decided or word in said]
        attributes += [f"no{word.lower()}" for word in rules.assumed if word not in one.attributes]
        attributes += self._kept_out(number, one)
        found: Entry = {
            "state": "locked" if one.kind == "user" and not one.login and not one.database else "",
            "attributes": attributes,
            "settings": self._settings(one),
            "member_of": self._memberships(number, one),
            "grants": [*self._on_objects(number), *self._future(number)],
            "denies": self._denied(number),
            "owns": self._owns(number),
        }
        if one.name in self._hashes:
            found["password"] = {"hashed": self._hashes[one.name]}
        found["sid"] = self._sids.get(one.name, "")
        entry = {key: value for key, value in found.items() if value}
        if one.valid_until is not None:
            entry["valid_until"] = one.valid_until.isoformat()
        if one.connection_limit is not None:
            entry["connection_limit"] = one.connection_limit
        return entry

    def _kept_out(self, number: int, one: Principal) -> list[str]:
        """Where making somebody lets him in: that he was not, or is no longer."""
        covering = self._rules.covering
        if covering is None or one.kind not in ("user", "group"):
            return []
        target = ("database", (one.database,)) if one.database else ("server", ())
        place = next((other for other in self._objects if (other.kind, other.path) == target), None)
        rows = self._snapshot.grants(place) if place is not None else ()
        if place is None or not rows:  # it is not the spec's, or there are no grants on it
            return []
        bit = self._snapshot.kind(place).bits((covering.enters if one.database else covering.connects,))
        let_in = any(row.grantee == number and row.actions & bit for row in rows)
        return [] if let_in else [f"no {covering.enters.lower()}"]

    def _settings(self, one: Principal) -> dict[str, str]:
        """Those that a spec may decide, where they are not as usual."""
        told = {name: value for name, _, value in (setting.partition("=") for setting in one.settings)}
        return {name: told[name] for name, usual in self._rules.settings.items() if told.get(name, usual) != usual}

    def _memberships(self, number: int, one: Principal) -> list[Any]:
        groups: dict[str, dict[str, bool]] = {}
        for row in self._member_of[number]:
            options = groups.setdefault(
                self._short(self._snapshot.principals[row.group]), {"inherit": False, "set": False, "admin": False}
            )
            for word in options:
                options[word] |= bool(getattr(row, word))
        inherits = all(word in one.attributes for word in self._rules.assumed if word == "INHERIT")
        usual = {"inherit": inherits, "set": True, "admin": False}
        return [
            name if options == usual else {"role": name, **{key: v for key, v in options.items() if v != usual[key]}}
            for name, options in sorted(groups.items())
        ]

    def _short(self, one: Principal) -> str:
        return one.user if one.user and one.host == self._rules.any_host else one.name

    def _on_objects(self, number: int) -> list[Entry]:
        return self._entries(
            (one, actions, option)
            for one, grant in self._grants[number]
            for actions, option in _by_option(self._snapshot.kind(one), grant)
        )

    def _denied(self, number: int) -> list[Entry]:
        """Where denials are rows like grants; elsewhere they are exceptions from a grant, and not the spec's."""
        if self._rules.covering is None:
            return []
        return self._entries(
            (one, self._snapshot.kind(one).names(grant.denied), False) for one, grant in self._grants[number]
        )

    def _entries(self, said: Iterable[tuple[SecuredObject, tuple[str, ...], bool]]) -> list[Entry]:
        """One entry for each object and whether it may be passed on, and for all columns of one that are alike."""
        found: dict[tuple[str, tuple[str, ...], bool], list[str]] = {}
        columns: dict[tuple[str, tuple[str, ...], tuple[str, ...], bool], list[str]] = {}
        for one, actions, option in said:
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


def _by_option(kind: Kind, grant: Grant) -> Iterator[tuple[tuple[str, ...], bool]]:
    """What may only be used, and what may be passed on too."""
    plain, passed = grant.actions & ~grant.grantable, grant.grantable
    if not kind.option:
        yield from ((kind.names(plain), False), (kind.names(passed), True))
        return
    own, option = kind.bits(kind.own_options), kind.bits((kind.option,))
    shared = grant.actions & ~own & ~option
    together = bool(grant.actions & option)
    yield kind.names(plain & own), False
    yield kind.names(passed & own), True
    # The option alone, with nothing to pass on yet, is a right like another.
    yield kind.names(shared or grant.actions & option), together and bool(shared)


def _logs_in(one: Principal) -> bool:
    """Somebody may, now or when the account is no longer locked: what a spec calls a user."""
    return one.login or one.kind == "user"


def _folded(
    user: str, mine: Sequence[tuple[Principal, Entry]], any_host: str
) -> Iterator[tuple[Principal, str, Entry]]:
    """Accounts with the keys of their entries: the user's name when all are alike, else each its own."""
    first, entry = mine[0]
    hosts = [one.host for one, _ in mine]
    alike = all(other == entry and _logs_in(one) == _logs_in(first) for one, other in mine)
    if alike and (_logs_in(first) or hosts == [any_host]):
        yield first, user, entry if hosts == [any_host] else {**entry, "hosts": hosts}
        return
    for one, other in mine:
        yield one, one.name, other
