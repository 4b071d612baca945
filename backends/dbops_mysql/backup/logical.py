"""The way of ``dump``: every database by the engine's own dump program, all at one moment, and the accounts."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import cast

import msgspec

from dbops.backup.text import duration
from dbops.model.backup import (
    BackupFacts,
    BackupJob,
    Blocker,
    Chain,
    Destination,
    Evidence,
    LogRange,
    Made,
    Method,
    Outputs,
    VerifyLevel,
)
from dbops.model.finding import Missing
from dbops.model.server import Server, Tool, Version
from dbops.plan import FromServer, Hold, Json, Need, Opening, Ref, Risk, Step, Together, Value
from dbops.spi import Host, Reader
from dbops_mysql.backup import dump_recipe, dump_restore
from dbops_mysql.backup import facts as facts_module
from dbops_mysql.backup.artifacts import ACCOUNTS, Contents, Position
from dbops_mysql.backup.facts import About, Database
from dbops_mysql.backup.rights import lacking
from dbops_mysql.backup.way import store
from dbops_mysql.installation import Family
from dbops_mysql.tools import required

__all__ = ["Logical"]

MOMENT = "moment"
# Reading everything a second time is cheap beside the dump; a table that no time is left for is named.
FINGERPRINT_BUDGET_S = 3600
HISTORY_SINCE: Mapping[Family, Version | None] = {"mysql": None, "mariadb": (10, 11)}
LOCKS = (
    "All tables are locked for a moment: writing waits until every snapshot has begun, some tenths of a second; "
    "whoever alters a table waits until the dump is done."
)
# Without one of each a dump ends with an error or, worse, leaves something out in silence.
READS = (("SELECT",), ("SHOW VIEW",), ("TRIGGER",), ("EVENT",))


class Logical:
    """Implements :class:`dbops_mysql.backup.way.Way` for one family."""

    def __init__(self, family: Family) -> None:
        self.family: Family = family
        self.program = {"mysql": "mysqldump", "mariadb": "mariadb-dump"}[family]
        self.method = Method(
            name="dump",
            kind="logical",
            title=f"{self.program} of all databases at one moment, and the accounts",
            needs=(
                f"{self.program} not older than the server",
                "SELECT, SHOW VIEW, TRIGGER, EVENT, PROCESS, RELOAD on *.*",
            ),
        )

    def look(self, found: BackupFacts, reader: Reader, host: Host) -> BackupFacts:  # noqa: ARG002
        """Nothing of its own."""
        return found

    def blockers(self, found: BackupFacts, about: About, server: Server) -> tuple[Blocker, ...]:
        """A program that is missing, and rights without which something would be left out in silence."""
        program = found.tools.get("dump")
        reasons = [program.detail] if isinstance(program, Missing) else []
        if missing := lacking(frozenset(about.rights), READS):
            what = f"{server.user} lacks {', '.join(missing)} on *.*"
            reasons.append(f"{what}: run what `dbops grants {self.family} --for backup` prints")
        if broken := [one.name for one in facts_module.databases(found) if "\n" in one.name or "\r" in one.name]:
            reasons.append(f"the name of a database holds a line break: {broken[0]!r}")
        hidden = [one.name for one in facts_module.databases(found) if one.hidden]
        if hidden and not missing:
            reasons.append(
                f"{server.user} may not read stored routines of {', '.join(hidden)}: GRANT SHOW_ROUTINE ON *.*"
            )
        return tuple(Blocker(method=self.method.name, reason=reason) for reason in reasons)

    def remarks(self, found: BackupFacts, about: About, server: Server) -> tuple[str, ...]:  # noqa: ARG002
        """What it locks, and what no snapshot holds still."""
        said = [LOCKS]
        if about.binlog and about.retention_s:
            said.append(f"The server keeps its binary logs for {duration(about.retention_s)}, then they are gone.")
        if about.longest_s:
            said.append(
                f"A statement has been running for {duration(about.longest_s)}: a dump waits for it before it locks."
            )
        loose = [f"{one.name}.{table}" for one in facts_module.databases(found) for table in one.loose]
        if loose:
            said.append(
                f"{len(loose)} tables have no transactions, so a dump holds them as they are read: {few(loose)}."
            )
        return tuple(said)

    def steps(self, job: BackupJob, facts: BackupFacts, server: Server) -> tuple[Step, ...]:
        """Accounts, then all databases at one moment, in as many streams as may run at once.

        :raises ToolFailed: the program is missing, or older than the server.
        """
        program = required(self.family, "dump", facts.tools.get("dump"))
        shares = shared(facts_module.chosen(facts, job.databases), facts, job.parallel)
        about = facts_module.about(facts)
        history = keeps_history(self.family, program, facts_module.chosen(facts, job.databases))
        opening: dict[str, Value] = {
            "family": self.family,
            "tool": program.path,
            "server": ".".join(map(str, server.version)),
            "shares": json.dumps(shares, ensure_ascii=False),
            "fingerprints": job.fingerprints,
            "loose": any(one.loose for one in facts_module.databases(facts)),
            "history": history,
        }
        accounts = FromServer(stream="accounts", arguments={"family": self.family})
        steps: list[Step] = [store(job, "accounts", "read the accounts and what they may do", accounts, ACCOUNTS)]
        inner = tuple(self._share(job, number, names, history=history) for number, names in enumerate(shares))
        summary = f"dump {sum(map(len, shares))} databases"
        steps.append(Together(id="dumps", summary=summary, risk=Risk.READ, steps=inner, limit=max(1, len(inner))))
        return (
            Hold(
                id=MOMENT,
                summary="lock all tables for a moment, in which every stream begins its snapshot",
                risk=Risk.READ,
                opening=Opening(what="moment", arguments=opening),
                steps=tuple(steps),
                close="end the snapshots; tables may be altered again",
                needs=(
                    Need(kind="tool", name=f"{self.program} {'.'.join(map(str, about.series))}"),
                    Need(kind="right", name="RELOAD", fix=f"dbops grants {self.family} --for backup"),
                ),
            ),
        )

    def _share(self, job: BackupJob, number: int, names: Sequence[str], *, history: bool) -> Hold:
        share: dict[str, Value] = {"moment": Ref(MOMENT, "moment"), "share": number}
        what = few(names)
        dump = FromServer(stream="dump", arguments=share)
        steps: list[Step] = [store(job, f"dump-{number}", f"dump {what}", dump, "")]
        if job.fingerprints:
            reading = FromServer(
                stream="fingerprints", arguments={**share, "budget_s": FINGERPRINT_BUDGET_S, "history": history}
            )
            steps.append(store(job, f"fingerprints-{number}", f"fingerprint what was dumped of {what}", reading, ""))
        return Hold(
            id=f"share-{number}",
            summary=f"one snapshot of {what}",
            risk=Risk.READ,
            opening=Opening(what="share", arguments=share),
            steps=tuple(steps),
            close="end this snapshot",
        )

    def made(self, job: BackupJob, facts: BackupFacts, server: Server, outputs: Outputs) -> Made:  # noqa: ARG002
        """From what the moment said about itself."""
        moment = outputs.get(MOMENT, {})
        chosen = _as_found(facts_module.chosen(facts, job.databases), moment)
        position = _position(moment)
        program = facts.tools.get("dump")
        version = ".".join(map(str, program.version)) if isinstance(program, Tool) else ""
        notes = (
            *_decoded(moment.get("notes")),
            *_decoded(outputs.get("accounts", {}).get("notes")),
            *(f"the dump program said: {one['warnings']}" for one in outputs.values() if one.get("warnings")),
            *_about(chosen, self.family, program),
        )
        largest = [value for said in outputs.values() if isinstance(value := said.get("largest"), int)]
        contents = Contents(
            about=facts_module.about(facts),
            databases=chosen,
            position=position,
            settings={name: value for name, value in facts.settings.items() if isinstance(value, str)},
            program=version,
            largest_statement=max(largest, default=0),
            history=isinstance(program, Tool) and keeps_history(self.family, program, chosen),
            notes=notes,
        )
        return Made(
            consistent_at=_instant(moment.get("taken_at"), job.started_at),
            databases=tuple(one.name for one in chosen),
            log=_log(position),
            tools={self.program: version},
            notes=notes,
            extra=cast("dict[str, Json]", msgspec.to_builtins(contents)),
        )

    def restore(self, chain: Chain, destination: Destination, server: Server) -> tuple[Step, ...]:  # noqa: ARG002
        """Into a new database."""
        return dump_restore.restore(chain, destination, self.family)

    def verify(self, chain: Chain, destination: Destination, server: Server, level: VerifyLevel) -> tuple[Step, ...]:
        """In a scratch server."""
        return dump_restore.verify(chain, destination, server, self.family, level)

    def evidence(self, chain: Chain, level: VerifyLevel, outputs: Outputs) -> Evidence:
        """What the proof found."""
        return dump_restore.evidence(chain, level, outputs)

    def recipe(
        self,
        job: BackupJob,
        facts: BackupFacts,  # noqa: ARG002
        server: Server,
        databases: Sequence[Database],
    ) -> list[str]:
        """The lines of RESTORE.md after its head."""
        return dump_recipe.lines(job, server, databases, self.family)


def shared(databases: Sequence[Database], facts: BackupFacts, parallel: int) -> list[list[str]]:
    """The databases in at most ``parallel`` shares of about the same size; the largest first."""
    sizes = {one.name: one.bytes if isinstance(one.bytes, int) else 0 for one in facts.databases}
    ordered = sorted((one.name for one in databases), key=lambda name: (-sizes.get(name, 0), name))
    shares: list[list[str]] = [[] for _ in range(max(1, min(parallel, len(ordered))))]
    weights = [0] * len(shares)
    for name in ordered:
        lightest = weights.index(min(weights))
        shares[lightest].append(name)
        weights[lightest] += sizes.get(name, 0) + 1
    return shares


def keeps_history(family: Family, program: Tool, databases: Sequence[Database]) -> bool:
    """Whether the dump holds the history of versioned tables. The program refuses all when one is versioned by
    transactions, and before 10.11 it could not."""
    versioned = any(one.versioned for one in databases)
    precise = any(one.precise for one in databases)
    since = HISTORY_SINCE[family]
    return since is not None and versioned and not precise and program.version >= since


def few(names: Sequence[str]) -> str:
    """The first five."""
    more = f" … and {len(names) - 5} more" if len(names) > 5 else ""
    return ", ".join(names[:5]) + more


def _about(databases: Sequence[Database], family: Family, program: Tool | Missing | None) -> list[str]:
    notes: list[str] = []
    loose = [f"{one.name}.{table}" for one in databases for table in one.loose]
    if loose:
        notes.append(f"not of the same moment as the rest, since their engine has no transactions: {few(loose)}")
    versioned = [one.name for one in databases if one.versioned]
    if versioned and not (isinstance(program, Tool) and keeps_history(family, program, databases)):
        notes.append(f"the history of versioned tables is not in this dump: {few(versioned)}")
    floats = [one.name for one in databases if one.floats]
    if floats:
        notes.append(
            f"columns of the type FLOAT come back rounded to six digits, which is all that a dump writes: {few(floats)}"
        )
    return notes


def _as_found(databases: Sequence[Database], moment: Mapping[str, object]) -> tuple[Database, ...]:
    """As they were at the moment: something may have been made since the facts were read."""
    said = msgspec.json.decode(str(moment.get("databases", "[]")), type=list[Database])
    then = {one.name: one for one in said}
    return tuple(then.get(one.name, one) for one in databases)


def _decoded(notes: object) -> tuple[str, ...]:
    return msgspec.json.decode(str(notes), type=tuple[str, ...]) if notes else ()


def _position(moment: Mapping[str, object]) -> Position | None:
    said = moment.get("position")
    return msgspec.json.decode(str(said), type=Position) if said else None


def _log(position: Position | None) -> LogRange | None:
    """From this moment the server's binary logs go on: a restore needs none, one to a later point all from here."""
    if position is None or not (position.gtids or position.file):
        return None
    unit, at = ("gtid", position.gtids) if position.gtids else ("binlog", f"{position.file}:{position.offset}")
    return LogRange(unit=unit, start=at, end=at)


def _instant(text: object, otherwise: datetime) -> datetime:
    return datetime.fromisoformat(text) if isinstance(text, str) else otherwise
