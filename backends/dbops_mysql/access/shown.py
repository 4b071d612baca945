"""What this login is not shown: the server leaves out of its lists what it has no right on, without a word."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from dbops.access.matched import Matched
from dbops.model.access import AccessSnapshot, SecuredObject
from dbops.model.finding import Missing

__all__ = ["Hidden", "hidden"]


class Hidden(NamedTuple):
    """Why, by database and by kind of objects."""

    databases: dict[str, Missing]
    kinds: dict[str, Missing]


def hidden(snapshot: AccessSnapshot, login: str, shown_by: Mapping[str, tuple[str, ...]]) -> Hidden:
    """What may be missing in a snapshot.

    :param login: who read it, as the server names him (``dbops@localhost``).
    :param shown_by: by kind, the privileges of which any one shows all of them, the least first.
    """
    user, _, host = login.rpartition("@")
    people = enumerate(snapshot.principals)
    who = next((number for number, one in people if (one.user, one.host) == (user, host)), None)
    if who is None or _shown_everything(snapshot, who, shown_by):
        return Hidden({}, {})  # with skip-grant-tables nobody is anybody
    return _Looking(snapshot, who, login, shown_by).hidden()


def _shown_everything(snapshot: AccessSnapshot, who: int, shown_by: Mapping[str, tuple[str, ...]]) -> bool:
    """Whether its own rights on the whole server are enough, as those of an administrator are."""
    server = next(one for one in snapshot.objects if one.kind == "server")
    kind = snapshot.kind(server)
    own = {action for row in snapshot.grants(server) if row.grantee == who for action in kind.names(row.actions)}
    needed = ("SHOW DATABASES",), snapshot.rules.kinds["table"].actions, *shown_by.values()
    return all(own.intersection(any_of) for any_of in needed)


class _Looking:
    def __init__(self, snapshot: AccessSnapshot, who: int, login: str, shown_by: Mapping[str, tuple[str, ...]]) -> None:
        self._snapshot, self._who, self._login, self._shown_by = snapshot, who, login, shown_by
        self._effective = Matched(snapshot, snapshot.taken_at)

    def hidden(self) -> Hidden:
        databases = [one for one in self._snapshot.objects if one.kind == "database" and "system" not in one.flags]
        tables = self._snapshot.rules.kinds["table"].actions
        unread = {one.database: self._why("tables", "REFERENCES") for one in databases if not self._has(one, tables)}
        return Hidden(unread, dict(self._kinds(databases)))

    def _kinds(self, databases: Sequence[SecuredObject]) -> Iterator[tuple[str, Missing]]:
        server = next(one for one in self._snapshot.objects if one.kind == "server")
        inside = self._snapshot.rules.kinds["database"].actions
        all_listed = self._has(server, ("SHOW DATABASES", *inside))
        if not all_listed:
            yield "database", self._why("databases", "SHOW DATABASES")
        for kind, actions in self._shown_by.items():
            everywhere = all_listed and all(self._has(one, actions) for one in databases)
            if not everywhere and not self._has(server, actions):
                yield kind, self._why(f"{kind}s", actions[0])

    def _has(self, one: SecuredObject, actions: Iterable[str]) -> bool:
        known = self._snapshot.kind(one).actions
        return any(self._effective.held(one, action) >> self._who & 1 for action in actions if action in known)

    def _why(self, what: str, privileges: str) -> Missing:
        text = f"this login is not shown all {what}: GRANT {privileges} ON *.* TO {self._login}"
        return Missing("no_permission", text)
