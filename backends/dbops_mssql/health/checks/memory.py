"""Memory: what the machine has left, and whether the server knows where to stop."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from dbops.health.answers import Answers
from dbops.model.finding import Remedy
from dbops.model.health import Check, Observation, Status, Threshold
from dbops_mssql.health.checks.rule import ENGINE, STATE, Context, Rule
from dbops_mssql.health.pages import PAGES

__all__ = ["RULES"]

# The default, which means no limit.
UNSET_MB = 2_147_483_647
SHARE = 0.75

CHECK = Check(
    id="ms.memory",
    title="Memory that the machine has left",
    engine=ENGINE,
    unit="MB",
    needs=("memory",),
    threshold=Threshold(warning=512, critical=256, low_bad=True),
    source="sp_Blitz: 256 MB, and max server memory as it was installed",
    privilege="the right to view the server's state",
    grants=(STATE,),
    remedy=Remedy(
        text="Give the server a limit that leaves the machine what it needs; three quarters of the memory where "
        "nothing else runs. Without one it takes all there is, and the machine pages or ends it.",
        risk="the server gives memory back when it is lowered",
        url=PAGES["memory"],
    ),
)


class _Memory(msgspec.Struct, frozen=True):
    total_kb: int
    available_kb: int
    limit_mb: int
    low_signal: int | None = None
    state: str | None = None


def _memory(answers: Answers, _context: Context) -> Iterator[Observation]:
    one = answers.one("memory", _Memory)
    said = "; the machine says that this is low" if one.low_signal else ""
    total_mb, left_mb = one.total_kb / 1024, one.available_kb / 1024
    yield Observation(
        summary=f"{left_mb:,.0f} MB of {total_mb:,.0f} MB are left{said}",
        value=round(left_mb, 1),
        state=Status.CRITICAL if one.low_signal else None,
        evidence=msgspec.to_builtins(one),
    )
    if one.limit_mb >= UNSET_MB or one.limit_mb > total_mb:
        said = "is not set" if one.limit_mb >= UNSET_MB else f"is {one.limit_mb:,} MB, more than there are"
        yield Observation(
            object="parameter:max_server_memory",
            summary=f"max server memory {said} (the machine has {total_mb:,.0f} MB)",
            state=Status.WARNING,
            sql=_limit(round(total_mb * SHARE)),
            evidence={"limit_mb": one.limit_mb},
        )


def _limit(megabytes: int) -> str:
    return "\n".join(
        (
            "EXEC sys.sp_configure N'show advanced options', 1; RECONFIGURE;",
            f"EXEC sys.sp_configure N'max server memory (MB)', {megabytes}; RECONFIGURE;",
        )
    )


RULES = (Rule(CHECK, _memory, "memory"),)
