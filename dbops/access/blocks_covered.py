"""What is in the way, and what narrows access, where rights are covered and denied."""

from __future__ import annotations

from collections.abc import Iterator

from dbops.access.acting import acting
from dbops.access.covered import Covered
from dbops.access.escalation import escalations
from dbops.access.naming import label
from dbops.access.signed import lenders, running, signed
from dbops.access.unseen import barring, letting
from dbops.model.access import PUBLIC, SecuredObject
from dbops.model.audit import Block

__all__ = ["Blocks"]

SHOWN = 10
THROUGH = ("SELECT", "INSERT", "UPDATE", "DELETE", "EXECUTE")


class Blocks:
    """The reasons, those about rights first."""

    def __init__(self, effective: Covered, who: int, action: str, one: SecuredObject) -> None:
        self._effective, self._snapshot = effective, effective.snapshot
        self._who, self._action, self._object = who, action, one
        self._principal = self._snapshot.principals[who]
        self._label = label(self._snapshot, one)

    def all(self, *, allowed: bool) -> Iterator[Block]:
        """Everything that would have to go."""
        if not allowed:
            denied = list(self._denied())
            yield from denied
            if not self._effective.rights(self._object, self._action)[0] >> self._who & 1:
                yield self._nothing()
            yield from self._chains()
            yield from self._signed()
            yield from self._acting()
            yield from self._becoming()
            yield from self._escalating()
            yield from self._unseen()
        yield from self._account()
        yield from self._gates()
        if allowed and not self._effective.behind(self._object, self._action) >> self._who & 1:
            yield from self._broken(self._view(), frozenset())

    def limits(self) -> Iterator[str]:
        """What narrows an access that is usable, and what it reaches that nobody is asked about."""
        table = self._effective.ancestor(self._object, "table")
        if table is not None and self._effective.row_limited(table) >> self._who & 1:
            yield "row-level security: only the rows that its predicates let through, for owners and administrators too"
        if self._action in THROUGH:
            yield from self._reached(self._view(), frozenset())
        for group in barring(self._effective, self._who, self._object, self._action):
            yield f"whether {self._principal.name} is in {self._name(group)}, to which it is denied, is not known"

    def _name(self, number: int) -> str:
        return self._snapshot.principals[number].name

    def _stands(self, principal: int) -> bool:
        return bool(self._effective.contexts.holders(principal) >> self._who & 1)

    # -- rights -------------------------------------------------------------------------------------------------------

    def _denied(self) -> Iterator[Block]:
        over = self._granted_on_column()
        for place, action in self._effective.places(self._object, self._action):
            for principal, gives, row in self._effective.counting(self._object, place, action):
                if gives or not self._stands(principal) or (over and place == self._table()):
                    continue
                where, whose = label(self._snapshot, place), self._name(principal)
                for_whom = "" if principal == self._who else f", for whom {self._principal.name} stands"
                yield Block(
                    kind="deny",
                    summary=f"{action} on {where} is denied to {whose}{for_whom}",
                    fix=f"revoke the denial of {action} on {where} from {whose}" if row else f"take it out of {whose}",
                )

    def _table(self) -> SecuredObject | None:
        column = self._object.kind == "column" and self._object.parent >= 0
        return self._snapshot.objects[self._object.parent] if column else None

    def _granted_on_column(self) -> bool:
        if self._object.kind != "column":
            return False
        said = self._effective.said(self._object, self._action)
        return any(gives and self._stands(principal) for principal, gives, _ in said)

    def _nothing(self) -> Block:
        return Block(
            kind="no_grant",
            summary=f"neither {self._action} on {self._label} nor anything that covers it is granted to "
            f"{self._principal.name} or to anybody for whom it stands",
        )

    def _becoming(self) -> Iterator[Block]:
        holders = self._effective.nominal(self._object, self._action) & ~self._effective.contexts.unbound
        accounts = self._effective.covering.accounts
        found = 0
        for one in self._snapshot.objects:
            action = accounts.get(one.kind)
            number = self._effective.principal_of(one) if action else -1
            if not action or number in (-1, self._who) or not holders >> number & 1:
                continue
            if self._effective.nominal(one, action) >> self._who & 1 and found < SHOWN:
                found += 1
                sort, plain = one.kind.upper(), one.path[-1].replace("'", "''")
                yield Block(
                    kind="not_become",
                    summary=f"{self._principal.name} can impersonate {self._name(number)}, which may",
                    fix=f"EXECUTE AS {sort} = N'{plain}'",
                )

    def _escalating(self) -> Iterator[Block]:
        for one in escalations(self._effective):
            if one.who >> self._who & 1:
                yield Block(kind="escalation", summary=f"{self._principal.name} can still come to it: {one.summary}")

    def _unseen(self) -> Iterator[Block]:
        for group in letting(self._effective, self._who, self._object, self._action):
            yield Block(
                kind="unknown_group",
                summary=f"whether {self._principal.name} is in {self._name(group)}, which may, is not known: ask the "
                "directory",
            )

    def _chains(self) -> Iterator[Block]:
        """Code that leads there without asking, or asking somebody else, and that may be used."""
        found = 0
        for module in self._snapshot.objects if self._action in THROUGH else ():
            for action, kind, why in self._leading(module):
                if found < SHOWN and self._effective.usable(module, action) >> self._who & 1:
                    found += 1
                    by = label(self._snapshot, module)
                    yield Block(
                        kind=kind,
                        summary=f"all the same {self._principal.name} reaches it through {by} ({action}): {why}",
                    )

    def _signed(self) -> Iterator[Block]:
        """Code that has the right while it runs, and that may be used; whether it leads there is not always known."""
        found = 0
        for code in signed(self._effective):
            action = running(self._effective, code)
            lent = lenders(self._effective, code, self._who, self._object, self._action)
            if lent and found < SHOWN and self._effective.usable(code, action) >> self._who & 1:
                found += 1
                by, whose = label(self._snapshot, code), " and ".join(map(self._name, lent))
                yield Block(
                    kind="signed",
                    summary=f"all the same {self._principal.name} may do it by what {by} does ({action}): it is signed "
                    f"with a key of which {whose} was made, who may",
                )

    def _acting(self) -> Iterator[Block]:
        """Code of other databases that acts here as somebody else who may."""
        holders = self._effective.nominal(self._object, self._action)
        here = self._object.database if self._snapshot.kind(self._object).contained else ""
        found = 0
        for code, account in acting(self._effective):
            action = running(self._effective, code)
            may = code.database != here and holders >> account & 1 and found < SHOWN
            if may and self._effective.usable(code, action) >> self._who & 1:
                found += 1
                by, whose = label(self._snapshot, code), self._name(account)
                yield Block(
                    kind="execute_as",
                    summary=f"all the same {self._principal.name} may do it by what {by} does ({action}): it acts as "
                    f"{whose}, who may, and database:{code.database} is trustworthy",
                )

    def _leading(self, module: SecuredObject) -> Iterator[tuple[str, str, str]]:
        """By which action of a view or routine somebody gets there, and why he is let through."""
        target = self._table() or self._object
        actions = self._snapshot.kind(module).actions
        used = next((word for word in (self._action, "EXECUTE") if word in actions), "")
        if not module.reads or not used:
            return
        if self._chain_to(module, target, frozenset()):
            yield used, "chain", "an unbroken chain of ownership leads there, in which no right is asked for"
        elif "definer" in module.flags and module.runs_as >= 0:
            place = next((one.object for one in module.reads if self._snapshot.objects[one.object] == target), -1)
            if place >= 0 and self._effective.nominal(target, self._action) >> module.runs_as & 1:
                yield used, "execute_as", f"it runs as {self._name(module.runs_as)}, who may"

    def _chain_to(self, one: SecuredObject, target: SecuredObject, seen: frozenset[int]) -> bool:
        for reads in one.reads:
            below = self._snapshot.objects[reads.object]
            if reads.object in seen or not self._effective.chained(one, below):
                continue
            if below == target or self._chain_to(below, target, seen | {reads.object}):
                return True
        return False

    # -- what stands behind a view or routine -------------------------------------------------------------------------

    def _view(self) -> SecuredObject:
        return self._table() or self._object

    def _reached(self, one: SecuredObject, seen: frozenset[int]) -> Iterator[str]:
        for reads in one.reads:
            if reads.object in seen:
                continue
            below = self._snapshot.objects[reads.object]
            first, second = label(self._snapshot, one), label(self._snapshot, below)
            if self._effective.chained(one, below):
                owner = self._name(below.owner)
                yield f"{first} leads to {second} in a chain of ownership ({owner}): no right is asked for there"
            else:
                yield f"the chain of ownership is broken from {first} to {second}: rights of one's own are needed there"
            yield from self._reached(below, seen | {reads.object})

    def _broken(self, one: SecuredObject, seen: frozenset[int]) -> Iterator[Block]:
        for reads in one.reads:
            below = self._snapshot.objects[reads.object]
            if reads.object in seen:
                continue
            asked = self._action in self._snapshot.kind(below).actions and not self._effective.chained(one, below)
            if asked and not self._effective.nominal(below, self._action) >> self._who & 1:
                where = label(self._snapshot, below)
                yield Block(
                    kind="view",
                    summary=f"the chain of ownership is broken from {label(self._snapshot, one)} to {where}, where "
                    f"{self._principal.name} lacks {self._action}",
                    fix=f"grant {self._action} on {where} to {self._principal.name}",
                )
            yield from self._broken(below, seen | {reads.object})

    # -- getting in ---------------------------------------------------------------------------------------------------

    def _account(self) -> Iterator[Block]:
        one, covering = self._principal, self._effective.covering
        if self._who == PUBLIC or self._effective.able >> self._who & 1:
            return
        server = next((other for other in self._snapshot.objects if other.kind == "server"), None)
        if one.kind in ("role", "public"):
            yield Block(kind="no_login", summary=f"{one.name} is a role: nobody logs in as it")
        elif "DISABLED" in one.attributes:
            yield Block(kind="disabled", summary=f"{one.name} is disabled", fix=f"enable {one.name}")
        elif not one.database and server is not None and "LOGIN" in one.attributes:
            yield Block(kind="no_connect", summary=f"{one.name} lacks {covering.connects} on the server")
        else:
            yield Block(kind="no_login", summary=f"{one.name} cannot log in")

    def _gates(self) -> Iterator[Block]:
        for gate in self._snapshot.kind(self._object).gates:
            above = self._effective.ancestor(self._object, gate.kind)
            if above is None:
                continue
            where = label(self._snapshot, above)
            if "closed" in above.flags:
                yield Block(kind="closed", summary=f"{where} takes no connections")
            elif not self._effective.nominal(above, gate.action) >> self._who & 1:
                yield Block(
                    kind="gate",
                    summary=f"{self._principal.name} lacks {gate.action} on {where}",
                    fix=f"let it into {where}: make it a user there, or grant {gate.action}",
                )
