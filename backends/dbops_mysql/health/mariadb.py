"""The health of MariaDB: what it tells otherwise than MySQL."""

from __future__ import annotations

from typing import ClassVar

from dbops.model.health import Question
from dbops_mysql.health.checks import cluster, innodb
from dbops_mysql.health.checks.rule import Family, Rule
from dbops_mysql.health.driver import MySQLHealth, shared
from dbops_mysql.health.families import MARIADB
from dbops_mysql.statement import text

__all__ = ["MariaDBHealth"]

# In place of MySQL's of the same name.
OWN = ("row_waits", "replicas", "auto_increments")
# Among the counters, or not there at all.
WITHOUT = ("history", "members")


class MariaDBHealth(MySQLHealth):
    """A fork with questions of its own."""

    family: ClassVar[Family] = MARIADB

    def rules(self) -> tuple[Rule, ...]:
        """The whole catalogue."""
        return (
            *shared(self.family),
            innodb.history(self.family, innodb.by_counter, "status", privilege="none"),
            innodb.redo(self.family, innodb.by_checkpoint_age),
            cluster.rule(self.family, cluster.galera, ("variables", "status"), privilege="none", grants=()),
        )

    def asked(self) -> tuple[Question, ...]:
        """MySQL's, but for those that MariaDB answers in another place."""
        kept = [one for one in super().asked() if one.name not in (*OWN, *WITHOUT)]
        return (*kept, *(Question(name=name, sql=text(f"health_{name}_mariadb")) for name in OWN))
