"""One reading of a server's access: the grant tables first, then what there is to have rights on."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import msgspec

from dbops.access.accounts import account_name
from dbops.errors import NotPermitted
from dbops.model.access import AccessSnapshot, Matching, Scope
from dbops.model.finding import Missing
from dbops.model.server import Server
from dbops.spi import Reader
from dbops_mysql.access.catalogue import Account, MySQLCatalogue
from dbops_mysql.access.order import in_turn, turns
from dbops_mysql.access.people import People
from dbops_mysql.access.shown import hidden
from dbops_mysql.access.things import WHOLE, Things
from dbops_mysql.probe import skips_grants
from dbops_mysql.statement import text

__all__ = ["inspect"]

Asking = Callable[[Reader, Server], MySQLCatalogue]


def inspect(reader: Reader, server: Server, scope: Scope, catalogue: Asking) -> AccessSnapshot:
    """Everything that the login can see.

    :raises NotPermitted: it cannot read the grant tables, and then nothing can be said.
    """
    with reader.snapshot():
        taken_at: datetime = reader.scalar(text("access_clock"))
        asked = catalogue(reader, server)
        try:
            accounts = asked.accounts()
            rules = asked.rules({name for one in accounts for name in one.dynamic})
            matching = rules.matching or Matching()
            people = People(in_turn(reader, accounts, matching), skipped=skips_grants(server))
            memberships = [people.membership(one) for one in asked.members(accounts)]
            rights = list(asked.rights())
        except NotPermitted as error:
            raise _refused(error, server) from None
        things = Things(rules, people)
        databases = asked.databases()
        missing = _there(asked, things, scope, databases)
        _everywhere(asked, things, accounts)
        for right in rights:
            things.right(right)
        row_order = turns(reader, rights, databases, people, matching)
    objects, acls = things.frozen()
    snapshot = AccessSnapshot(
        engine=server.engine,
        version=server.version,
        incarnation=server.incarnation,
        taken_at=taken_at.replace(tzinfo=UTC),
        rules=rules,
        principals=tuple(people.principals),
        memberships=tuple(memberships),
        objects=objects,
        acls=acls,
        row_order=row_order,
        database=server.database,
    )
    unseen = hidden(snapshot, server.user, asked.shown_by)
    wanted = set(scope.databases)
    unread = {name: why for name, why in unseen.databases.items() if name in wanted or not wanted}
    return msgspec.structs.replace(snapshot, databases_missing={**unread, **missing}, kinds_missing=unseen.kinds)


def _refused(error: NotPermitted, server: Server) -> NotPermitted:
    return NotPermitted(
        f"the grant tables cannot be read: {error.message}",
        hint=f"dbops grants {server.engine} --for audit writes the SQL; at the least: "
        f"GRANT SELECT ON mysql.* TO {server.user or 'this login'}",
        reason="no_permission",
    )


def _everywhere(asked: MySQLCatalogue, things: Things, accounts: list[Account]) -> None:
    """What is held on the whole server, what is not held of it in some databases, and who may be taken for whom."""
    server, database = things.rules.kinds["server"], things.rules.kinds["database"]
    for one in accounts:
        number = things.people.number(one.user, one.host)
        passed_on = tuple(name for name, grantable in one.dynamic.items() if grantable)
        things.grant(WHOLE, number, server.bits((*one.actions, *one.dynamic)), server.bits(passed_on))
        for name, actions in one.denied.items():
            denied = database.bits(tuple(action for action in actions if action in database.actions))
            things.grant(things.database(name), number, 0, 0, denied)
    for proxy in asked.proxies():
        key = things.add("account", (account_name(proxy.proxied_user, proxy.proxied_host),))
        things.grant(key, things.people.number(proxy.user, proxy.host), 1, int(proxy.grantable))


def _there(asked: MySQLCatalogue, things: Things, scope: Scope, names: list[str]) -> dict[str, Missing]:
    """Everything that there is to have rights on; the databases that were asked for and are not there."""
    wanted = set(scope.databases or names)
    for name in names:
        things.database(name, system=name in asked.schemata, there=True)
    for kind, path in asked.tables():
        if path[0] in wanted:
            things.inside(kind, path)
    views = [one for one in asked.views() if one.path[0] in wanted]
    for one in (*views, *asked.routines(), *asked.events(), *asked.triggers()):
        if one.path[0] in wanted:
            things.defined(one)
    things.read(views)
    gone = Missing("not_reachable", "there is no such database, or this login is not shown it")
    return {name: gone for name in scope.databases if name not in names}
