"""SQLite for dbops: the smallest whole backend, to be read by whoever writes another one.

It can look after a database's health and says of everything else why not. The database of a URL is a path; an absolute
one is %-encoded, ``sqlite:///%2Fvar%2Flib%2Fshop.db``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

import msgspec

from dbops.capabilities import FULL, Capability, Impossible, NotImplementedYet, Support
from dbops.errors import Unsupported
from dbops.health.answers import Answers
from dbops.model.doctor import Configured, Examined
from dbops.model.finding import Missing, Remedy
from dbops.model.health import Check, Observation, Question, Status, Threshold
from dbops.model.server import Endpoint, Server, Session, Version
from dbops.spi import API_VERSION, AccessDriver, Backend, BackupDriver, Doors, Host, Reader

__all__ = ["SQLite", "backend"]

NO_ACCOUNTS = Impossible("SQLite has no accounts: whoever may read the file may read all of it")
NOT_YET = NotImplementedYet("a copy by SQLite's own backup interface")

CHECKS = (
    Check(
        id="sqlite.integrity",
        title="Pages, indexes and constraints that are damaged",
        engine="sqlite",
        unit="problems",
        threshold=Threshold(critical=1),
        needs=("problems",),
        cost="heavy",
        remedy=Remedy(text="Restore the newest backup, or dump what can still be read with `.recover`."),
        source="https://www.sqlite.org/pragma.html#pragma_quick_check",
    ),
    Check(
        id="sqlite.free_pages",
        title="Share of the file that holds nothing",
        engine="sqlite",
        unit="ratio",
        threshold=Threshold(warning=0.5),
        needs=("pages",),
        remedy=Remedy(text="Give the room back.", sql="VACUUM", risk="locks"),
        source="https://www.sqlite.org/pragma.html#pragma_freelist_count",
    ),
)
PAGES = """
SELECT p.page_count AS pages, f.freelist_count AS free, s.page_size AS size
FROM pragma_page_count AS p, pragma_freelist_count AS f, pragma_page_size AS s
"""
QUESTIONS = (
    Question(name="problems", sql="SELECT quick_check AS problem FROM pragma_quick_check WHERE quick_check <> 'ok'"),
    Question(name="pages", sql=PAGES),
)


class Problem(msgspec.Struct, frozen=True):
    """One line of the check."""

    problem: str


class Pages(msgspec.Struct, frozen=True):
    """How the file is used."""

    pages: int
    free: int
    size: int


class SQLiteHealth:
    """Implements :class:`dbops.spi.HealthDriver`."""

    def checks(self) -> tuple[Check, ...]:
        """The catalogue."""
        return CHECKS

    def questions(self, server: Server) -> tuple[Question, ...]:
        """What the checks need."""
        return QUESTIONS

    def measure(self, check: Check, answers: Answers, server: Server, now: datetime) -> Iterable[Observation]:
        """Pure."""
        if check.id == "sqlite.integrity":
            problems = answers.rows("problems", Problem)
            said = problems[0].problem if problems else "every page is whole"
            yield Observation(summary=said, value=len(problems), state=Status.CRITICAL if problems else None)
            return
        pages = answers.one("pages", Pages)
        share = pages.free / pages.pages if pages.pages else 0.0
        yield Observation(summary=f"{pages.free} of {pages.pages} pages are free", value=share)

    def grants(self, check: Check, server: Server) -> tuple[str, ...]:
        """Nothing is needed but the file."""
        return ()


class SQLite:
    """Implements :class:`dbops.spi.Backend`."""

    name = "sqlite"
    label = "SQLite"
    api_version = API_VERSION
    url_schemes: tuple[str, ...] = ("sqlite",)
    health = SQLiteHealth()
    doors = Doors()  # no plan for SQLite has a step of its own

    @property
    def access(self) -> AccessDriver:
        """None: see ``support``."""
        raise Unsupported(f"SQLite: {NO_ACCOUNTS.reason}")

    @property
    def backup(self) -> BackupDriver:
        """None: see ``support``."""
        raise Unsupported(f"SQLite: not implemented: {NOT_YET.reason}")

    def support(self, capability: Capability, server: Server | None) -> Support:
        """Total."""
        if capability is Capability.HEALTH:
            return FULL
        return NO_ACCOUNTS if capability.value.startswith(("access.", "users.")) else NOT_YET

    def probe(self, reader: Reader) -> Server:
        """The version of the library, which is all that there is of a server."""
        text = str(reader.scalar("SELECT sqlite_version()"))
        return Server(
            engine=self.name,
            version=tuple(int(part) for part in text.split(".")),
            version_text=text,
            role="primary",
            incarnation=Missing("not_supported_version", "a SQLite file carries no identity"),
            database=str(reader.scalar("SELECT file FROM pragma_database_list WHERE name = 'main'")),
        )

    def session(self, endpoint: Endpoint, *, read_only: bool, timeout_s: float) -> Session:
        """Pure. A reader's connection refuses to write by SQLite's own switch."""
        pragma = f"PRAGMA query_only = {'ON' if read_only else 'OFF'}"
        return Session(drivername="sqlite", connect={"timeout": timeout_s}, preamble=(pragma,), begin="BEGIN")

    def fault(self, error: BaseException) -> str:
        """Pure: SQLite gives one class for most errors, and tells them apart by words."""
        said = str(error)
        if isinstance(error, TimeoutError) or "interrupted" in said:
            return "timeout"
        if isinstance(error, OSError) or "unable to open" in said or "not a database" in said:
            return "connect_failed"
        if "locked" in said:
            return "lock_timeout"
        return "no_permission" if "readonly" in said else "query_failed"

    def grants(self, jobs: Sequence[str], login: str, version: Version | None = None) -> str:
        """:raises Unsupported: always."""
        raise Unsupported(f"SQLite: {NO_ACCOUNTS.reason}", hint="Give the user of dbops the right to read the file.")

    def examine(self, reader: Reader, server: Server, host: Host, configured: Configured) -> Examined:
        """Nothing can be missing but the file, and that was opened."""
        [pages] = reader.rows(PAGES, Pages)
        return Examined(symptoms=(), clock=datetime.now(UTC), data_bytes=(pages.pages - pages.free) * pages.size)


backend: Backend = SQLite()
