"""Default privileges: what new objects get. They bind to whoever creates the object, so each creator has his own."""

from __future__ import annotations

from dbops.access.closure import each
from dbops.access.diff_checks import Subjects
from dbops.access.diff_grants import numbers_of
from dbops.access.effective import Effective
from dbops.access.match import places
from dbops.access.naming import spell
from dbops.access.simulate import DefaultKey, Simulation
from dbops.errors import InputError
from dbops.model.access import PUBLIC, Grant
from dbops.model.change import AddDefault, RemoveDefault
from dbops.model.users import Wanted, WantedGrant

__all__ = ["default_changes"]

CREATE = "CREATE"
DATABASE_OWNER = "pg_database_owner"
Wishes = dict[DefaultKey, dict[int, tuple[int, int]]]


def default_changes(
    working: Simulation, wanted: Wanted, subjects: Subjects
) -> tuple[list[AddDefault], list[RemoveDefault]]:
    """What to add and what to remove; applied to ``working``."""
    wishes = _wishes(working, wanted)
    numbers = numbers_of(working, subjects)
    added: list[AddDefault] = []
    removed: list[RemoveDefault] = []
    for key in sorted(wishes.keys() | working.defaults().keys()):
        if key[1] in wanted.databases:
            more, less = _settle(working, key, wishes.get(key, {}), numbers)
            added += more
            removed += less
    working.apply_all([*added, *removed])
    return added, removed


def _wishes(working: Simulation, wanted: Wanted) -> Wishes:
    found: Wishes = {}
    future = [grant for grant in wanted.grants if grant.future != "no"]
    if not future:
        return found
    creators = _Creators(working, wanted)
    for grant in future:
        schema = "" if grant.kind == "schema" or grant.path[1] == "*" else grant.path[1]
        number = PUBLIC if grant.principal == "PUBLIC" else working.numbers[grant.principal]
        bits = working.rules.kinds[grant.kind].bits(grant.actions)
        for creator in creators.of(grant, schema):
            if creator == number:
                continue
            mine = found.setdefault((creator, grant.path[0], schema, grant.kind), {})
            old = mine.get(number, (0, 0))
            mine[number] = (old[0] | bits, old[1] | (bits if grant.grantable else 0))
    return found


class _Creators:
    """Whose new objects a default is for: who owns objects of that kind there, who owns the schema, and everybody of
    the spec who may create in it."""

    def __init__(self, working: Simulation, wanted: Wanted) -> None:
        self._working = working
        snapshot = working.snapshot()
        self._effective = Effective(snapshot, snapshot.taken_at)
        people = [working.numbers[one.name] for one in wanted.principals if one.state != "absent"]
        self._people = sum(1 << number for number in set(people))
        self._known: dict[tuple[str, str, str], frozenset[int]] = {}

    def of(self, grant: WantedGrant, schema: str) -> frozenset[int]:
        """The positions of the creators.

        :raises InputError: there is no such schema.
        """
        if grant.creators:
            return frozenset(self._working.numbers[name] for name in grant.creators)
        key = (grant.kind, grant.path[0], schema)
        if key not in self._known:
            self._known[key] = self._find(grant, schema)
        return self._known[key]

    def _find(self, grant: WantedGrant, schema: str) -> frozenset[int]:
        working, database = self._working, grant.path[0]
        if grant.kind == "schema":
            above = places(working, "database", (database,))
        else:
            above = places(working, "schema", (database, schema or "*"))
        if schema and not above:
            raise InputError(f"{grant.where}: there is no {spell(working.rules, 'schema', (database, schema))}")
        found = self._owners(places(working, grant.kind, grant.path), database) | self._owners(above, database)
        for place in above:
            one = self._effective.snapshot.objects[place]
            found |= set(each(self._effective.nominal(one, CREATE) & self._people))
        return frozenset(found)

    def _owners(self, matched: list[int], database: str) -> set[int]:
        """Nobody creates anything as a role of the engine's own; the owner of the database stands for one of them."""
        found = {self._working.objects[place].owner for place in matched}
        names = {number: self._working.principals[number] for number in found}
        if any(one.name == DATABASE_OWNER for one in names.values()):
            found |= {self._working.objects[place].owner for place in places(self._working, "database", (database,))}
        return {number for number in found if not self._working.principals[number].name.startswith("pg_")}


def _settle(
    working: Simulation, key: DefaultKey, wishes: dict[int, tuple[int, int]], numbers: frozenset[int]
) -> tuple[list[AddDefault], list[RemoveDefault]]:
    creator, database, schema, kind = key
    builtin = working.rules.kinds[kind].bits(working.rules.kinds[kind].public_actions) if not schema else 0
    have: dict[int, Grant] = {}
    for grant in working.defaults().get(key, {}).values():
        have[grant.grantee] = grant
    names = working.principals[creator].name, database, schema, kind
    added: list[AddDefault] = []
    removed: list[RemoveDefault] = []
    for number in sorted((wishes.keys() | have.keys()) & numbers - {creator}):
        old = have.get(number, Grant(number, creator, 0))
        actions, grantable = wishes.get(number, (0, 0))
        spared = builtin if number == PUBLIC else 0
        who = working.principals[number].name
        for bits, option, option_only in (
            (actions & ~old.actions & ~grantable, False, False),
            (grantable & ~old.actions, True, False),
            (grantable & ~old.grantable & old.actions, True, True),
        ):
            if bits & ~(spared if key not in working.defaults() else 0):
                added.append(_add(names, who, working.rules.kinds[kind].names(bits), option, option_only))
        gone = old.actions & ~actions & ~spared
        for bits, option_only in (
            (gone & ~old.grantable, False),
            (gone & old.grantable, False),
            (old.grantable & ~grantable & actions, True),
        ):
            if bits:
                could = bool(bits & old.grantable)
                removed.append(_remove(names, who, working.rules.kinds[kind].names(bits), option_only, could))
    return added, removed


Names = tuple[str, str, str, str]


def _add(names: Names, who: str, actions: tuple[str, ...], grantable: bool, option_only: bool) -> AddDefault:
    return AddDefault(
        creator=names[0],
        database=names[1],
        schema=names[2],
        kind=names[3],
        principal=who,
        actions=actions,
        option_only=option_only,
        grantable=grantable,
    )


def _remove(names: Names, who: str, actions: tuple[str, ...], option_only: bool, grantable: bool) -> RemoveDefault:
    return RemoveDefault(
        creator=names[0],
        database=names[1],
        schema=names[2],
        kind=names[3],
        principal=who,
        actions=actions,
        option_only=option_only,
        grantable=grantable,
    )
