"""MariaDB's physical backup: its own program streams the files of the running server."""

from __future__ import annotations

from collections.abc import Sequence

from dbops.model.backup import BackupFacts, BackupJob, Made, Method, Outputs
from dbops.model.finding import Missing
from dbops.model.server import Server
from dbops.plan import Step
from dbops_mysql.backup import copy_recipe
from dbops_mysql.backup.facts import Database
from dbops_mysql.backup.files import Files, Questions
from dbops_mysql.backup.physical import NAME, Physical, settings_of

__all__ = ["MariaDBPhysical"]


class MariaDBPhysical(Physical):
    """mariadb-backup."""

    family = "mariadb"
    method = Method(
        name=NAME,
        kind="physical",
        title="mariadb-backup of the whole server, streamed from the machine where it runs",
        needs=("dbops on the server's machine, as its user or root", "mariadb-backup of the server's own series"),
    )
    questions = Questions("copy_outside_mariadb", "copy_encrypted_mariadb")
    rights = (("RELOAD",), ("PROCESS",), ("BINLOG MONITOR", "REPLICATION CLIENT", "SUPER"))

    def missing(self, found: BackupFacts, files: Files, server: Server) -> list[str]:  # noqa: ARG002
        """The program."""
        tool = found.tools.get("copy")
        return [tool.detail] if isinstance(tool, Missing) else []

    def steps(self, job: BackupJob, facts: BackupFacts, server: Server) -> tuple[Step, ...]:  # noqa: ARG002
        """The configuration, then the files."""
        return self.streamed(job, facts)

    def made(self, job: BackupJob, facts: BackupFacts, server: Server, outputs: Outputs) -> Made:
        """From the program's notes."""
        return self.made_streamed(job, facts, server, outputs)

    def recipe(
        self,
        job: BackupJob,
        facts: BackupFacts,
        server: Server,
        databases: Sequence[Database],  # noqa: ARG002
    ) -> list[str]:
        """Unpack, prepare, start."""
        return copy_recipe.recipe_streamed(job, settings_of(facts), server, self.family)
