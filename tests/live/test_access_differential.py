"""Our answers against the server's own: random roles, memberships and grants, every answer the same.

Nominal access is compared with ``has_*_privilege``; usable access with a real statement in a session of that login.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from dbops import registry, yaml
from dbops.access.audit import Question
from dbops.access.effective import Effective
from dbops.access.matrix import rows
from dbops.access.naming import label
from dbops.config import Config
from dbops.model.access import AccessSnapshot, Scope, SecuredObject
from dbops.operations import users
from dbops.operations.workspace import Workspace
from dbops.secrets import Secrets
from dbops.session import connect
from dbops.state import State
from dbops.testing.servers import Database

PREDEFINED = ("pg_read_all_data", "pg_write_all_data", "pg_database_owner", "pg_maintain", "pg_monitor")
TABLE = ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER")
SEEDS = (1, 6, 8)


class World:
    """A random little server: roles, memberships with their options, objects, grants by several grantors."""

    def __init__(self, database: Database, seed: int) -> None:
        self.database = database
        self.major = database.server.major
        self.random = random.Random(seed)
        self.prefix = f"{database.name}_{seed}"
        self.roles = [f'{self.prefix} r"{number}' for number in range(12)]
        self.schemas = ["s1", 's"2']
        self.objects: list[tuple[str, str]] = []
        with psycopg.connect(database.url(), autocommit=True) as self.connection:
            self._make()

    def _make(self) -> None:
        for number, name in enumerate(self.roles):
            words = ["LOGIN" if number % 2 else "NOLOGIN", self.random.choice(("INHERIT", "INHERIT", "NOINHERIT"))]
            if number in (3, 4):
                words.append("SUPERUSER" if number == 4 else "BYPASSRLS")
            if number == 7:
                words.append("VALID UNTIL '2020-01-01'")
            self.sql(f"CREATE ROLE {q(name)} {' '.join(words)}")
        self._memberships()
        for name in self.schemas:
            self.sql(f"CREATE SCHEMA {q(name)} AUTHORIZATION {q(self.pick())}")
            for number in range(3):
                self._relations(q(name), number)
        self._own_and_grant()

    def _relations(self, schema: str, number: int) -> None:
        table = f"{schema}.t{number}"
        self.sql(f"CREATE TABLE {table} (a int, b int)")
        self.sql(f"CREATE VIEW {schema}.v{number} AS SELECT a, b FROM {table}")
        self.sql(f"CREATE VIEW {schema}.w{number} AS SELECT a FROM {schema}.v{number}")
        if self.major >= 15 and number == 1:
            self.sql(f"ALTER VIEW {schema}.v{number} SET (security_invoker = true)")
        self.sql(f"CREATE SEQUENCE {schema}.q{number}")
        self.sql(f"CREATE FUNCTION {schema}.f{number}(int, text) RETURNS int LANGUAGE sql AS 'SELECT 1'")
        self.objects += [
            ("TABLE", table),
            ("TABLE", f"{schema}.v{number}"),
            ("TABLE", f"{schema}.w{number}"),
            ("SEQUENCE", f"{schema}.q{number}"),
            ("FUNCTION", f"{schema}.f{number}(int, text)"),
        ]

    def _memberships(self) -> None:
        known = {row[0] for row in self.sql("SELECT rolname FROM pg_roles")}
        groups = [*self.roles, *(name for name in PREDEFINED if name in known and name != "pg_database_owner")]
        for _ in range(16):
            group, member = self.random.choice(groups), self.pick()
            options = ""
            if self.major >= 16:
                words = [f"{word} {self.random.choice(('TRUE', 'FALSE'))}" for word in ("INHERIT", "SET", "ADMIN")]
                options = f" WITH {', '.join(words)}"
            self.sql(f"GRANT {q(group)} TO {q(member)}{options}", may_fail=True)  # a circle, or itself

    def _own_and_grant(self) -> None:
        self.sql(f"ALTER DATABASE {self.database.name} OWNER TO {q(self.pick())}")
        self.sql(f"REVOKE CONNECT ON DATABASE {self.database.name} FROM PUBLIC")
        for _ in range(6):
            self.sql(f"GRANT CONNECT ON DATABASE {self.database.name} TO {q(self.pick())}")
        if self.major >= 14:
            self.sql("GRANT SELECT ON ALL TABLES IN SCHEMA s1 TO pg_database_owner")
        for schema in self.schemas:
            for _ in range(4):
                what = self.random.choice(("USAGE", "CREATE", "USAGE, CREATE"))
                self.sql(f"GRANT {what} ON SCHEMA {q(schema)} TO {self.grantee()}")
        for kind, name in self.objects:
            self._one(kind, name)

    def _one(self, kind: str, name: str) -> None:
        what = "VIEW" if kind == "TABLE" and name.rpartition(".")[2][0] in "vw" else kind
        if self.random.random() < 0.7:
            self.sql(f"ALTER {what} {name} OWNER TO {q(self.pick())}")
        if self.random.random() < 0.3:
            owner = (
                self.sql(f"SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = '{name}'::regclass")
                if kind != "FUNCTION"
                else [("",)]
            )
            if owner[0][0]:
                self.sql(f"REVOKE ALL ON {kind} {name} FROM {q(owner[0][0])}")
        for _ in range(self.random.randrange(4)):
            words = {
                "TABLE": (*TABLE, *(("MAINTAIN",) if self.major >= 17 else ())),
                "SEQUENCE": ("SELECT", "USAGE", "UPDATE"),
                "FUNCTION": ("EXECUTE",),
            }[kind]
            chosen = ", ".join(self.random.sample(words, self.random.randint(1, min(3, len(words)))))
            option = " WITH GRANT OPTION" if self.random.random() < 0.3 else ""
            grantee = self.grantee() if not option else q(self.pick())
            self.sql(f"GRANT {chosen} ON {kind} {name} TO {grantee}{option}")
            if option:
                self.sql(f"SET ROLE {grantee}; GRANT {chosen} ON {kind} {name} TO {q(self.pick())}", may_fail=True)
        if kind == "TABLE" and self.random.random() < 0.5:
            column = "a" if "w" in name.rpartition(".")[2] else self.random.choice("ab")
            self.sql(f"GRANT SELECT ({column}), UPDATE ({column}) ON {name} TO {self.grantee()}")
        if kind == "FUNCTION" and self.random.random() < 0.7:
            self.sql(f"REVOKE EXECUTE ON FUNCTION {name} FROM PUBLIC")

    def pick(self) -> str:
        return self.random.choice(self.roles)

    def grantee(self) -> str:
        return "PUBLIC" if self.random.random() < 0.1 else q(self.pick())

    def sql(self, text: str, *, may_fail: bool = False) -> list[tuple[str, ...]]:
        try:
            cursor = self.connection.execute(text.encode())
            return cursor.fetchall() if cursor.description else []
        except psycopg.Error:
            if not may_fail:
                raise
            return []
        finally:
            if may_fail:
                self.connection.execute("RESET ROLE")


def q(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


@pytest.fixture(params=SEEDS)
def world(database: Database, request: pytest.FixtureRequest) -> World:
    return World(database, request.param)


def test_nominal_access_is_what_the_server_says(world: World) -> None:
    backend = registry.backend("postgresql")
    with connect(backend, world.database.endpoint(), resolve=Secrets().resolve, timeout_s=30) as reader:
        server = backend.probe(reader)
        snapshot = backend.access.inspect(reader, server, Scope(databases=(world.database.name,)))
        questions = list(all_questions(snapshot, world))
        answers = backend.access.ask(reader, snapshot, questions)
    wrong = [
        (snapshot.principals[one.principal].name, one.action, label(snapshot, snapshot.objects[one.object]), answer)
        for one, answer in zip(questions, answers, strict=True)
        if one.ours is not answer
    ]
    assert len(questions) > 400
    assert wrong == []


def all_questions(snapshot: AccessSnapshot, world: World) -> Iterator[Question]:
    """Every role of this world and the predefined ones, every object, every action."""
    effective = Effective(snapshot, datetime.now(UTC))
    mine = [at for at, one in enumerate(snapshot.principals) if one.name in {*world.roles, *PREDEFINED, "postgres"}]
    for place, one in enumerate(snapshot.objects):
        if one.database != world.database.name or one.kind == "large_object":
            continue
        for action in snapshot.kind(one).actions:
            holders = effective.nominal(one, action)
            for who in mine:
                yield Question(principal=who, object=place, action=action, ours=bool(holders >> who & 1))


STATEMENTS = {
    ("table", "SELECT"): "SELECT * FROM {0}",
    ("table", "DELETE"): "DELETE FROM {0} WHERE false",
    ("table", "TRUNCATE"): "TRUNCATE {0}",
    ("view", "SELECT"): "SELECT * FROM {0}",
    ("sequence", "SELECT"): "SELECT * FROM {0}",
    ("sequence", "UPDATE"): "SELECT setval('{0}', 5)",
    ("function", "EXECUTE"): "SELECT {1}(1, '')",
    ("column", "UPDATE"): "UPDATE {0} SET {2} = 1",
    ("column", "SELECT"): "SELECT {2} FROM {0}",
    ("schema", "CREATE"): "CREATE TABLE {0}.probe ()",
}


@pytest.mark.proves("postgresql", "access.usable")
def test_usable_access_is_what_a_real_statement_says(world: World) -> None:
    backend = registry.backend("postgresql")
    with connect(backend, world.database.endpoint(), resolve=Secrets().resolve, timeout_s=30) as reader:
        snapshot = backend.access.inspect(reader, backend.probe(reader), Scope(databases=(world.database.name,)))
    effective = Effective(snapshot, datetime.now(UTC))
    people = [at for at, one in enumerate(snapshot.principals) if one.name in world.roles]
    wrong: list[str] = []
    probes = 0
    able = {who: logs_in(world, snapshot.principals[who].name) for who in people}
    with psycopg.connect(world.database.url()) as connection:
        for one in snapshot.objects:
            for action in snapshot.kind(one).actions:
                statement = STATEMENTS.get((one.kind, action))
                if statement is None or one.path[1] not in world.schemas or whole_by_columns(snapshot, one, action):
                    continue
                usable = effective.usable(one, action)
                for who in people:
                    name = snapshot.principals[who].name
                    said = able[who] and attempt(connection, name, filled(statement, one))
                    probes += 1
                    if said is not bool(usable >> who & 1):
                        wrong.append(f"{name}: {action} on {label(snapshot, one)}: the server says {said}")
    assert probes > 300
    assert wrong == []


def whole_by_columns(snapshot: AccessSnapshot, one: SecuredObject, action: str) -> bool:
    """SELECT * also works when every single column was granted: that is no access to the table."""
    if one.kind == "column" or action not in ("SELECT", "UPDATE"):
        return False
    return any(other.kind == "column" and other.path[:-1] == one.path for other in snapshot.objects)


def filled(statement: str, one: SecuredObject) -> str:
    parts = [q(part) for part in one.path[1:]]
    if one.kind == "function":
        return statement.format("", f"{parts[0]}.{one.path[2].partition('(')[0]}")
    if one.kind == "column":
        return statement.format(".".join(parts[:-1]), "", parts[-1])
    return statement.format(".".join(parts))


def logs_in(world: World, name: str) -> bool:
    """A session of this login, by a password that it is given for the moment."""
    world.database.sql(f"ALTER ROLE {q(name)} PASSWORD 'probe'")
    try:
        psycopg.connect(world.database.server.url(name, world.database.name, password="probe")).close()
    except psycopg.OperationalError:
        return False
    return True


def attempt(connection: psycopg.Connection[tuple[object, ...]], name: str, statement: str) -> bool:
    with connection.transaction(force_rollback=True):
        connection.execute(f"SET SESSION AUTHORIZATION {q(name)}".encode())
        try:
            with connection.transaction():
                connection.execute(statement.encode())
        except psycopg.errors.InsufficientPrivilege:
            return False
    return True


# -- provisioning, on the same random servers ------------------------------------------------------------------------


@pytest.fixture
def ws(tmp_path: Path) -> Workspace:
    return Workspace(Config(), state=State(tmp_path, clock=lambda: datetime.now(UTC)))


def test_an_export_plans_to_nothing(world: World, ws: Workspace) -> None:
    for word in ("TABLES", "SEQUENCES", "FUNCTIONS"):
        creator, other = world.random.sample(world.roles, 2)
        what = "EXECUTE" if word == "FUNCTIONS" else "SELECT"
        world.database.sql(
            f"ALTER DEFAULT PRIVILEGES FOR ROLE {q(creator)} IN SCHEMA s1 GRANT {what} ON {word} TO {q(other)}"
        )
    spec = users.export(ws, world.database.url(), principals=[f"{world.prefix}*"], databases=[world.database.name])
    assert users.plan(ws, spec, world.database.url())[0].steps == ()


def test_any_change_of_a_spec_is_made_by_one_apply(world: World, ws: Workspace) -> None:
    """Grants, memberships and owners are taken out of an export at random, applied, and put back."""
    url = world.database.url()
    whole = users.export(ws, url, principals=[f"{world.prefix}*"], databases=[world.database.name])
    less = yaml.load(whole, "spec").value
    for entry in [*less.get("roles", {}).values(), *less.get("users", {}).values()]:
        for key in ("grants", "member_of", "owns"):
            entry[key] = [one for one in entry.get(key, []) if world.random.random() < 0.5]
    before = answers(world)
    for spec in (yaml.dump(less), whole):
        users.apply(ws, spec, url)
        left = users.plan(ws, spec, url)[0]
        assert [step.sql for step in left.steps] == []
    assert answers(world) == before, "put back, everybody has what he had"


def answers(world: World) -> set[tuple[str, str, str, bool, bool]]:
    backend = registry.backend("postgresql")
    with connect(backend, world.database.endpoint(), resolve=Secrets().resolve, timeout_s=30) as reader:
        snapshot = backend.access.inspect(reader, backend.probe(reader), Scope(databases=(world.database.name,)))
    return set(rows(Effective(snapshot, datetime.now(UTC))))
