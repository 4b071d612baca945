"""A modelled instance as it should be, ways to spoil it, and the answers of the checks about it."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

import msgspec

from dbops.health.decide import judge, observe
from dbops.model.finding import Missing
from dbops.model.health import Answer, Check, CheckResult, HealthFacts, Question, Row
from dbops.model.server import Server
from dbops_mssql.health import SQLServerHealth
from tests.simulators.mssql.answers import Message, Rows
from tests.simulators.mssql.fresh import SA_SID, new_database
from tests.simulators.mssql.instance import Instance
from tests.simulators.mssql.model import Permission, Principal

HEALTH = SQLServerHealth()
WATCHER = 300
GIB_PAGES = 131072
DENIED = (229, 297, 300, 916)
# What `dbops health` needs: rights on the server, and tables of msdb.
RIGHTS = ("VIEW SERVER STATE", "VIEW ANY DEFINITION", "CONNECT ANY DATABASE")
RIGHTS_2022 = ("VIEW SERVER PERFORMANCE STATE", *RIGHTS[1:])
TABLES = ("backupset", "backupmediafamily", "suspect_pages", "sysjobs", "sysjobservers")
Asking = Callable[[Question, str], list[Row] | Missing]


class Clinic:
    """What every test does with an instance."""

    def __init__(self, instance: Instance | None = None) -> None:
        self.instance = instance or Instance()
        shop = new_database("shop", 5, SA_SID, self.ago(days=30))
        self.instance.state.databases[5] = shop
        self.instance.state.configurations["max server memory (MB)"] = 24_000
        for one in self.instance.state.databases.values():
            one.last_good_check = str(self.ago(days=2))
        self.backups(
            *(self.backup("D", name, hours=5) for name in ("master", "model", "msdb", "shop")),
            self.backup("L", "shop", minutes=10),
        )

    def server(self, user: str = "sa", edition: str = "") -> Server:
        numbers = tuple(int(one) for one in self.instance.version.split("."))
        return Server(
            engine="mssql",
            version=numbers,
            version_text=self.instance.version,
            role="primary",
            incarnation="own",
            edition=edition,
            user=user,
            database="master",
        )

    def ago(self, **how: float) -> datetime:
        """By the clock of the instance, without fractions that its types do not have."""
        return (self.instance.now() - timedelta(**how)).replace(microsecond=0)

    # what it remembers

    def backup(self, kind: str, name: str, *, place: str = "x.bak", changed: Row | None = None, **ago: float) -> Row:
        family = self.instance.database(name).family_guid
        row: dict[str, object] = {
            "backup_set_uuid": uuid.uuid4(), "type": kind, "database_name": name, "server_name": self.instance.name,
            "is_damaged": False, "is_copy_only": False, "is_snapshot": False, "has_backup_checksums": True,
            "time_zone": 0, "backup_finish_date": self.ago(**ago), "family_guid": family, "place": place,
        }  # fmt: skip
        return {**row, **(changed or {})}  # type: ignore[dict-item]  # values of the model, not of JSON

    def backups(self, *rows: Row) -> None:
        """What msdb remembers from now on."""
        sets = [
            {**{name: value for name, value in row.items() if name != "place"}, "backup_set_id": n, "media_set_id": n}
            for n, row in enumerate(rows, 1)
        ]
        places = [
            {"media_set_id": n, "family_sequence_number": 1, "mirror": 0, "physical_device_name": row["place"]}
            for n, row in enumerate(rows, 1)
        ]
        self.instance.set_rows("dbo.backupset", sets)
        self.instance.set_rows("dbo.backupmediafamily", places)

    # who asks

    def watcher(self, rights: Sequence[str] = (), tables: Sequence[str] = ()) -> str:
        """The login ``watcher`` with exactly these."""
        state = self.instance.state
        msdb = state.databases[4]
        state.principals[WATCHER] = Principal("watcher", WATCHER, "S", b"w", self.ago(days=9), self.ago(days=9))
        state.permissions = [one for one in state.permissions if one.grantee != WATCHER]
        state.permissions += [Permission(100, 0, 0, WATCHER, 1, one, "G") for one in ("CONNECT SQL", *rights)]
        msdb.principals[WATCHER] = Principal(
            "watcher", WATCHER, "S", b"w", self.ago(days=9), self.ago(days=9), authentication="INSTANCE"
        )
        msdb.permissions = [one for one in msdb.permissions if one.grantee != WATCHER]
        msdb.permissions.append(Permission(0, 0, 0, WATCHER, 1, "CONNECT", "G"))
        numbers = {one.name: one.object_id for one in msdb.objects.values()}
        msdb.permissions += [Permission(1, numbers[one], 0, WATCHER, 1, "SELECT", "G") for one in tables]
        return "watcher"

    # what the checks say

    def report(self, user: str = "sa", edition: str = "", only: Sequence[str] = ()) -> dict[str, CheckResult]:
        """Every check that facts decide, or ``only`` some, by id."""
        return report(self.server(user, edition), lambda question, where: self._ask(user, question, where), only)

    def one(self, check: str, user: str = "sa") -> CheckResult:
        return self.report(user, only=[check])[check]

    def _ask(self, user: str, question: Question, database: str) -> list[Row] | Missing:
        session = self.instance.session(user, database)
        try:
            return rows_of(list(session.run(question.sql)))
        finally:
            session.close()


def rows_of(answers: Sequence[object]) -> list[Row] | Missing:
    """As the core would have them; an error that no right explains is the test's to see."""
    errors = [one for one in answers if isinstance(one, Message) and one.is_error]
    if errors:
        assert errors[-1].number in DENIED, errors
        return Missing("no_permission", errors[-1].text)
    found = [one for one in answers if isinstance(one, Rows)]
    assert len(found) == 1, "a question has one result"
    names = [column.name for column in found[0].columns]
    return [msgspec.convert(dict(zip(names, row, strict=True)), Row) for row in found[0].rows]


def report(server: Server, ask: Asking, only: Sequence[str] = ()) -> dict[str, CheckResult]:
    """Ask every question that is needed, as the core does, in each database those of databases."""
    checks = [check for check in HEALTH.checks() if check.needs and (not only or check.id in only)]
    names = {"databases", *(name for check in checks for name in (*check.needs, *check.also))}
    questions = [one for one in HEALTH.questions(server) if one.name in names]
    facts: dict[str, Answer | Missing] = {
        one.name: _answer(ask(one, "master")) for one in questions if one.scope == "server"
    }
    listed = facts["databases"]
    databases: dict[str, dict[str, Answer | Missing]] = {}
    for row in listed.rows if isinstance(listed, Answer) else ():
        name = str(row["name"])
        why = Missing(str(row["missing"])) if row["missing"] else None
        databases[name] = {one.name: why or _answer(ask(one, name)) for one in questions if one.scope == "database"}
    known = HealthFacts(
        server=facts, databases=databases, databases_missing=listed if isinstance(listed, Missing) else None
    )
    return {check.id: _result(check, server, known) for check in checks}


def _answer(found: list[Row] | Missing) -> Answer | Missing:
    return found if isinstance(found, Missing) else Answer(rows=tuple(found))


def _result(check: Check, server: Server, facts: HealthFacts) -> CheckResult:
    now = datetime(2026, 5, 1, tzinfo=UTC)
    found = observe(check, facts, lambda answers: list(HEALTH.measure(check, answers, server, now)))
    return judge(msgspec.structs.replace(check, grants=HEALTH.grants(check, server)), found, (), now)
