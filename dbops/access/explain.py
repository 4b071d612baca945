"""Why somebody may do something: every way, each sufficient by itself; what stands in the way; the least revoke."""

from __future__ import annotations

from collections.abc import Iterator

from dbops.access import explain_covered, explain_matched
from dbops.access.closure import each
from dbops.access.covered import Covered
from dbops.access.cut import Edge, minimal_cut
from dbops.access.effective import Effective
from dbops.access.matched import Matched
from dbops.access.naming import spell
from dbops.model.access import PUBLIC, Membership, SecuredObject
from dbops.model.audit import Block, Explanation, Hop
from dbops.model.change import AlterPrincipal, Change, ObjectName, RemoveGrant, RemoveMembership

__all__ = ["explain"]

PATHS = 100


def explain(effective: Effective, who: int, action: str, one: SecuredObject) -> Explanation:
    """Everything about one question but the SQL, which a backend renders.

    :param who: a position among the principals; 0 asks about the public, who has what is granted to it by name.
    """
    if isinstance(effective, Matched):
        return explain_matched.explain(effective, who, action, one)
    if isinstance(effective, Covered):
        return explain_covered.explain(effective, who, action, one)
    graph = _Graph(effective, who, action, one)
    allowed = bool(effective.nominal(one, action) >> who & 1) if who != PUBLIC else graph.public()
    usable = bool(effective.usable(one, action) >> who & 1)
    found = list(_first(graph.paths(), PATHS + 1)) if allowed else []
    changes = graph.least() if allowed else ()
    return Explanation(
        principal=effective.snapshot.principals[who].name,
        action=action,
        object=graph.label,
        allowed=allowed,
        usable=usable,
        paths=tuple(found[:PATHS]),
        more_paths=len(found) > PATHS,
        blocked_by=() if usable else tuple(_Blocks(effective, who, action, one).all(allowed)),
        limits=_limits(effective, who, one) if usable else (),
        changes=changes,
    )


def _first(items: Iterator[tuple[Hop, ...]], count: int) -> Iterator[tuple[Hop, ...]]:
    for _, item in zip(range(count), items, strict=False):
        yield item


def _limits(effective: Effective, who: int, one: SecuredObject) -> tuple[str, ...]:
    table = effective.ancestor(one, "table")
    if table is None or not effective.row_limited(table) >> who & 1:
        return ()
    if "policies" not in table.flags:
        return ("row-level security is on and has no policy: no row can be seen or changed",)
    return ("row-level security: only the rows that its policies allow",)


class _Graph:
    """The ways from a principal to an action on an object: memberships, then what they end in."""

    def __init__(self, effective: Effective, who: int, action: str, one: SecuredObject) -> None:
        self._effective = effective
        self._snapshot = effective.snapshot
        self._who, self._action, self._object = who, action, one
        self.label = spell(self._snapshot.rules, one.kind, one.path)
        self._database = one.database if self._snapshot.kind(one).contained else ""
        self._rows: dict[int, list[Membership]] = {}
        for row in self._snapshot.memberships:
            if row.inherit and row.database in ("", self._database):
                self._rows.setdefault(row.member, []).append(row)
        self._ends: dict[int, list[tuple[Hop, Change | None]]] = {}
        self._end_everywhere()

    def public(self) -> bool:
        """Whether the public has it."""
        return any(hop.kind == "grant" for hop, _ in self._ends.get(PUBLIC, ()))

    def paths(self) -> Iterator[tuple[Hop, ...]]:
        """All simple ways."""
        yield from self._walk(self._who, (), {self._who})
        if self._who != PUBLIC:
            name = self._name(self._who)
            for hop, _ in self._ends.get(PUBLIC, ()):
                yield (Hop(kind="public", from_=name, to="PUBLIC"), hop)

    def _walk(self, at: int, trail: tuple[Hop, ...], seen: set[int]) -> Iterator[tuple[Hop, ...]]:
        for hop, _ in self._ends.get(at, ()):
            yield (*trail, hop)
        for row in self._rows.get(at, ()):
            if row.group not in seen and self._leads(row.group):
                yield from self._walk(row.group, (*trail, self._member(row)), seen | {row.group})

    def _leads(self, group: int) -> bool:
        """Whether going on from a group can end anywhere: without this the search is exponential for nothing."""
        closure = self._effective.inherits(self._database)
        return any(closure.holders(end) >> group & 1 for end in self._ends if end != PUBLIC)

    def _member(self, row: Membership) -> Hop:
        kind = "implicit" if row.implicit else "member"
        via = f"owner of database:{row.database}" if row.implicit else ""
        return Hop(
            kind=kind,
            from_=self._name(row.member),
            to=self._name(row.group),
            via=via,
            grantor=self._grantor(row.grantor),
        )

    def least(self) -> tuple[Change, ...]:
        """The fewest grants and memberships without which nothing of it is left; none when no revoke can do that."""
        edges: list[Edge[Change]] = [
            Edge(row.member, row.group, None if row.implicit else self._leaving(row))
            for rows in self._rows.values()
            for row in rows
        ]
        whole = {_revoked(change, change.object.path) for change in self._revokes() if change.object.kind != "column"}
        edges += [
            Edge(who, -1, change)
            for who, ends in self._ends.items()
            for _, change in ends
            # Revoking from a table also revokes from its columns: one revoke is enough for both.
            if not isinstance(change, RemoveGrant) or _revoked(change, change.object.path[:-1]) not in whole
        ]
        edges.append(Edge(self._who, PUBLIC, None))
        cut = minimal_cut(edges, self._who, -1)
        return () if cut is None else tuple(cut)

    def _revokes(self) -> list[RemoveGrant]:
        return [change for ends in self._ends.values() for _, change in ends if isinstance(change, RemoveGrant)]

    def _leaving(self, row: Membership) -> RemoveMembership:
        return RemoveMembership(
            member=self._name(row.member),
            group=self._name(row.group),
            grantor=self._grantor(row.grantor) if self._snapshot.rules.membership_options else "",
            inherit=row.inherit,
            set=row.set,
            admin=row.admin,
        )

    # -- where ways end ---------------------------------------------------------------------------------------------

    def _end_everywhere(self) -> None:
        principal = self._snapshot.principals[self._who]
        for word in set(self._snapshot.rules.bypass).intersection(principal.attributes):
            self._end(self._who, "bypass", word, AlterPrincipal(name=principal.name, loses=(word,)))
        self._on(self._object, self._action)

    def _on(self, one: SecuredObject, action: str) -> None:
        kind = self._snapshot.kind(one)
        if action in kind.admin_only and "catalog" in one.flags:
            return
        self._granted(one, action)
        self._by_rule(one, action)
        for implied in kind.implied:
            if implied.action == action:
                above = self._effective.ancestor(one, implied.by_kind)
                if above is not None:
                    self._on(above, implied.by_action)

    def _granted(self, one: SecuredObject, action: str) -> None:
        bit = 1 << self._snapshot.kind(one).actions.index(action)
        for grant in self._snapshot.grants(one):
            if grant.actions & bit:
                change = RemoveGrant(
                    principal=self._name(grant.grantee),
                    object=ObjectName(one.kind, one.path),
                    actions=(action,),
                    grantable=bool(grant.grantable & bit),
                    grantor="" if grant.grantor == one.owner else self._name(grant.grantor),
                )
                via = f"{action} on {spell(self._snapshot.rules, one.kind, one.path)}"
                self._end(grant.grantee, "grant", via, change, self._name(grant.grantor))

    def _by_rule(self, one: SecuredObject, action: str) -> None:
        kind = self._snapshot.kind(one)
        if action in kind.owner_actions and one.owner >= 0:
            self._end(one.owner, "owner", spell(self._snapshot.rules, one.kind, one.path), None)
        for rule in self._snapshot.rules.everywhere:
            if one.kind in rule.kinds and action in rule.actions:
                self._predefined(rule.principal, f"{action} on every {one.kind}")

    def _predefined(self, name: str, via: str) -> None:
        for number, principal in enumerate(self._snapshot.principals):
            if principal.name == name:
                self._end(number, "predefined", via, None)

    def _end(self, who: int, kind: str, via: str, change: Change | None, grantor: str = "") -> None:
        hop = Hop(kind=kind, from_=self._name(who), to=self.label, via=via, grantor=grantor)
        self._ends.setdefault(who, []).append((hop, change))

    def _name(self, number: int) -> str:
        return self._snapshot.principals[number].name

    def _grantor(self, number: int) -> str:
        return self._name(number) if number >= 0 else ""


def _revoked(change: RemoveGrant, path: tuple[str, ...]) -> tuple[object, ...]:
    return path, change.principal, change.grantor, change.actions


class _Blocks:
    """What is in the way."""

    def __init__(self, effective: Effective, who: int, action: str, one: SecuredObject) -> None:
        self._effective, self._snapshot = effective, effective.snapshot
        self._who, self._action, self._object = who, action, one
        self._principal = self._snapshot.principals[who]
        self._label = spell(self._snapshot.rules, one.kind, one.path)

    def all(self, allowed: bool) -> Iterator[Block]:
        """Nominal reasons first."""
        if not allowed:
            yield from self._nominal()
        yield from self._account()
        yield from self._gates()
        if allowed and not self._effective.behind(self._object, self._action) >> self._who & 1:
            yield self._view()

    def _nominal(self) -> Iterator[Block]:
        name = self._principal.name
        yield Block(
            kind="no_grant",
            summary=f"{self._action} on {self._label} is granted neither to {name}, nor to a role that it inherits "
            "from, nor to PUBLIC",
        )
        if "catalog" in self._object.flags and self._action in self._snapshot.kind(self._object).admin_only:
            yield Block(kind="system", summary=f"{self._label} belongs to the server: nobody else may change it")
        if self._object.owner == self._who:
            yield Block(
                kind="owner_without_grant",
                summary=f"{name} owns it, revoked the right from itself, and can regain it by granting it again",
            )
        yield from self._by_becoming()

    def _by_becoming(self) -> Iterator[Block]:
        holders = self._effective.nominal(self._object, self._action)
        closure = self._effective.becomes(self._object.database)
        for group in each(holders & ~self._effective.bypass):
            if group != self._who and closure.holders(group) >> self._who & 1:
                role = self._snapshot.principals[group].name
                yield Block(
                    kind="not_inherited",
                    summary=f"{self._principal.name} can become {role}, which may, but does not inherit from it",
                    fix=f"SET ROLE {role}",
                )

    def _account(self) -> Iterator[Block]:
        one, effective = self._principal, self._effective
        if effective.able >> self._who & 1 or self._who == PUBLIC:
            return
        login = self._snapshot.rules.login
        if login and login not in one.attributes:
            yield Block(kind="no_login", summary=f"{one.name} cannot log in")
        if one.valid_until is not None and one.valid_until <= effective.now:
            yield Block(kind="expired", summary=f"{one.name} was valid until {one.valid_until.isoformat()}")
        if one.connection_limit == 0:
            yield Block(kind="connection_limit", summary=f"{one.name} is allowed no connection (limit 0)")

    def _gates(self) -> Iterator[Block]:
        for gate in self._snapshot.kind(self._object).gates:
            above = self._effective.ancestor(self._object, gate.kind)
            if above is None:
                continue
            label = spell(self._snapshot.rules, above.kind, above.path)
            if "closed" in above.flags:
                yield Block(kind="closed", summary=f"{label} takes no connections")
            elif not self._effective.nominal(above, gate.action) >> self._who & 1:
                yield Block(
                    kind="gate",
                    summary=f"{self._principal.name} lacks {gate.action} on {label}",
                    fix=f"grant {gate.action} on {label}",
                )

    def _view(self) -> Block:
        view = self._effective.ancestor(self._object, "table") or self._object
        number = self._who if "invoker" in view.flags else view.owner
        who = self._snapshot.principals[number].name
        return Block(kind="view", summary=f"{who}, as whom the view is checked, lacks {self._action} on what it reads")
