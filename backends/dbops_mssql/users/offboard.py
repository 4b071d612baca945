"""Taking a login and its users away for good, in every database, without taking anything from others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

from dbops.access.handover import hand_over
from dbops.access.naming import spell
from dbops.access.simulate import Simulation
from dbops.access.steps import locked
from dbops.access.telling import summary
from dbops.errors import UsageError
from dbops.model.access import AccessSnapshot, Principal, SecuredObject
from dbops.model.change import AddGrant, Change, DropPrincipal, ObjectName, RemoveGrant, SetOwner
from dbops.model.finding import Missing
from dbops.model.server import Server
from dbops.plan import Call, Risk, Sql, Step
from dbops.spi import Reader
from dbops_mssql.access.people import account_name, split_name
from dbops_mssql.quoting import identifier, literal
from dbops_mssql.reach import MASTER, reach
from dbops_mssql.statement import text
from dbops_mssql.users.compile import TRANSACTION
from dbops_mssql.users.sql import statements, undo

__all__ = ["offboard"]


def offboard(
    reader: Reader, snapshot: AccessSnapshot, who: Sequence[str], heir: str, server: Server
) -> tuple[Step, ...]:
    """Lock out, end sessions; then in one transaction hand over, keep what others have through it, clean up, drop.

    :raises UsageError: it owns something and nobody is to have it; a database cannot be read; it is no account to go.
    """
    leaving = _Leaving(snapshot, who, heir, server)
    leaving.check()
    jobs = [
        (str(job), str(name))
        for login in (leaving.logins if reach(server).agent else ())
        for job, name in reader.tuples(text("users_jobs"), {"login": login})
    ]
    return locked(list(leaving.steps(jobs)), database=reach(server).home(server))


class _Leaving:
    def __init__(self, snapshot: AccessSnapshot, who: Sequence[str], heir: str, server: Server) -> None:
        self._snapshot, self._heir, self._server = snapshot, heir, server
        self._reach = reach(server)
        self._home = self._reach.home(server)
        named = [at for at, one in enumerate(snapshot.principals) if one.name in who]
        # A login's users go before it, or they would be nobody's.
        users = [row.group for row in snapshot.memberships if row.implicit and row.member in named and row.database]
        self._numbers = [*(at for at in users if at not in named and self._is_own(at)), *named]
        self._people = [snapshot.principals[at] for at in self._numbers]
        self._count = 0

    def _is_own(self, number: int) -> bool:
        """Not dbo, who the owner of a database is."""
        return not self._snapshot.principals[number].system

    @property
    def logins(self) -> list[str]:
        """As the server names them."""
        return [split_name(one.name)[1] for one in self._people if not one.database and one.kind == "user"]

    def check(self) -> None:
        """Before anything is planned."""
        for one in self._people:
            if one.system or one.kind == "public":
                raise UsageError(f"{one.name!r} is the server's own and cannot go")
            if one.name == account_name("", self._server.user):
                raise UsageError(f"{one.name!r} is the login in use", hint="Connect as somebody else.")
        if self._heir in [one.name for one in self._people]:
            raise UsageError(f"{self._heir!r} cannot take over from itself")
        # Where sessions stay in their databases, so does a farewell.
        if self._snapshot.databases_missing and self._reach.crosses:
            raise _unseen(self._snapshot.databases_missing)

    def steps(self, jobs: Sequence[tuple[str, str]]) -> Iterator[Step]:
        """In their order."""
        owned = [one for one in self._snapshot.objects if self._hands_over(one)]
        if (owned or jobs) and not self._heir:
            names = [spell(self._snapshot.rules, one.kind, one.path) for one in owned]
            names += [f"the job {name}" for _, name in jobs]
            raise UsageError(
                f"{self._people[-1].name!r} owns {', '.join(names[:3])}",
                hint="Say who shall have them: --reassign-to ROLE. Nothing is dropped with its owner.",
            )
        for who in self._people:
            yield from self._out(who)
        working = Simulation(self._snapshot)
        for handed in hand_over(working, [self._handed_over(one) for one in owned], self._numbers):
            yield from self._change(handed)
        for job, name in jobs:
            yield self._job(job, name)
        for change in self._kept(working.snapshot()):
            yield from self._change(change)
        for who in self._people:
            sort: Literal["user", "role"] = "role" if who.kind == "role" else "user"
            yield from self._change(DropPrincipal(name=who.name, attributes=who.attributes, kind=sort))

    def _out(self, one: Principal) -> Iterator[Step]:
        """Who logs in does so no more, and no session of his is left. A user is let in by his login, unless he has
        none that is seen."""
        if one.kind == "role" or (one.database and not one.login):
            return
        database, login = split_name(one.name)
        name = identifier(login)
        out, back = (
            (f"DENY CONNECT TO {name}", f"GRANT CONNECT TO {name}")
            if database
            else (f"ALTER LOGIN {name} DISABLE", f"ALTER LOGIN {name} ENABLE")
        )
        yield self._sql(database or MASTER, out, f"lock {login} out", back)
        self._count += 1
        yield Call(
            id=f"o{self._count:04d}",
            summary=f"end the sessions of {login}",
            risk=Risk.DESTRUCTIVE,
            provider="backend",
            operation="end_sessions",
            arguments={
                "login": login,
                "of": database if "CONTAINED" in one.attributes else "",
                "database": self._home,
            },
            idempotent=True,
        )

    def _hands_over(self, one: SecuredObject) -> bool:
        """What has an owner of its own; the rest belongs to the owner of its schema."""
        return one.owner in self._numbers and one.kind != "column" and one.follows < 0

    def _handed_over(self, one: SecuredObject) -> SetOwner:
        where = one.path[0] if self._snapshot.kind(one).contained and one.kind != "database" else ""
        heir = self._heir if split_name(self._heir)[0] == where else account_name(where, split_name(self._heir)[1])
        if not any(other.name == heir for other in self._snapshot.principals):
            name = spell(self._snapshot.rules, one.kind, one.path)
            raise UsageError(f"{self._heir!r} is nobody in {where or 'the server'}, where {name} wants an owner")
        old = self._snapshot.principals[one.owner].name
        return SetOwner(object=ObjectName(one.kind, one.path), owner=heir, old=old)

    def _kept(self, snapshot: AccessSnapshot) -> Iterator[Change]:
        """What others have, or are denied, because it said so: they get it from the owner, and then it goes."""
        for one in snapshot.objects:
            for grant in snapshot.grants(one):
                if grant.grantor not in self._numbers or grant.grantor == one.owner:
                    continue
                kind, name = snapshot.kind(one), snapshot.principals[grant.grantee].name
                target, passed = ObjectName(one.kind, one.path), snapshot.principals[grant.grantor].name
                for bits, option, deny in (
                    (grant.actions & ~grant.grantable, False, False),
                    (grant.grantable, True, False),
                    (grant.denied, False, True),
                ):
                    words = kind.names(bits)
                    if bits and grant.grantee not in self._numbers:
                        yield AddGrant(principal=name, object=target, actions=words, grantable=option, deny=deny)
                    if bits:
                        yield RemoveGrant(
                            principal=name, object=target, actions=words, grantable=option, grantor=passed, deny=deny
                        )

    def _job(self, job: str, name: str) -> Step:
        heir = literal(split_name(self._heir)[1])
        return self._sql(
            "msdb",
            f"EXEC dbo.sp_update_job @job_id = {literal(job)}, @owner_login_name = {heir}",
            f"give {self._heir} the job {name}",
            "",
            TRANSACTION,
        )

    def _change(self, change: Change) -> Iterator[Step]:
        for statement in statements(change, self._reach):
            self._count += 1
            yield Sql(
                id=f"o{self._count:04d}",
                summary=summary(change, self._snapshot.rules),
                risk=Risk.DESTRUCTIVE if isinstance(change, DropPrincipal) else Risk.WRITE,
                undo=undo(change, self._reach),
                statement=statement,
                database=self._home,
                transaction=TRANSACTION,
            )

    def _sql(self, database: str, statement: str, what: str, back: str, transaction: str | None = None) -> Sql:
        self._count += 1
        there = f"USE {identifier(database)}; " if self._reach.crosses else ""
        return Sql(
            id=f"o{self._count:04d}",
            summary=what,
            risk=Risk.WRITE,
            undo=there + back if back else "",
            statement=(there + statement,),
            database=self._home,
            transaction=transaction,
            idempotent=True,
        )


def _unseen(missing: Mapping[str, Missing]) -> UsageError:
    """No login sees into a database that is not online: whoever goes would stay its user."""
    why = "; ".join(f"{name} ({one.detail})" for name, one in sorted(missing.items()))
    shut = any(one.reason == "not_reachable" for one in missing.values())
    hint = "Bring it online first, or drop it." if shut else "Use a login that may enter everywhere."
    return UsageError(f"what it has there cannot be seen: {why}", hint=hint)
