"""Taking an account away for good, in every database, without taking anything from others."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dbops.access.naming import spell
from dbops.access.steps import locked
from dbops.access.telling import summary
from dbops.errors import UsageError
from dbops.model.access import AccessSnapshot
from dbops.model.change import AddGrant, AddMembership, Change, ObjectName, RemoveMembership
from dbops.model.server import Server
from dbops.plan import Need, Risk, Sql, Step
from dbops.spi import Reader
from dbops_postgresql.access.sql import OPTIONS_SINCE, sql, undo
from dbops_postgresql.quoting import identifier, literal
from dbops_postgresql.statement import text

__all__ = ["offboard"]


SESSIONS = "SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity"


def offboard(reader: Reader, snapshot: AccessSnapshot, name: str, heir: str, server: Server) -> tuple[Step, ...]:
    """Lock out, end sessions, keep what others have through it, hand over, clean up, drop.

    :raises UsageError: it owns something and nobody is to have it; a database cannot be read; it is no account to go.
    """
    leaving = _Leaving(snapshot, name, heir, server)
    leaving.check()
    if not heir:
        _owns_nothing(snapshot, name, reader.tuples(text("access_owned"), {"role": name}))
    return locked(list(leaving.steps()))


def _owns_nothing(snapshot: AccessSnapshot, name: str, unlisted: Sequence[tuple[str, str]]) -> None:
    """What it owns would go with it: DROP OWNED makes no difference between rights and objects."""
    owned = [
        spell(snapshot.rules, one.kind, one.path)
        for one in snapshot.objects
        if snapshot.principals[one.owner].name == name and one.kind != "column"
    ]
    owned += [f"{what} in {database}" for what, database in unlisted]
    if owned:
        raise UsageError(
            f"{name!r} owns {len(owned)} object(s): {', '.join(owned[:3])}",
            hint="Say who shall have them: --reassign-to ROLE. Nothing is dropped with its owner.",
        )


class _Leaving:
    def __init__(self, snapshot: AccessSnapshot, name: str, heir: str, server: Server) -> None:
        self._snapshot, self._server = snapshot, server
        self._name, self._heir = name, heir
        self._number = next(at for at, one in enumerate(snapshot.principals) if one.name == name)
        self._count = 0

    def check(self) -> None:
        """Before anything is planned."""
        snapshot = self._snapshot
        if self._number == 0 or snapshot.principals[self._number].system:
            raise UsageError(f"{self._name!r} is the server's own and cannot go")
        if self._name == self._server.user:
            raise UsageError(f"{self._name!r} is the login in use", hint="Connect as somebody else.")
        if self._heir in (self._name, "PUBLIC"):
            raise UsageError(f"{self._heir!r} cannot take over from {self._name!r}")
        if snapshot.databases_missing:
            names = ", ".join(sorted(snapshot.databases_missing))
            raise UsageError(
                f"what {self._name!r} has in {names} cannot be seen", hint="Use a login that may connect everywhere."
            )

    def steps(self) -> Iterator[Step]:
        """In their order."""
        who, quoted = identifier(self._name), literal(self._name)
        yield self._sql(
            f"ALTER ROLE {who} NOLOGIN", f"lock {self._name} out", undo=f"ALTER ROLE {who} LOGIN", home=True
        )
        yield self._sql(
            f"{SESSIONS} WHERE usename = {quoted} AND pid <> pg_catalog.pg_backend_pid()",
            f"end the sessions of {self._name}",
            Risk.DESTRUCTIVE,
            home=True,
        )
        for change in self._kept():
            yield self._change(change)
        for database in self._databases():
            yield from self._in(database)
        yield self._sql(
            f"DROP ROLE {who}",
            f"drop {self._name}; the server refuses while anything refers to it",
            Risk.DESTRUCTIVE,
            undo=f"CREATE ROLE {who}",
            home=True,
        )

    def _in(self, database: str) -> Iterator[Step]:
        who = identifier(self._name)
        if self._heir:
            yield self._sql(
                f"REASSIGN OWNED BY {who} TO {identifier(self._heir)}",
                f"give {self._heir} what {self._name} owns in {database}",
                database=database,
            )
        yield self._sql(
            f"DROP OWNED BY {who}",
            f"take all rights from {self._name} in {database}, default privileges too",
            database=database,
        )

    def _databases(self) -> list[str]:
        return [one.path[0] for one in self._snapshot.objects if one.kind == "database" and "closed" not in one.flags]

    def _kept(self) -> Iterator[Change]:
        """What others have because this account granted it goes with it: they get it from the owner first."""
        snapshot = self._snapshot
        for one in snapshot.objects:
            if one.owner == self._number:
                continue
            for grant in snapshot.grants(one):
                if grant.grantor == self._number and grant.grantee != self._number:
                    kind, name = snapshot.kind(one), snapshot.principals[grant.grantee].name
                    for bits, option in ((grant.actions & ~grant.grantable, False), (grant.grantable, True)):
                        if bits:
                            yield AddGrant(
                                principal=name,
                                object=ObjectName(one.kind, one.path),
                                actions=kind.names(bits),
                                grantable=option,
                            )
        if self._server.major >= OPTIONS_SINCE:
            yield from self._memberships()

    def _memberships(self) -> Iterator[Change]:
        names = self._snapshot.principals
        for row in self._snapshot.memberships:
            if row.grantor == self._number and self._number not in (row.member, row.group):
                options = {"inherit": row.inherit, "set": row.set, "admin": row.admin}
                pair = {"member": names[row.member].name, "group": names[row.group].name}
                yield AddMembership(**pair, **options)  # type: ignore[arg-type]  # names are text, options are not
                yield RemoveMembership(**pair, **options, grantor=self._name)  # type: ignore[arg-type]  # as above

    def _change(self, change: Change) -> Step:
        database = None
        if isinstance(change, AddGrant):
            kind = self._snapshot.rules.kinds[change.object.kind]
            database = change.object.path[0] if kind.contained and kind.name != "database" else None
        self._count += 1
        return Sql(
            id=f"o{self._count:04d}",
            summary=f"keep what others have through {self._name}: {summary(change, self._snapshot.rules)}",
            risk=Risk.WRITE,
            undo=undo(change, self._server.major),
            statement=sql(change, self._server.major),
            database=database or self._server.database,
            transaction="keep",
        )

    def _sql(
        self,
        statement: str,
        what: str,
        risk: Risk = Risk.WRITE,
        *,
        undo: str = "",
        database: str = "",
        home: bool = False,
    ) -> Sql:
        self._count += 1
        return Sql(
            id=f"o{self._count:04d}",
            summary=what,
            risk=risk,
            undo=undo,
            needs=(Need(kind="right", name=f"superuser, or membership of {self._name}"),),
            statement=(statement,),
            database=self._server.database if home else database,
            transaction=None if home else "offboard",
            idempotent=True,
        )
