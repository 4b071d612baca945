"""A snapshot with changes applied in memory: what would be, without asking a server."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from dbops.model.access import (
    PUBLIC,
    AccessSnapshot,
    DefaultGrant,
    Grant,
    Kind,
    Membership,
    Principal,
    SecuredObject,
)
from dbops.model.change import (
    AddDefault,
    AddGrant,
    AddMembership,
    AlterPrincipal,
    Change,
    CreatePrincipal,
    DropPrincipal,
    ObjectName,
    RemoveDefault,
    RemoveGrant,
    RemoveMembership,
    SetInherited,
    SetOwner,
    Setting,
)

__all__ = ["Entries", "Simulation", "simulate"]

Entries = dict[tuple[int, int], Grant]
DefaultKey = tuple[int, str, str, str]


def simulate(snapshot: AccessSnapshot, changes: Iterable[Change]) -> AccessSnapshot:
    """The snapshot as it would read after the changes.

    :raises KeyError: a change names a principal or an object that is not there.
    """
    working = Simulation(snapshot)
    working.apply_all(changes)
    return working.snapshot()


class Simulation:
    """A snapshot that can be changed. Positions stay: a dropped principal keeps its place.

    No server drops one that still owns something. Where it refuses one that has rights, a drop ends memberships alone.
    """

    def __init__(self, snapshot: AccessSnapshot) -> None:
        self._before = snapshot
        self.rules = snapshot.rules
        self._usual = [Setting(name, value) for name, value in snapshot.rules.settings.items()]
        self.principals: list[Principal] = list(snapshot.principals)
        self.memberships: list[Membership] = list(snapshot.memberships)
        self.objects: list[SecuredObject] = list(snapshot.objects)
        self.numbers: dict[str, int] = {one.name: at for at, one in enumerate(self.principals)}
        self.places: dict[tuple[str, tuple[str, ...]], int] = {
            (one.kind, one.path): at for at, one in enumerate(self.objects)
        }
        self._columns: dict[int, list[int]] = {}
        for at, one in enumerate(self.objects):
            if one.kind == "column":
                self._columns.setdefault(one.parent, []).append(at)
        self._entries: dict[int, Entries] = {}
        self._defaults: dict[DefaultKey, Entries] = {
            (one.creator, one.database, one.schema, one.kind): _by_pair(one.grants) for one in snapshot.defaults
        }

    # -- reading ----------------------------------------------------------------------------------------------------

    def entries(self, place: int) -> Entries:
        """The access list of an object, by grantee and grantor."""
        found = self._entries.get(place)
        if found is None:
            one = self.objects[place]
            grants = self._before.acls[one.acl] if one.acl >= 0 else ()
            found = self._entries[place] = _by_pair(grants)
        return found

    def defaults(self) -> dict[DefaultKey, Entries]:
        """What new objects get, by creator, database, schema and kind."""
        return self._defaults

    def kind(self, place: int) -> Kind:
        """The kind of an object."""
        return self.rules.kinds[self.objects[place].kind]

    def columns(self, table: int) -> list[int]:
        """The positions of a table's columns that have rights of their own."""
        return self._columns.get(table, [])

    def place(self, name: ObjectName) -> int:
        """The position of an object; a column without rights of its own comes into being when it is asked for."""
        found = self.places.get((name.kind, name.path))
        if found is not None:
            return found
        if self.rules.kinds[name.kind].latent:
            return self._add(SecuredObject(name.kind, name.path, -1, -1, self.places.get(("server", ()), -1)))
        if name.kind == "column":
            for kind in self.rules.kinds.values():
                table = self.places.get((kind.name, name.path[:-1])) if kind.family == "table" else None
                if table is not None:
                    return self._add_column(table, name.path)
        raise KeyError(name)

    def _add_column(self, table: int, path: tuple[str, ...]) -> int:
        self._columns.setdefault(table, []).append(len(self.objects))
        return self._add(SecuredObject("column", path, self.objects[table].owner, -1, table, follows=table))

    def _add(self, one: SecuredObject) -> int:
        self.objects.append(one)
        self.places[one.kind, one.path] = len(self.objects) - 1
        return len(self.objects) - 1

    def snapshot(self) -> AccessSnapshot:
        """Frozen again."""
        lists: dict[tuple[Grant, ...], int] = {}
        objects: list[SecuredObject] = []
        for place, one in enumerate(self.objects):
            stored = self._before.acls[one.acl] if one.acl >= 0 else ()
            grants = tuple(self._entries[place].values()) if place in self._entries else stored
            objects.append(msgspec.structs.replace(one, acl=lists.setdefault(grants, len(lists))))
        return msgspec.structs.replace(
            self._before,
            principals=tuple(self.principals),
            memberships=tuple(self.memberships),
            objects=tuple(objects),
            acls=tuple(lists),
            defaults=tuple(
                DefaultGrant(creator=key[0], database=key[1], schema=key[2], kind=key[3], grants=tuple(found.values()))
                for key, found in self._defaults.items()
                if found
            ),
        )

    # -- changing ---------------------------------------------------------------------------------------------------

    def apply(self, change: Change) -> None:
        """One change. A password changes nobody's access."""
        if isinstance(change, CreatePrincipal | AlterPrincipal | DropPrincipal):
            self._principal(change)
        elif isinstance(change, AddMembership | RemoveMembership):
            self._membership(change)
        elif isinstance(change, SetInherited):
            self._inherit(self.numbers[change.member], {self.numbers[name] for name in change.groups})
        elif isinstance(change, AddGrant):
            self.grant(self.place(change.object), self._number(change.principal), change)
        elif isinstance(change, RemoveGrant):
            self.revoke(self.place(change.object), self._number(change.principal), change)
        elif isinstance(change, SetOwner):
            self._own(self.place(change.object), self.numbers[change.owner])
        elif isinstance(change, AddDefault | RemoveDefault):
            self._default(change)

    def apply_all(self, changes: Iterable[Change]) -> None:
        """Several, in their order."""
        for change in changes:
            self.apply(change)

    def _number(self, name: str) -> int:
        return PUBLIC if name.upper() == "PUBLIC" and name not in self.numbers else self.numbers[name]

    def _principal(self, change: CreatePrincipal | AlterPrincipal | DropPrincipal) -> None:
        if isinstance(change, CreatePrincipal):
            self.numbers[change.name] = len(self.principals)
            self.principals.append(
                Principal(
                    name=change.name,
                    attributes=change.attributes,
                    valid_until=change.valid_until,
                    connection_limit=change.connection_limit,
                    kind=change.kind,
                    user=change.user,
                    host=change.host,
                    database=change.database,
                    settings=(*(_told([Setting("sid", change.sid)])), *_with(_told(self._usual), change.settings)),
                )
            )
            self._adopt(change.sid)
            self._let_in(change)
            return
        number = self.numbers[change.name]
        old = self.principals[number]
        if isinstance(change, DropPrincipal):
            self._drop(number)
            return
        kept = tuple(one for one in old.attributes if one not in change.loses)
        self.principals[number] = msgspec.structs.replace(
            old,
            attributes=(*kept, *(one for one in change.gains if one not in kept)),
            valid_until=change.valid_until if change.set_until else old.valid_until,
            connection_limit=change.connection_limit if change.set_limit else old.connection_limit,
            settings=_with(old.settings, change.settings),
        )
        if not self.rules.membership_options:
            inherits = "INHERIT" in self.principals[number].attributes
            self.memberships = [
                msgspec.structs.replace(row, inherit=inherits) if row.member == number else row
                for row in self.memberships
            ]

    def _adopt(self, sid: str) -> None:
        """Users of databases that were an account's of this identifier are again."""
        for at, one in enumerate(self.principals) if sid else ():
            if one.sid == sid and self.rules.orphaned in one.attributes:
                kept = tuple(word for word in one.attributes if word != self.rules.orphaned)
                self.principals[at] = msgspec.structs.replace(one, attributes=kept)

    def _let_in(self, change: CreatePrincipal) -> None:
        """Where rights cover what is inside, making somebody lets him in; unless it is a service whose server nothing
        can be granted on, and which shows no grant there."""
        covering = self.rules.covering
        if covering is None or change.kind != "user" or covering.nobody in change.attributes:
            return
        target = ("database", (change.database,)) if change.database else ("server", ())
        place = self.places.get(target, -1)
        if place >= 0 and (change.database or self.entries(place)):
            bits = self.kind(place).bits((covering.enters if change.database else covering.connects,))
            _give(self.entries(place), self.numbers[change.name], self.objects[place].owner, bits, 0)

    def _drop(self, number: int) -> None:
        self.principals[number] = msgspec.structs.replace(self.principals[number], kind="unknown", attributes=())
        self.memberships = [one for one in self.memberships if number not in (one.member, one.group)]
        for place in range(len(self.objects)) if self.rules.drop_takes_rights else ():
            found = self.entries(place)
            for pair in [pair for pair in found if pair[0] == number]:
                del found[pair]

    def _inherit(self, member: int, groups: set[int]) -> None:
        self.memberships = [
            msgspec.structs.replace(row, inherit=row.group in groups, defining=row.group in groups)
            if row.member == member and not row.implicit
            else row
            for row in self.memberships
        ]

    def _membership(self, change: AddMembership | RemoveMembership) -> None:
        member, group = self.numbers[change.member], self.numbers[change.group]
        grantor = self.numbers.get(change.grantor, -1)

        def other(one: Membership) -> bool:
            return (
                one.implicit
                or (one.member, one.group) != (member, group)
                or bool(change.grantor and one.grantor != grantor)
            )

        self.memberships = [one for one in self.memberships if other(one)]
        if isinstance(change, AddMembership):
            self.memberships.append(
                Membership(
                    member=member,
                    group=group,
                    grantor=grantor,
                    inherit=change.inherit,
                    set=change.set,
                    admin=change.admin,
                )
            )

    def grant(self, place: int, grantee: int, change: AddGrant) -> None:
        """Give actions on an object."""
        bits = self.kind(place).bits(change.actions)
        grantor = self.numbers[change.grantor] if change.grantor else self.objects[place].owner
        if self.rules.covering is not None:
            gone = (bits, 0) if change.deny else (0, bits)  # one takes the place of the other, whoever said it
            _take(self.entries(place), grantee, None, gone[0], option_only=False, denied=gone[1])
            self._off_columns(place, grantee, None, change)
            bits &= ~self._by_table(place, grantee, change)
            if not bits:
                return
            if change.deny:
                _deny(self.entries(place), grantee, grantor, bits)
                return
        _give(self.entries(place), grantee, grantor, bits, bits if change.grantable else 0)

    def revoke(self, place: int, grantee: int, change: RemoveGrant) -> None:
        """Take actions away; off a table also means off its columns, as the standard has it."""
        grantor: int | None = self.numbers[change.grantor] if change.grantor else self.objects[place].owner
        bits, denied = self.kind(place).bits(change.actions), 0
        if self.rules.covering is not None:
            # Without an owner, as the server is, it is whoever stands for one.
            grantor, denied = (None if grantor == -1 else grantor), (0 if change.option_only else bits)
        _take(self.entries(place), grantee, grantor, bits, option_only=change.option_only, denied=denied)
        self._off_columns(place, grantee, grantor, change)

    def _by_table(self, place: int, grantee: int, change: AddGrant) -> int:
        """Of a column only what is unlike its table is remembered (``sys.database_permissions``)."""
        one, kind, found = self.objects[place], self.kind(place), 0
        for grant in self.entries(one.parent).values() if one.kind == "column" else ():
            if grant.grantee == grantee:
                there = grant.denied if change.deny else grant.grantable if change.grantable else grant.actions
                found |= kind.shared(self.kind(one.parent), there)
        return found

    def _off_columns(self, place: int, grantee: int, grantor: int | None, change: AddGrant | RemoveGrant) -> None:
        """What is said of a table ends what was said of its columns, where rights cover and can be denied; else only
        what is taken off it does."""
        if self.kind(place).family != "table":
            return
        column = self.rules.kinds["column"]
        bits = column.bits(tuple(action for action in change.actions if action in column.actions))
        covering = self.rules.covering is not None
        option_only = not covering and isinstance(change, RemoveGrant) and change.option_only
        for at in self.columns(place):
            _take(self.entries(at), grantee, grantor, bits, option_only=option_only, denied=bits if covering else 0)

    def _own(self, place: int, owner: int) -> None:
        """The old owner's part of the access list becomes the new one's. Where rights cover, only a database keeps
        any (ALTER AUTHORIZATION, Remarks)."""
        one = self.objects[place]
        old, found = one.owner, self.entries(place)
        self.objects[place] = msgspec.structs.replace(one, owner=owner)
        merged: Entries = {}
        for grant in found.values():
            grantee = owner if grant.grantee == old else grant.grantee
            grantor = owner if grant.grantor == old else grant.grantor
            _give(merged, grantee, grantor, grant.actions, grant.grantable)
        self._entries[place] = merged if self.rules.covering is None else found if one.kind == "database" else {}
        if one.kind == "database":
            self.memberships = [
                msgspec.structs.replace(row, member=owner) if row.implicit and row.database == one.database else row
                for row in self.memberships
            ]
        for at, below in enumerate(self.objects):
            if below.follows == place:
                self._own(at, owner)

    def _default(self, change: AddDefault | RemoveDefault) -> None:
        creator, grantee = self.numbers[change.creator], self._number(change.principal)
        bits = self.rules.kinds[change.kind].bits(change.actions)
        key = (creator, change.database, change.schema, change.kind)
        found = self._defaults.setdefault(key, {})
        if isinstance(change, AddDefault):
            _give(found, grantee, creator, bits, bits if change.grantable else 0)
        else:
            _take(found, grantee, None, bits, option_only=change.option_only)
        if not found:  # nothing is left of it, not even its place
            del self._defaults[key]


def _told(settings: Iterable[Setting]) -> tuple[str, ...]:
    return tuple(f"{one.name}={one.value}" for one in settings if one.value)


def _with(old: tuple[str, ...], new: tuple[Setting, ...]) -> tuple[str, ...]:
    named = {one.name for one in new}
    return (*(one for one in old if one.partition("=")[0] not in named), *_told(new))


def _by_pair(grants: Iterable[Grant]) -> Entries:
    return {(one.grantee, one.grantor): one for one in grants}


def _give(entries: Entries, grantee: int, grantor: int, bits: int, grantable: int) -> None:
    old = entries.get((grantee, grantor), Grant(grantee, grantor, 0))
    entries[grantee, grantor] = Grant(grantee, grantor, old.actions | bits, old.grantable | grantable, old.denied)


def _deny(entries: Entries, grantee: int, grantor: int, bits: int) -> None:
    old = entries.get((grantee, grantor), Grant(grantee, grantor, 0))
    entries[grantee, grantor] = Grant(grantee, grantor, old.actions, old.grantable, old.denied | bits)


def _take(
    entries: Entries, grantee: int, grantor: int | None, bits: int, *, option_only: bool, denied: int = 0
) -> None:
    for pair, old in list(entries.items()):
        if pair[0] != grantee or grantor not in (None, pair[1]):
            continue
        left = old.actions if option_only else old.actions & ~bits
        if left or old.denied & ~denied:
            entries[pair] = Grant(pair[0], pair[1], left, old.grantable & ~bits, old.denied & ~denied)
        else:
            del entries[pair]
