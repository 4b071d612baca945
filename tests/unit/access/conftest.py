"""Small worlds of access, written in a few words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from dbops.access.accounts import account_name
from dbops.access.patterns import row_name
from dbops.model.access import (
    AccessSnapshot,
    Everywhere,
    Gate,
    Grant,
    Implied,
    Kind,
    Matching,
    Membership,
    Principal,
    Reads,
    RowOrder,
    Rules,
    SecuredObject,
)

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ACTIONS = ("SELECT", "INSERT", "UPDATE")
RULES = Rules(
    kinds={
        "database": Kind(name="database", actions=("CREATE", "CONNECT")),
        "schema": Kind(name="schema", actions=("CREATE", "USAGE"), depth=2, gates=(Gate("database", "CONNECT"),)),
        "table": Kind(
            name="table",
            actions=ACTIONS,
            family="table",
            depth=3,
            gates=(Gate("schema", "USAGE"), Gate("database", "CONNECT")),
        ),
        "column": Kind(
            name="column",
            actions=("SELECT", "UPDATE"),
            depth=4,
            gates=(Gate("schema", "USAGE"), Gate("database", "CONNECT")),
            implied=(Implied("SELECT", "table", "SELECT"), Implied("UPDATE", "table", "UPDATE")),
        ),
        "vault": Kind(name="vault", actions=("OPEN",), contained=False, owner_actions=("OPEN",)),
    },
    everywhere=(Everywhere("reader", ("table",), ("SELECT",)),),
    bypass=("SUPERUSER",),
    row_bypass=("SUPERUSER", "BYPASSRLS"),
    login="LOGIN",
    assumed=("INHERIT",),
)


def world(
    *,
    people: dict[str, tuple[str, ...]],
    members: tuple[tuple[str, str], ...] = (),
    grants: tuple[tuple[str, str, str], ...] = (),
    options: dict[tuple[str, str], dict[str, Any]] | None = None,
    flags: tuple[str, ...] = (),
    owner: str = "owner",
    until: dict[str, datetime] | None = None,
    denied: tuple[tuple[str, str, str], ...] = (),
) -> AccessSnapshot:
    """One database ``app`` with a schema ``s``, a table ``t``, its column ``c``, and a vault outside.

    :param grants: ``(who, action, object's last name)``, all made by the owner.
    """
    names = ["PUBLIC", "owner", *(name for name in people if name != "owner")]
    numbers = {name: number for number, name in enumerate(names)}
    principals = [Principal(name="PUBLIC", kind="public")]
    principals += [
        Principal(name=name, attributes=people.get(name, ()), valid_until=(until or {}).get(name)) for name in names[1:]
    ]
    own = numbers[owner]
    shapes = (
        ("database", ("app",), -1),
        ("schema", ("app", "s"), 0),
        ("table", ("app", "s", "t"), 1),
        ("column", ("app", "s", "t", "c"), 2),
        ("vault", ("v",), -1),
    )
    acls: list[tuple[Grant, ...]] = []
    objects: list[SecuredObject] = []
    for kind, path, parent in shapes:
        rule = RULES.kinds[kind]
        entries = {
            who: rule.bits(tuple(action for one, action, place in grants if one == who and place == path[-1]))
            for who in {who for who, _, place in grants if place == path[-1]}
        }
        barred = {
            who: rule.bits(tuple(action for one, action, place in denied if one == who and place == path[-1]))
            for who in {who for who, _, place in denied if place == path[-1]}
        }
        acls.append(
            tuple(
                Grant(numbers[who], own, entries.get(who, 0), 0, barred.get(who, 0))
                for who in sorted(entries.keys() | barred.keys())
            )
        )
        objects.append(SecuredObject(kind, path, own, len(acls) - 1, parent, flags if kind == "table" else ()))
    return AccessSnapshot(
        engine="test",
        version=(1,),
        incarnation="1",
        taken_at=NOW,
        rules=RULES,
        principals=tuple(principals),
        memberships=tuple(
            Membership(member=numbers[member], group=numbers[group], **(options or {}).get((member, group), {}))
            for member, group in members
        ),
        objects=tuple(objects),
        acls=tuple(acls),
        database="app",
    )


@pytest.fixture(scope="session")
def make() -> Callable[..., AccessSnapshot]:
    return world


@pytest.fixture(scope="session")
def now() -> datetime:
    return NOW


# -- where rows of rights are matched ----------------------------------------------------------------------------------

ON_DATABASES = ("SELECT", "INSERT", "DROP", "EXECUTE")
ON_TABLES = ("SELECT", "INSERT", "DROP")
ROWED = {
    "server": Kind(name="server", actions=(*ON_DATABASES, "STOP"), depth=0, contained=False),
    "database": Kind(name="database", actions=(*ON_DATABASES, "LOCK")),
    "pattern": Kind(name="pattern", actions=(*ON_DATABASES, "LOCK"), contained=False, latent=True),
    "table": Kind(name="table", actions=ON_TABLES, family="table", depth=2),
    "view": Kind(name="view", actions=ON_TABLES, family="table", depth=2),
    "column": Kind(
        name="column",
        actions=("SELECT", "INSERT"),
        depth=3,
        implied=(Implied("SELECT", "table", "SELECT"), Implied("INSERT", "table", "INSERT")),
    ),
    "procedure": Kind(name="procedure", actions=("EXECUTE", "ALTER"), family="routine", depth=2),
    "account": Kind(name="account", actions=("PROXY",), contained=False, latent=True),
    "event": Kind(name="event", actions=(), depth=2),
}


class Rowed:
    """A server whose rights are rows: databases ``ab``, ``axb`` and ``a_b``, in each a table ``t`` and a routine ``p``.

    Accounts are written ``a@%`` (``@%`` is nobody's), roles by a name; ``gone@%`` stands in rows alone. Where roles
    replace, they are locked accounts ``r@%``, as on MySQL; where they add, they have no host.
    """

    def __init__(
        self,
        accounts: Sequence[str] = ("a@%",),
        *,
        roles: Sequence[str] = (),
        locked: Sequence[str] = (),
        public: bool = False,
        matching: Matching | None = None,
    ) -> None:
        self.matching = matching or Matching(restricts=True)
        self.principals = [Principal(name="PUBLIC", kind="public", system=True, settings=("exists",) if public else ())]
        self._numbers = {"PUBLIC": 0}
        for text in (*accounts, *roles):
            self._principal(text, role=text in roles, login=text not in (*roles, *locked))
        self.objects: list[SecuredObject] = []
        self._grants: list[list[Grant]] = []
        self._places: dict[tuple[str, tuple[str, ...]], int] = {}
        self.memberships: list[Membership] = []
        self.turns: list[RowOrder] = []
        self._add("server", (), -1)
        for name in ("ab", "axb", "a_b"):
            self._add("database", (name,), 0)
            self._add("table", (name, "t"), self._places["database", (name,)])
            self._add("procedure", (name, "p"), self._places["database", (name,)])

    def _principal(self, text: str, *, role: bool = False, login: bool = True, gone: bool = False) -> int:
        if text not in self._numbers:
            user, at, host = text.rpartition("@")
            hosted = bool(at) or self.matching.roles == "replace"
            user, host = (user, host) if at else (text, "%")
            self._numbers[text] = len(self.principals)
            self.principals.append(
                Principal(
                    name=account_name(user, host) if hosted else text,
                    kind="unknown" if gone else "role" if role else "user",
                    attributes=() if gone else ("LOGIN",) if login else ("LOCKED",),
                    user=user if hosted else "",
                    host=host if hosted else "",
                )
            )
        return self._numbers[text]

    def _add(self, kind: str, path: tuple[str, ...], parent: int, **more: Any) -> int:
        if (kind, path) not in self._places:
            self._places[kind, path] = len(self.objects)
            self.objects.append(SecuredObject(kind, path, -1, len(self._grants), parent, **more))
            self._grants.append([])
        return self._places[kind, path]

    def view(self, name: str, reads: str, definer: str = "", *columns: str, flags: tuple[str, ...] = ()) -> Rowed:
        """A view ``ab.v`` on a table or view, by somebody; without a definer it is an invoker's."""
        database, _, last = name.partition(".")
        below = tuple(reads.split("."))
        kind = "view" if ("view", below) in self._places else "table"
        self._add(
            "view",
            (database, last),
            self._places["database", (database,)],
            flags=flags if definer else (*flags, "invoker"),
            reads=(Reads(self._places[kind, below], columns),),
            runs_as=self._someone(definer) if definer else -1,
        )
        return self

    def run_by(self, name: str, definer: str) -> Rowed:
        """A routine gets a definer."""
        place = self._places["procedure", tuple(name.split("."))]
        self.objects[place] = msgspec.structs.replace(self.objects[place], runs_as=self._someone(definer))
        return self

    def _someone(self, text: str) -> int:
        return self._principal(text, gone=True) if text not in self._numbers else self._numbers[text]

    def grant(self, who: str, what: str, on: str, *, deny: bool = False) -> Rowed:
        """``grant("a@%", "SELECT INSERT", "a%.*")``; also ``*``, ``ab.t``, ``ab.t.c``, ``ab.p()``, ``account:…``."""
        place = self._place(on)
        bits = self.kind(place).bits(tuple(what.replace("_", " ").split()))
        number = self._someone(who)
        old = next((one for one in self._grants[place] if one.grantee == number), Grant(number, -1, 0))
        new = Grant(number, -1, old.actions | (0 if deny else bits), 0, old.denied | (bits if deny else 0))
        self._grants[place] = [*(one for one in self._grants[place] if one.grantee != number), new]
        return self

    def kind(self, place: int) -> Kind:
        return ROWED[self.objects[place].kind]

    def _place(self, on: str) -> int:
        if on == "*":
            return 0
        if on.startswith("account:"):
            return self._add("account", (on.removeprefix("account:"),), -1)
        if on.endswith(".*"):
            text = on.removesuffix(".*")
            name = row_name(text, wildcards=self.matching.wildcards)
            return self._add("pattern", (text,), 0) if name is None else self._add("database", (name,), 0)
        if on.endswith("()"):
            return self._places["procedure", tuple(on.removesuffix("()").split("."))]
        path = tuple(on.split("."))
        table = next(self._places[kind, path[:2]] for kind in ("table", "view") if (kind, path[:2]) in self._places)
        return table if len(path) == 2 else self._add("column", path, table, follows=table)

    def member(self, who: str, role: str, *, active: bool = True, **more: Any) -> Rowed:
        """A role is granted; to another role, or to be active or not when a session begins."""
        member, group = self._numbers[who], self._numbers[role]
        self.memberships.append(Membership(member=member, group=group, inherit=active, **more))
        return self

    def turn(self, who: str, text: str, place: int) -> Rowed:
        """The server's own order."""
        self.turns.append(RowOrder(self._numbers[who], text, place))
        return self

    def snapshot(self) -> AccessSnapshot:
        """As it was read."""
        return AccessSnapshot(
            engine="test",
            version=(1,),
            incarnation="1",
            taken_at=NOW,
            rules=Rules(kinds=ROWED, login="LOGIN", quotes=("`", "`"), inherit_list=True, matching=self.matching),
            principals=tuple(self.principals),
            memberships=tuple(self.memberships),
            objects=tuple(self.objects),
            acls=tuple(tuple(one) for one in self._grants),
            row_order=tuple(self.turns),
        )


@pytest.fixture(scope="session")
def rowed() -> type[Rowed]:
    return Rowed
