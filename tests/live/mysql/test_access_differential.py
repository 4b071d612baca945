"""Our answers against the servers' own: random accounts, patterns, roles and rights, and a real statement for each.

Each world has users with accounts at several hosts, nobody's accounts, roles in roles, patterns escaped and not, rights
at every level, and views and routines with definers. Sessions come through the socket and from several addresses of
the loopback network; every answer of theirs is compared with what was worked out from the grant tables alone.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

import msgspec
import pymysql
import pytest

from dbops import registry
from dbops.access.accounts import account_name
from dbops.access.audit import sample
from dbops.access.effective import Effective
from dbops.access.evaluator import evaluator
from dbops.access.hosts import LOCALHOST, Origin
from dbops.access.matched import Matched
from dbops.access.naming import label
from dbops.access.undecided import undecided
from dbops.model.access import AccessSnapshot, Principal, Scope, SecuredObject
from dbops.secrets import Secrets
from dbops.session import connect
from dbops.spi import Backend, Reader
from dbops.testing.lend import Private
from dbops_mysql.quoting import account, identifier
from dbops_mysql.throwaway import MySQLServer

# Worlds for each engine: the same two every time, or fresh ones, of which a failure names the seed.
EXAMPLES = int(os.environ.get("DBOPS_TEST_EXAMPLES", "0")) // 50
FIRST = int(os.environ.get("DBOPS_TEST_SEED", "0")) or (random.SystemRandom().randrange(10**9) if EXAMPLES else 1)
SEEDS = range(FIRST, FIRST + max(2, EXAMPLES))
ENOUGH = 2000

DATABASES = ("wab", "waxb", "wa_b", "wabc", "wb", "wa%b", "W\\b", "wäb")
# Of the same databases, exactly, by pattern, and in ways that look like one and are the other.
TEXTS = (
    "wab", "waxb", r"wa\_b", "wabc", "wb", "wa_b", "wa%", "w%b", "wa%b", "%ab", "w__b", "w%", "%", "wa_", "_ab", "w_b",
    r"wa\_%", r"wa\%b", r"w\ab", "%%", "w%%b", "WAB", "w_b", "wäb",
)  # fmt: skip
HOSTS = (
    "localhost", "127.0.0.1", "127.0.0.5", "127.0.0.%", "127.%", "%", "127.0.0.0/255.255.255.0", "127.0.0._",
    "127._.0.%",
)  # fmt: skip
ADDRESSES = ("127.0.0.1", "127.0.0.5", "127.0.0.9", "127.9.9.9")
USERS = ("u0", "u1", "u2", "r1")
ROLES = ("r0", "r1", "r2", "r3", "r4")
ON_TABLES = (
    "SELECT", "INSERT", "UPDATE", "DELETE", "CREATE", "DROP", "ALTER", "INDEX", "CREATE VIEW", "TRIGGER", "REFERENCES",
    "SHOW VIEW", "GRANT OPTION",
)  # fmt: skip
ON_DATABASES = (
    *ON_TABLES, "EXECUTE", "ALTER ROUTINE", "CREATE ROUTINE", "EVENT", "CREATE TEMPORARY TABLES", "LOCK TABLES"
)  # fmt: skip
ON_SERVER = (*ON_DATABASES, "FILE", "PROCESS", "CREATE USER")
DENIED = {1044, 1045, 1142, 1143, 1227, 1370, 1356, 1449}

NOBODY = "SELECT 1 FROM (SELECT 1) x WHERE 1 = 0"


class World:
    """A random little server."""

    def __init__(self, server: MySQLServer, seed: int, *, partial: bool) -> None:
        self.server, self.partial = server, partial
        self.random = random.Random(seed)
        self.mysql = server.engine == "mysql"
        self.connection = pymysql.connect(
            unix_socket=str(server.socket), user="root", password=server.password, charset="utf8mb4", autocommit=True
        )
        self.sql("SET SESSION sql_mode = 'NO_BACKSLASH_ESCAPES'")
        self._clear()
        self.databases = self.some(DATABASES, 3, 5)
        self.accounts = self._accounts()
        self.users = [account(*one) for one in self.accounts]
        self.roles = [account(name, "%") if self.mysql else identifier(name) for name in ROLES]
        self._memberships()
        for name in self.databases:
            self._database(identifier(name))
        self._rights()
        # What is granted to a role of MariaDB does not always reach those that it was granted to, until this.
        if not self.mysql or self.random.random() < 0.3:
            self.sql("FLUSH PRIVILEGES")

    def some(self, of: Sequence[str], least: int = 1, most: int = 3) -> list[str]:
        return self.random.sample(list(of), min(len(of), self.random.randint(least, most)))

    def sql(self, text: str, *, may_fail: bool = False) -> tuple[tuple[str, ...], ...]:
        try:
            with self.connection.cursor() as cursor:
                cursor.execute(text)
                return tuple(cursor.fetchall())
        except pymysql.MySQLError:
            if not may_fail:
                raise
            return ()

    # -- making -----------------------------------------------------------------------------------------------------

    def _clear(self) -> None:
        if self.mysql:
            self.sql(
                "SET GLOBAL mandatory_roles = '', activate_all_roles_on_login = OFF, activate_mandatory_roles = ON"
            )
        for one in self.server.accounts():
            if "`root`" not in one and "`mysql." not in one and "`mariadb.sys`" not in one and one != "`PUBLIC`":
                self.server.drop_accounts([one])
        if self.mysql:
            self.sql(f"SET GLOBAL partial_revokes = {'ON' if self.partial else 'OFF'}")
        else:
            self.sql("REVOKE ALL PRIVILEGES, GRANT OPTION FROM PUBLIC", may_fail=True)
        for (name,) in self.sql("SHOW DATABASES"):
            if name in DATABASES or name == "test":
                self.sql(f"DROP DATABASE {identifier(name)}")

    def _accounts(self) -> list[tuple[str, str]]:
        hosts = (*HOSTS, "127.0.0.0/24") if self.mysql else HOSTS
        found = [(user, host) for user in USERS for host in self.some(hosts)]
        if self.random.random() < 0.5:
            found += [("", host) for host in self.some(hosts, 1, 2)]
        for one in found:
            self.sql(f"CREATE USER {account(*one)}")
        return found

    def _memberships(self) -> None:
        for name in self.roles:
            self.sql(f"CREATE ROLE {name}", may_fail=True)
        for at, role in enumerate(self.roles):
            for member in self.roles[at + 1 :]:
                if self.random.random() < 0.3:
                    self.sql(f"GRANT {role} TO {member}", may_fail=True)
        for (name, _), user in zip(self.accounts, self.users, strict=True):
            given = self.some(self.roles, 0, 2)
            for role in given:
                self.sql(f"GRANT {role} TO {user}", may_fail=True)
            if given and name and self.random.random() < 0.6:
                word = "TO" if self.mysql else "FOR"
                self.sql(f"SET DEFAULT ROLE {self.random.choice(given)} {word} {user}")
        self._everybodys()

    def _everybodys(self) -> None:
        chance = self.random.random()
        if not self.mysql:
            if chance < 0.3:
                self.sql(f"GRANT {self.random.choice(self.roles)} TO PUBLIC", may_fail=True)
            return
        if chance < 0.3:
            self.sql(f"SET GLOBAL mandatory_roles = '{self.random.choice(ROLES)}'")
            self.sql(f"SET GLOBAL activate_mandatory_roles = {self.random.choice(('ON', 'OFF'))}")
        if 0.2 < chance < 0.4:
            self.sql("SET GLOBAL activate_all_roles_on_login = ON")

    def _database(self, name: str) -> None:
        self.sql(f"CREATE DATABASE {name}")
        for table in ("t", "u"):
            self.sql(f"CREATE TABLE {name}.{table} (a int, b int)")
            self.sql(f"CREATE TRIGGER {name}.tr_{table} BEFORE INSERT ON {name}.{table} FOR EACH ROW SET @x = 1")
        for routine in ("p1", "p2"):
            rights = self.random.choice(("DEFINER", "DEFINER", "INVOKER"))
            head = f"CREATE DEFINER = {self._definer()} PROCEDURE {name}.{routine}()"
            self.sql(f"{head} SQL SECURITY {rights} SELECT 1")
        self.sql(f"CREATE FUNCTION {name}.F1() RETURNS int DETERMINISTIC NO SQL RETURN 1")
        self._view(name, "v1", f"{identifier(self.random.choice(self.databases[:1]))}.{self.random.choice('tu')}")
        self._view(name, "v2", f"{name}.{self.random.choice(('t', 'v1'))}")

    def _view(self, database: str, name: str, source: str) -> None:
        rights = self.random.choice(("DEFINER", "DEFINER", "INVOKER"))
        query = self.random.choice((f"SELECT a, b FROM {source}", f"SELECT x.a, x.b FROM {source} AS x"))
        head = f"CREATE DEFINER = {self._definer()} SQL SECURITY {rights} VIEW {database}.{name}"
        self.sql(f"{head} AS {query}", may_fail=True)  # on a view whose definer is gone

    def _definer(self) -> str:
        # The server remembers answers by address, user and database: a definer at 127.0.0.1 gets those of the client.
        users = [account(*one) for one in self.accounts if one[1] != "127.0.0.1"]
        others = ["`root`@`localhost`"] * 2 + ["`gone`@`%`"] + ([] if self.mysql else self.roles[:2])
        return self.random.choice([*users, *others])

    def _rights(self) -> None:
        grantees = [*self.users, *self.roles * 2, *([] if self.mysql else ["PUBLIC"] * 2)]
        for _ in range(self.random.randint(25, 45)):
            what, on = self._right()
            self.sql(f"GRANT {', '.join(what)} ON {on} TO {self.random.choice(grantees)}", may_fail=True)
        for _ in range(8 if self.partial else 0):
            who, what = self.random.choice(grantees), self.some(ON_DATABASES, 1, 3)
            self.sql(f"GRANT {', '.join(what)} ON *.* TO {who}", may_fail=True)
            database = identifier(self.random.choice(self.databases))
            self.sql(f"REVOKE {self.random.choice(what)} ON {database}.* FROM {who}", may_fail=True)

    def _right(self) -> tuple[list[str], str]:
        chance, database = self.random.random(), identifier(self.random.choice(self.databases))
        if chance < 0.08:
            return self.some(ON_SERVER), "*.*"
        if chance < 0.6:
            return self.some(ON_DATABASES, 1, 4), f"{identifier(self.random.choice(TEXTS))}.*"
        if chance < 0.75:
            return self.some(ON_TABLES, 1, 4), f"{database}.{self.random.choice(('t', 'u', 'v1', 'v2'))}"
        if chance < 0.88:
            column = self.random.choice("ab")
            words = [f"{one} ({column})" for one in self.some(("SELECT", "INSERT", "UPDATE", "REFERENCES"))]
            return words, f"{database}.{self.random.choice(('t', 'u', 'v1'))}"
        routine = self.random.choice(("PROCEDURE {}.p1", "PROCEDURE {}.p2", "FUNCTION {}.f1")).format(database)
        return self.some(("EXECUTE", "ALTER ROUTINE", "GRANT OPTION"), 1, 2), routine


# -- sessions ----------------------------------------------------------------------------------------------------------


class Client(NamedTuple):
    """A session, and its place among the principals of the snapshot."""

    who: int
    connection: pymysql.Connection


def opened(world: World, user: str, origin: Origin) -> pymysql.Connection | None:
    socket = None if origin.address else str(world.server.socket)
    port, address = world.server.port, origin.address or None
    try:
        return pymysql.connect(
            unix_socket=socket, host="127.0.0.1", port=port, user=user, bind_address=address, charset="utf8mb4"
        )
    except pymysql.MySQLError:
        return None


def places(snapshot: AccessSnapshot, matched: Matched) -> Iterator[tuple[str, Origin, int]]:
    """User, place and the account whose canonical session that is (-1: of none); from our network alone."""
    for user in (*USERS, "stranger"):
        yield user, Origin(LOCALHOST), -1
        for address in ADDRESSES:
            yield user, Origin(LOCALHOST if address == "127.0.0.1" else "", address), -1
    for number, one in enumerate(snapshot.principals):
        session = matched.sessions.all[number]
        here = session.origin.address.startswith("127.") or session.origin == Origin(LOCALHOST)
        if one.kind == "user" and one.user in USERS and session.shadow < 0 and here:
            yield one.user, session.origin, number


def authenticated(world: World, snapshot: AccessSnapshot) -> tuple[AccessSnapshot, list[Client], list[str], int]:
    """Sessions from everywhere; whom the server took them for is compared, and they become principals."""
    matched = Matched(snapshot, datetime.now(UTC))
    people, clients, wrong, probes = list(snapshot.principals), [], list[str](), 0
    for user, origin, canonical in places(snapshot, matched):
        connection = opened(world, user, origin)
        ours = matched.sessions.accounts.taken_for(user, origin)
        name = snapshot.principals[ours].name if ours >= 0 and snapshot.principals[ours].login else ""
        said = current(connection)
        probes += 1
        if said != name:
            wrong.append(f"{user} from {origin} is {said or 'refused'}, not {name or 'refused'}")
        elif connection is not None:
            if canonical < 0:
                host = origin.address or origin.host
                people.append(msgspec.structs.replace(people[ours], name=f"{user}@{host}", host=host, account=ours))
            clients.append(Client(len(people) - 1 if canonical < 0 else canonical, connection))
    return msgspec.structs.replace(snapshot, principals=tuple(people)), clients, wrong, probes


def current(connection: pymysql.Connection | None) -> str:
    if connection is None:
        return ""
    with connection.cursor() as cursor:
        cursor.execute("SELECT CURRENT_USER()")
        (name,) = cursor.fetchone() or ("",)
    return account_name(*name.rsplit("@", 1))


def allows(connection: pymysql.Connection, statement: str) -> bool:
    """Whatever else is wrong with it: who may not do it is told that first."""
    try:
        with connection.cursor() as cursor:
            cursor.execute(statement)
            cursor.fetchall()
    except pymysql.MySQLError as error:
        return error.args[0] not in DENIED
    return True


# -- probes ------------------------------------------------------------------------------------------------------------


def on_server(world: World, _one: SecuredObject) -> Iterator[tuple[tuple[str, ...], str]]:
    yield ("FILE",), "SELECT 1 INTO OUTFILE '/nonexistent/x'"
    yield ("PROCESS",), "SHOW ENGINE INNODB STATUS"
    if world.mysql:
        yield ("BACKUP_ADMIN",), "LOCK INSTANCE FOR BACKUP"


def on_database(world: World, one: SecuredObject) -> Iterator[tuple[tuple[str, ...], str]]:
    name = identifier(one.path[0])
    yield ("SELECT",), f"SELECT * FROM {name}.zz"
    yield ("CREATE",), f"CREATE TABLE {name}.zz (a int, a int)"
    yield ("DROP",), f"DROP TABLE {name}.zz"
    yield ("CREATE VIEW",), f"CREATE VIEW {name}.zz AS SELECT 1 AS a, 2 AS a"
    yield ("EVENT",), f"DROP EVENT {name}.zz"
    yield ("CREATE TEMPORARY TABLES",), f"CREATE TEMPORARY TABLE {name}.zz (a int, a int)"
    if world.mysql:  # MariaDB first looks whether it is there
        yield ("CREATE ROUTINE",), f"CREATE PROCEDURE {name}.p1() SELECT 1"


def on_table(_world: World, one: SecuredObject) -> Iterator[tuple[tuple[str, ...], str]]:
    name = ".".join(map(identifier, one.path))
    yield from data(name)
    yield ("INDEX",), f"CREATE INDEX i ON {name} (zz)"
    yield ("ALTER",), f"ALTER TABLE {name} ADD COLUMN a int"
    yield ("CREATE",), f"CREATE TABLE {name} (a int, a int)"
    yield ("TRIGGER",), f"CREATE TRIGGER {identifier(one.path[0])}.tr_t BEFORE INSERT ON {name} FOR EACH ROW SET @x = 1"
    yield ("DROP",), f"TRUNCATE {name}"
    yield ("SELECT", "GRANT OPTION"), f"GRANT SELECT ON {name} TO sink@`nowhere.invalid`"


def on_view(_world: World, one: SecuredObject) -> Iterator[tuple[tuple[str, ...], str]]:
    yield from data(".".join(map(identifier, one.path)))


def data(name: str) -> Iterator[tuple[tuple[str, ...], str]]:
    yield ("SELECT",), f"SELECT a, b FROM {name}"
    yield ("INSERT",), f"INSERT INTO {name} (a, b) SELECT 1, 1 FROM (SELECT 1) x WHERE 1 = 0"
    yield ("UPDATE",), f"UPDATE {name} SET a = 1, b = 1 WHERE 1 = 0"
    yield ("DELETE",), f"DELETE FROM {name} WHERE 1 = 0"


def on_column(_world: World, one: SecuredObject) -> Iterator[tuple[tuple[str, ...], str]]:
    table, column = ".".join(map(identifier, one.path[:2])), one.path[2]
    yield ("SELECT",), f"SELECT {column} FROM {table}"
    yield ("INSERT",), f"INSERT INTO {table} ({column}) {NOBODY}"
    yield ("UPDATE",), f"UPDATE {table} SET {column} = 1 WHERE 1 = 0"


def on_procedure(world: World, one: SecuredObject) -> Iterator[tuple[tuple[str, ...], str]]:
    name = ".".join(map(identifier, one.path))
    yield ("EXECUTE",), f"CALL {name}()"
    if not world.mysql:  # MySQL also asks whether its definer is a SYSTEM_USER
        yield ("ALTER ROUTINE",), f"ALTER PROCEDURE {name} COMMENT 'x'"


def on_function(_world: World, one: SecuredObject) -> Iterator[tuple[tuple[str, ...], str]]:
    yield ("EXECUTE",), f"SELECT {'.'.join(map(identifier, one.path))}()"


PROBES: dict[str, Callable[[World, SecuredObject], Iterator[tuple[tuple[str, ...], str]]]] = {
    "server": on_server,
    "database": on_database,
    "table": on_table,
    "view": on_view,
    "column": on_column,
    "procedure": on_procedure,
    "function": on_function,
}


def probes(world: World, snapshot: AccessSnapshot) -> Iterator[tuple[SecuredObject, tuple[str, ...], str]]:
    """Statements that need just these actions. One that every single column allows says nothing about a table."""
    split = {one.path[:-1] for one in snapshot.objects if one.kind == "column"}
    for one in snapshot.objects:
        if one.kind in PROBES and (not one.path or one.path[0] in world.databases) and "absent" not in one.flags:
            for actions, statement in PROBES[one.kind](world, one):
                by_columns = one.path in split and actions[0] in ("SELECT", "INSERT", "UPDATE")
                if not by_columns or len(actions) > 1:
                    yield one, actions, statement


def usable(effective: Effective, one: SecuredObject, actions: tuple[str, ...]) -> int:
    found = effective.usable(one, actions[0])
    for action in actions[1:]:
        found &= effective.nominal(one, action)
    return found


def compared(world: World) -> tuple[int, int, list[str]]:
    """How many answers there were, how many a yes, and which were not ours."""
    backend = registry.backend(world.server.engine)
    world.sql("CREATE USER sink@`nowhere.invalid`")
    with connect(backend, world.server.endpoint(), resolve=Secrets().resolve, timeout_s=30) as reader:
        snapshot = backend.access.inspect(reader, backend.probe(reader), Scope())
        otherwise = spoken(backend, reader, snapshot)
    snapshot, clients, wrong, asked = authenticated(world, snapshot)
    wrong += otherwise
    effective, yes = evaluator(snapshot, datetime.now(UTC)), 0
    assert isinstance(effective, Matched)
    for one, actions, statement in probes(world, snapshot):
        expected = usable(effective, one, actions)
        unsure = 0
        for action in actions:
            unsure |= undecided(effective, one, action)
        for who, connection in clients:
            if not unsure >> who & 1:
                said = allows(connection, statement)
                asked, yes = asked + 1, yes + said
                if said is not bool(expected >> who & 1):
                    wrong.append(
                        f"{described(snapshot, who)}: {statement}: the server says {said} ({label(snapshot, one)})"
                    )
    for _, connection in clients:
        connection.close()
    return asked, yes, wrong


def spoken(backend: Backend, reader: Reader, snapshot: AccessSnapshot) -> list[str]:
    """Where what SHOW GRANTS says, as far as it decides, is not what we say."""
    questions = sample(evaluator(snapshot, snapshot.taken_at), 300, 1)
    answers = backend.access.ask(reader, snapshot, questions)
    assert sum(isinstance(one, bool) for one in answers) > 30
    names, things = snapshot.principals, snapshot.objects
    return [
        f"{names[one.principal].name}, {one.action} on {label(snapshot, things[one.object])}: SHOW GRANTS says {answer}"
        for one, answer in zip(questions, answers, strict=True)
        if isinstance(answer, bool) and answer is not one.ours
    ]


def described(snapshot: AccessSnapshot, who: int) -> str:
    one: Principal = snapshot.principals[who]
    return f"{one.name} ({snapshot.principals[one.account].name})" if one.account >= 0 else one.name


@pytest.mark.proves("mysql", "access.inspect", "access.usable", "access.columns")
@pytest.mark.proves("mariadb", "access.inspect", "access.usable", "access.columns")
def test_every_answer_is_that_of_the_server(
    private_mysql: Private, record_property: Callable[[str, object], None]
) -> None:
    server = private_mysql(skip_log_bin="ON")
    assert isinstance(server, MySQLServer)
    asked = yes = 0
    wrong: list[str] = []
    for seed in SEEDS:
        found = compared(World(server, seed, partial=server.engine == "mysql" and seed % 2 == 0))
        asked, yes = asked + found[0], yes + found[1]
        wrong += [f"DBOPS_TEST_SEED={seed}: {one}" for one in found[2]]
    record_property("probes", asked)
    print(f"{server.engine} {'.'.join(map(str, server.version))}: {asked} probes, {yes} of them a yes")  # noqa: T201
    assert wrong == []
    assert asked >= ENOUGH
    assert yes > asked // 20
