"""InnoDB's own housekeeping: old row versions that wait for purge, and room in the redo log."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from dbops.health.answers import Answers
from dbops.health.words import size
from dbops.model.finding import Missing, Remedy
from dbops.model.health import Check, Observation, Threshold
from dbops.model.server import Version
from dbops_mysql.health.checks.rule import OWN, PROCESS, Context, Family, Measure, Rule, number, status

__all__ = ["by_checkpoint_age", "by_counter", "by_logical_size", "by_metric", "history", "redo"]

# storage/innobase/log/log0files_capacity.cc of MySQL: two of 32 files stay free, 5 % are for the log writer alone and
# 10 % are reserved by running threads; whoever writes waits when the rest is used up. MariaDB counts for us.
USABLE = (30 / 32) * 0.95 * 0.9


class _Metric(msgspec.Struct, frozen=True):
    length: int
    status: str


def history(family: Family, measure: Measure, need: str, *, privilege: str) -> Rule:
    """How long the list of old row versions is."""
    check = Check(
        id="my.undo.history",
        title="Old row versions that wait for purge",
        engine=family.name,
        unit="transactions",
        needs=(need,),
        threshold=Threshold(warning=1e5, critical=1e6),
        source=f"{OWN}; awesome-prometheus-alerts: 50,000",
        privilege=privilege,
        grants=PROCESS if privilege == "PROCESS" else (),
        remedy=Remedy(
            text="Find the oldest transaction (my.trx.long) and end it: purge cannot pass it, and every read gets "
            "slower. Without one, the server writes faster than innodb_purge_threads clean up.",
            url=family.pages["undo"],
        ),
    )
    return Rule(check, measure)


def by_metric(answers: Answers, _context: Context) -> Iterable[Observation]:
    """MySQL: a metric that can be switched off, and is 0 then."""
    found = answers.one("history", _Metric)
    if found.status != "enabled":
        missing = Missing("feature_off", "the metric trx_rseg_history_len is off (innodb_monitor_enable)")
        return [Observation(summary="it is not counted", missing=missing)]
    return [_length(found.length)]


def by_counter(answers: Answers, _context: Context) -> Iterable[Observation]:
    """MariaDB: a counter of the server."""
    return [_length(number(status(answers), "innodb_history_list_length"))]


def _length(length: float) -> Observation:
    return Observation(summary=f"old row versions of {length:,.0f} transactions wait for purge", value=float(length))


def redo(family: Family, measure: Measure, since: Version = ()) -> Rule:
    """How much of the redo log is in use."""
    check = Check(
        id="my.redo.used",
        title="Redo log in use",
        engine=family.name,
        unit="percent",
        needs=("status",),
        since=since,
        threshold=Threshold(warning=75, critical=90),
        source=f"{OWN}; at 100 % every write waits for pages to be flushed",
        privilege="none",
        remedy=Remedy(
            text="Make the redo log larger, so that it holds an hour of writes, or let InnoDB flush faster "
            "(innodb_io_capacity).",
            url=family.pages["redo"],
        ),
    )
    return Rule(check, measure)


def by_logical_size(answers: Answers, _context: Context) -> Iterable[Observation]:
    """MySQL 8.0.30 and later."""
    counters = status(answers)
    usable = number(counters, "innodb_redo_log_capacity_resized") * USABLE
    return [_share(number(counters, "innodb_redo_log_logical_size"), usable)]


def by_checkpoint_age(answers: Answers, _context: Context) -> Iterable[Observation]:
    """MariaDB."""
    counters = status(answers)
    return [_share(number(counters, "innodb_checkpoint_age"), number(counters, "innodb_checkpoint_max_age"))]


def _share(used: float, usable: float) -> Observation:
    if usable <= 0:
        missing = Missing("null_value", f"the server says that {usable:.0f} bytes can be used")
        return Observation(summary="how large it is, is not known", missing=missing)
    share = 100 * used / usable
    return Observation(
        summary=f"{size(used)} of {size(usable)} are not checkpointed ({share:.0f} %)",
        value=round(share, 2),
        evidence={"used_bytes": int(used), "usable_bytes": int(usable)},
    )
