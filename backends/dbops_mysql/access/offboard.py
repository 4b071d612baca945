"""Taking accounts away for good, without breaking what others use.

An account that is dropped leaves views, routines, events and triggers behind that run with its rights, and fail from
then on. A locked one does not: nobody can log in as it, and they go on. So an account goes when nothing of the kind is
left, and stays locked until then.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dbops.access.naming import label
from dbops.access.steps import locked
from dbops.errors import UsageError
from dbops.model.access import AccessSnapshot, Principal, SecuredObject
from dbops.model.change import AddMembership, AlterPrincipal, Change, DropPrincipal
from dbops.model.server import Server
from dbops.plan import Call, Need, Risk, Sql, Step
from dbops.spi import Reader
from dbops_mysql.access.definers import Handing, handing_over
from dbops_mysql.access.sql import MySQLStatements, statements
from dbops_mysql.quoting import split_account
from dbops_mysql.skipped import refuse_skipped_grants

__all__ = ["END_SESSIONS", "offboard"]

END_SESSIONS = "end_sessions"


def offboard(  # noqa: PLR0917  a driver's signature, and what the engine says
    reader: Reader, snapshot: AccessSnapshot, names: Sequence[str], heir: str, server: Server, to: MySQLStatements
) -> tuple[Step, ...]:
    """Lock out, end sessions, hand over what runs with their rights, drop.

    :raises UsageError: something runs with their rights and nobody is to have it; it cannot be seen; no account to go.
    """
    refuse_skipped_grants(server)
    leaving = _Leaving(snapshot, names, heir, server, to)
    leaving.check()
    return locked(list(leaving.steps(reader)))


class _Leaving:
    def __init__(
        self, snapshot: AccessSnapshot, names: Sequence[str], heir: str, server: Server, to: MySQLStatements
    ) -> None:
        self._snapshot, self._server, self._to = snapshot, server, to
        self._heir = heir
        self._people = {at: one for at, one in enumerate(snapshot.principals) if one.name in names}
        self._runs = [one for one in snapshot.objects if one.runs_as in self._people and "invoker" not in one.flags]
        self._count = 0

    def check(self) -> None:
        """Before anything is planned."""
        login = split_account(self._server.user) or tuple(self._server.user.rsplit("@", 1))
        for at, one in self._people.items():
            if at == 0 or one.system:
                raise UsageError(f"{one.name} is the server's own and cannot go")
            if (one.user, one.host) == login:
                raise UsageError(f"{one.name} is the login in use", hint="Connect as somebody else.")
            if one.name == self._heir:
                raise UsageError(f"{self._heir} cannot take over from itself")
        missing = [*self._snapshot.kinds_missing.items(), *self._snapshot.databases_missing.items()]
        if missing:
            what, why = missing[0]
            raise UsageError(f"what runs with their rights cannot be seen: {what}: {why.detail}")
        if self._runs and not self._heir:
            names = ", ".join(label(self._snapshot, one) for one in self._runs[:3])
            raise UsageError(
                f"{len(self._runs)} object(s) run with the rights of {self._names}, and would fail: {names}",
                hint="Say who shall be their definer: --reassign-to ACCOUNT.",
            )

    @property
    def _names(self) -> str:
        return ", ".join(one.name for one in self._people.values())

    def steps(self, reader: Reader) -> Iterator[Step]:
        """In their order."""
        accounts = [one for one in self._people.values() if one.kind == "user"]
        for one in accounts:
            closing = AlterPrincipal(name=one.name, loses=("LOGIN",))
            yield from self._changed(closing, f"lock {one.name} out", idempotent=True)
        for one in accounts:
            yield self._ending(one)
        handed = handing_over(reader, self._runs, self._heir, self._to) if self._runs else Handing()
        for statement, database, what in handed.statements:
            name = label(self._snapshot, what)
            yield self._sql(
                statement, f"let {name} run with the rights of {self._heir}, who must have them", database=database
            )
        yield from self._administrators()
        stuck: dict[int, list[SecuredObject]] = {}
        for what in handed.left:
            stuck.setdefault(what.runs_as, []).append(what)
        for at, one in self._people.items():
            if at in stuck:
                yield self._stays(one, stuck[at])
            else:
                yield self._dropping(one)

    def _ending(self, one: Principal) -> Step:
        self._count += 1
        return Call(
            id=f"o{self._count:04d}",
            summary=f"end the sessions of {one.name}",
            risk=Risk.DESTRUCTIVE,
            idempotent=True,
            provider="backend",
            operation=END_SESSIONS,
            arguments={"user": one.user, "host": one.host},
        )

    def _administrators(self) -> Iterator[Step]:
        """A role that nobody may pass on any more can never be granted again."""
        if not self._to.roles_need_administrators:
            return
        rows = [row for row in self._snapshot.memberships if row.admin]
        for group in sorted({row.group for row in rows if row.member in self._people} - self._people.keys()):
            if any(row.group == group and row.member not in self._people for row in rows):
                continue
            name = self._snapshot.principals[group].name
            if not self._heir:
                raise UsageError(
                    f"nobody but {self._names} may pass on the role {name}",
                    hint="Say who shall: --reassign-to ACCOUNT, run as one who may.",
                )
            change = AddMembership(member=self._heir, group=name, inherit=False, admin=True)
            yield from self._changed(change, f"let {self._heir} pass on the role {name}, as nobody else may")

    def _dropping(self, one: Principal) -> Step:
        change = DropPrincipal(name=one.name, attributes=one.attributes, kind="role" if one.kind == "role" else "user")
        [step] = self._changed(change, f"drop {one.name} with its rights", Risk.DESTRUCTIVE, idempotent=True)
        return step

    def _stays(self, one: Principal, objects: Sequence[SecuredObject]) -> Step:
        names = ", ".join(label(self._snapshot, what) for what in objects)
        closing = AlterPrincipal(name=one.name, loses=("LOGIN",))
        [step] = self._changed(
            closing,
            f"keep {one.name} locked and do not drop it: {names} run(s) with its rights and no statement gives that to "
            f"another. Make them again with another DEFINER, then run this once more",
            idempotent=True,
        )
        return step

    def _changed(
        self, change: Change, what: str, risk: Risk = Risk.WRITE, *, idempotent: bool = False
    ) -> Iterator[Step]:
        for statement in statements(change, self._to):
            text = "".join(str(part) for part in statement)
            yield self._sql(text, what, risk, undo=self._to.undo(change), idempotent=idempotent)

    def _sql(
        self,
        statement: str,
        what: str,
        risk: Risk = Risk.WRITE,
        *,
        undo: str = "",
        database: str | None = None,
        idempotent: bool = True,
    ) -> Sql:
        self._count += 1
        return Sql(
            id=f"o{self._count:04d}",
            summary=what,
            risk=risk,
            undo=undo,
            needs=(Need(kind="right", name=self._to.definer_right),) if database else (),
            statement=(statement,),
            database=database,
            idempotent=idempotent,
        )
