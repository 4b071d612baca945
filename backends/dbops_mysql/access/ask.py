"""The server's own answers about nominal access.

There is no function that gives them. ``SHOW GRANTS`` says what an account and each of its roles were granted, as the
server has it in memory; where that alone decides, it is the answer. Which of several matching rows counts it does not
say, so such a question has none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from dbops.access.audit import Question
from dbops.access.matched import Matched
from dbops.access.patterns import wild_match
from dbops.errors import DbopsError
from dbops.model.access import PUBLIC, AccessSnapshot, Principal, SecuredObject
from dbops.model.finding import Missing
from dbops.spi import Reader
from dbops_mysql.access.spoken import Said, said
from dbops_mysql.quoting import account, identifier

__all__ = ["ask"]

Answer = bool | Missing
_ROWS = Missing("not_supported_version", "several rows match, and SHOW GRANTS does not say which one counts")
_OTHERS = Missing("not_supported_version", "rows of other accounts may match, which SHOW GRANTS does not say")
_NOTHING = Missing("not_supported_version", "SHOW GRANTS says nothing about this")


def ask(reader: Reader, snapshot: AccessSnapshot, questions: Sequence[Question]) -> tuple[Answer, ...]:
    """An answer for each question, in order."""
    asking = _Asking(reader, snapshot)
    return tuple(asking.answer(question) for question in questions)


class _Asking:
    def __init__(self, reader: Reader, snapshot: AccessSnapshot) -> None:
        self._reader, self._snapshot = reader, snapshot
        self._effective = Matched(snapshot, snapshot.taken_at)
        self._known: dict[int, list[Said] | Missing] = {}

    def answer(self, question: Question) -> Answer:
        """One answer."""
        one = self._snapshot.objects[question.object]
        if one.kind in ("account", "pattern") or self._reserved(one):
            return _NOTHING
        rights = self._of_all(question.principal)
        return rights if isinstance(rights, Missing) else self._decided(question, one, rights)

    def _reserved(self, one: SecuredObject) -> bool:
        return any(rule.database == one.database for rule in self._effective.matching.reserved)

    # -- what was said ----------------------------------------------------------------------------------------------

    def _of_all(self, who: int) -> list[Said] | Missing:
        """What the account and its active roles were granted."""
        found: list[Said] = []
        for principal in self._standing_for(who):
            rights = self._of(principal)
            if isinstance(rights, Missing):
                return rights
            found += rights
        return found

    def _standing_for(self, who: int) -> list[int]:
        account = self._effective.sessions.all[who].account
        groups = {row.group for row in self._snapshot.memberships} | {account}
        if "exists" in self._snapshot.principals[PUBLIC].settings:
            groups.add(PUBLIC)
        return [one for one in sorted(groups) if one >= 0 and self._effective.actives.holders(one) >> who & 1]

    def _of(self, principal: int) -> list[Said] | Missing:
        known = self._known.get(principal)
        if known is None:
            known = self._known[principal] = self._shown(self._snapshot.principals[principal])
        return known

    def _shown(self, one: Principal) -> list[Said] | Missing:
        try:
            rows = self._reader.tuples(f"SHOW GRANTS FOR {_name(one)}".replace("%", "%%"))
            lines = list(said((row[0] for row in rows), self._snapshot.rules.kinds))
        except DbopsError as error:
            return Missing(error.reason or "query_failed", error.message)
        # MariaDB also lists what is granted to the roles of an account.
        return [line for line in lines if line.grantee == ((one.user, one.host) if one.host else (one.name, ""))]

    # -- what follows -----------------------------------------------------------------------------------------------

    def _decided(self, question: Question, one: SecuredObject, rights: list[Said]) -> Answer:
        action = question.action
        if one.kind == "server":
            return self._whole_server(question, rights)
        denials = {
            line.grantee for line in rights if line.denied and line.path == one.path[:1] and action in line.actions
        }
        everywhere = [line for line in rights if line.kind == "server" and action in line.actions]
        if any(line.grantee not in denials for line in everywhere):
            return self._whole_server(question, rights)
        if denials:
            return _ROWS
        if self._others(question.principal):
            return _OTHERS
        return self._below(one, action, [line for line in rights if not line.denied])

    def _whole_server(self, question: Question, rights: list[Said]) -> Answer:
        """A session that begins with a role may have the rights of another account of its user."""
        adds = self._effective.matching.roles == "add"
        if adds and self._begins_with_role(question.principal) and self._others(question.principal):
            return _OTHERS
        return any(line.kind == "server" and question.action in line.actions for line in rights)

    def _begins_with_role(self, who: int) -> bool:
        return any(role != PUBLIC and sessions >> who & 1 for role, sessions in self._effective.actives.begun.items())

    def _others(self, who: int) -> bool:
        """Whether there are rows of somebody else that could match the session."""
        session = self._effective.sessions.all[who]
        return any(
            one.user in ("", session.user) and bool(one.host) and number not in (session.account, who)
            for number, one in enumerate(self._snapshot.principals)
        )

    def _below(self, one: SecuredObject, action: str, rights: list[Said]) -> Answer:
        above = [at for at in self._levels(one) if at.kind != "server" and action in self._snapshot.kind(at).actions]
        if any(self._granted(at, action, rights) for at in above if at.kind != "database"):
            return True
        if all(at.kind != "database" for at in above):
            return False
        rows = [line for line in rights if line.kind == "database" and self._means(line.path[0], one.database)]
        if len({line.path for line in rows}) > 1:
            return _ROWS
        return any(action in line.actions for line in rows)

    def _levels(self, one: SecuredObject) -> Iterable[SecuredObject]:
        at: SecuredObject | None = one
        while at is not None:
            yield at
            at = self._snapshot.objects[at.parent] if at.parent >= 0 else None

    def _granted(self, one: SecuredObject, action: str, rights: list[Said]) -> bool:
        same: Callable[[str], str] = str.lower if self._snapshot.kind(one).family == "routine" else str
        path = (*one.path[:-1], same(one.path[-1]))
        kind = "table" if self._snapshot.kind(one).family == "table" else one.kind
        return any(
            (line.kind, (*line.path[:-1], same(line.path[-1]))) == (kind, path) and action in line.actions
            for line in rights
            if line.path
        )

    def _means(self, text: str, database: str) -> bool:
        matching = self._effective.matching
        return wild_match(text, database) if matching.wildcards else text == database


def _name(one: Principal) -> str:
    return account(one.user, one.host) if one.host else identifier(one.name)
