"""Settings that can cost data: what a crash takes along, what a replica skips, what is stored otherwise than given."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from dbops.health.answers import Answers, Unanswered
from dbops.model.finding import Missing, Remedy
from dbops.model.health import Check, Observation, Status, Threshold
from dbops_mysql.health.checks.rule import OWN, Context, Family, Rule, status, variables

__all__ = ["WATCHED", "Danger", "rules"]


class Danger(NamedTuple):
    """A setting with the values that are well, or those that are not; ``always``: its absence is UNKNOWN."""

    state: Status
    why: str
    good: tuple[str, ...] = ()
    evil: tuple[str, ...] = ()
    always: bool = False
    restart: bool = False

    def spoils(self, value: str) -> bool:
        """A server with this value can lose data."""
        return value.upper() not in self.good if self.good else value.upper() in self.evil


_SKIPS = Danger(
    Status.WARNING, "a replica that skips errors differs from its source without a word", good=("OFF", ""), restart=True
)
WATCHED: Mapping[str, Danger] = {
    "innodb_force_recovery": Danger(
        Status.CRITICAL, "InnoDB is in its emergency mode, made to save data into a dump", ("0",), always=True,
        restart=True,
    ),
    "innodb_flush_log_at_trx_commit": Danger(
        Status.WARNING, "a crash loses what was committed during the last second", ("1",), always=True
    ),
    # FAST (MariaDB) leaves out a flush, not the second copy.
    "innodb_doublewrite": Danger(
        Status.CRITICAL, "a crash can tear pages that nothing repairs, unless the file system writes them whole",
        ("ON", "1", "DETECT_AND_RECOVER", "FAST"), always=True, restart=True,
    ),
    "sync_binlog": Danger(
        Status.WARNING, "a crash can lose committed transactions from the binary log, and replicas differ then", ("1",),
        always=True,
    ),
    "innodb_flush_method": Danger(
        Status.CRITICAL, "nothing is ever flushed to the disk: it is made for tests", evil=("NOSYNC",), restart=True
    ),
    "innodb_checksum_algorithm": Danger(
        Status.WARNING, "damage by disks and memory goes unnoticed", evil=("NONE", "STRICT_NONE")
    ),
    "innodb_log_checksums": Danger(Status.WARNING, "damage in the redo log goes unnoticed", ("ON", "1")),
    "replica_skip_errors": _SKIPS,
    "slave_skip_errors": _SKIPS,
}  # fmt: skip
# Where it is known by its newer name, the older one says the same again.
_OLDER_NAMES = {"slave_skip_errors": "replica_skip_errors"}
STRICT = ("STRICT_TRANS_TABLES", "STRICT_ALL_TABLES")


def rules(family: Family) -> tuple[Rule, ...]:
    """Of one engine."""
    return (Rule(_durability_check(family), _durability), Rule(_strict_check(family), _strict))


def _durability_check(family: Family) -> Check:
    return Check(
        id="my.durability",
        title="Settings that can cost data",
        engine=family.name,
        unit="",
        needs=("variables", "status"),
        threshold=Threshold(),
        source=f"{OWN}, after the documentation of each setting",
        privilege="none",
        remedy=Remedy(
            text="Set it back, in the server's configuration as well. Some take effect at the next restart alone.",
            risk="restart",
            url=family.pages["durability"],
        ),
    )


def _strict_check(family: Family) -> Check:
    return Check(
        id="my.strict_mode",
        title="Values are not changed silently",
        engine=family.name,
        unit="",
        needs=("variables",),
        threshold=Threshold(),
        source=OWN,
        privilege="none",
        remedy=Remedy(
            text="Add STRICT_TRANS_TABLES to sql_mode once the applications are known to bear it.",
            sql="SET GLOBAL sql_mode = CONCAT_WS(',', NULLIF(@@GLOBAL.sql_mode, ''), 'STRICT_TRANS_TABLES');",
            risk="statements that were accepted fail",
            url=family.pages["sql_mode"],
        ),
    )


def _durability(answers: Answers, _context: Context) -> Iterator[Observation]:
    known = variables(answers)
    bad = list(_bad(known))
    if status(answers).get("innodb_redo_log_enabled") == "OFF":
        bad.append(
            Observation(
                object="parameter:redo_log",
                summary="the redo log is off: a crash destroys every InnoDB table",
                state=Status.CRITICAL,
                sql="ALTER INSTANCE ENABLE INNODB REDO_LOG;",
            )
        )
    yield from bad
    if not bad:
        yield Observation(summary="what was committed stays", state=Status.OK)


def _bad(known: Mapping[str, str]) -> Iterator[Observation]:
    for name, danger in WATCHED.items():
        if _OLDER_NAMES.get(name) in known or (name == "sync_binlog" and known.get("log_bin") == "OFF"):
            continue
        if name not in known:
            if danger.always:
                missing = Missing("no_rows", f"this server does not tell {name}")
                yield Observation(object=f"parameter:{name}", summary="how it is set is not known", missing=missing)
            continue
        if danger.spoils(known[name]):
            yield Observation(
                object=f"parameter:{name}",
                summary=f"{name} = {known[name]}: {danger.why}",
                state=danger.state,
                sql=f"SET GLOBAL {name} = {danger.good[0]};" if danger.good and not danger.restart else "",
                evidence={"name": name, "value": known[name]},
            )


def _strict(answers: Answers, _context: Context) -> Iterator[Observation]:
    known = variables(answers)
    if "sql_mode" not in known:
        raise Unanswered(Missing("no_rows", "this server does not tell sql_mode"))
    modes = known["sql_mode"].upper().split(",")
    evidence = {"sql_mode": known["sql_mode"]}
    if any(mode in STRICT for mode in modes):
        yield Observation(summary="a value that does not fit is refused", state=Status.OK, evidence={**evidence})
        return
    summary = "sql_mode is not strict: a value that does not fit is cut off or changed, and stored"
    yield Observation(summary=summary, state=Status.WARNING, evidence={**evidence})
