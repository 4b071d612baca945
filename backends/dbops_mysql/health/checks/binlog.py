"""The binary log: whether there is one to recover an instant from, and how long it is kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from dbops.health.answers import Answers, Unanswered
from dbops.health.words import seconds
from dbops.model.finding import Missing, Remedy
from dbops.model.health import Check, Observation, Status, Threshold
from dbops_mysql.health.checks.rule import OWN, Context, Family, Rule, number, variables

__all__ = ["rules"]

DAY = 86_400.0


def rules(family: Family) -> tuple[Rule, ...]:
    """Of one engine."""
    return (Rule(_off_check(family), _off), Rule(_retention_check(family), _retention))


def _off_check(family: Family) -> Check:
    return Check(
        id="my.binlog.off",
        title="There is a binary log",
        engine=family.name,
        unit="",
        needs=("variables",),
        threshold=Threshold(),
        source=OWN,
        privilege="none",
        remedy=Remedy(
            text="Set log_bin and a server_id of its own in the configuration and restart. Without it only the "
            "instants of backups can be restored, and no replica be made.",
            risk="restart",
            url=family.pages["binlog"],
        ),
    )


def _retention_check(family: Family) -> Check:
    return Check(
        id="my.binlog.retention",
        title="How long binary logs are kept",
        engine=family.name,
        unit="seconds",
        needs=("variables",),
        threshold=Threshold(warning=DAY, low_bad=True),
        source=f"{OWN}: longer than it takes to notice that the backup of the night is missing",
        privilege="none",
        remedy=Remedy(
            text="Keep them for as long as the oldest backup that is to be recovered from, and not without end.",
            sql="SET GLOBAL binlog_expire_logs_seconds = 604800;",
            url=family.pages["binlog"],
        ),
    )


def _logs(known: Mapping[str, str]) -> bool:
    if "log_bin" not in known:
        raise Unanswered(Missing("no_rows", "this server does not tell log_bin"))
    return known["log_bin"] in ("ON", "1")


def _off(answers: Answers, _context: Context) -> Iterator[Observation]:
    known = variables(answers)
    if _logs(known):
        form = known.get("binlog_format", "ROW")
        yield Observation(summary=f"the binary log is on ({form})", state=Status.OK, evidence={"binlog_format": form})
        return
    summary = "log_bin is off: no instant between two backups can be recovered"
    yield Observation(summary=summary, state=Status.WARNING)


def _retention(answers: Answers, _context: Context) -> Iterator[Observation]:
    known = variables(answers)
    if not _logs(known):
        missing = Missing("feature_off", "log_bin is off")
        yield Observation(summary="there is no binary log", missing=missing, state=Status.SKIPPED)
        return
    kept_s = _kept(known)
    if kept_s and known.get("binlog_expire_logs_auto_purge", "ON") != "OFF":
        summary = f"binary logs are kept for {seconds(kept_s)}"
        yield Observation(summary=summary, value=kept_s, evidence={"kept_s": kept_s})
        return
    summary = "binary logs are never removed: they fill the disk"
    yield Observation(summary=summary, state=Status.WARNING, evidence={"kept_s": kept_s})


def _kept(known: Mapping[str, str]) -> float:
    """In seconds; 0 is for ever. The variable in days is older, gone in MySQL 8.4, and fractional in MariaDB."""
    if "binlog_expire_logs_seconds" not in known:
        return number(known, "expire_logs_days") * DAY
    days = number(known, "expire_logs_days") if "expire_logs_days" in known else 0.0
    return number(known, "binlog_expire_logs_seconds") or days * DAY
