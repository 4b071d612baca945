"""Which backups bring an instant back.

The order of backups is that of time, never of names, positions or timelines. A chain stays within one incarnation of
the server: a position of one means nothing in another.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from itertools import pairwise

from dbops.model.backup import BackupRecord, Until, Verdict
from dbops.model.recovery import ChainChoice, Nearest, Reachability

__all__ = ["choose", "complete"]

# Instants are shown to people in seconds: what they type must find the backup that they were shown.
_SAME = timedelta(seconds=1)


def choose(
    records: Iterable[BackupRecord],
    until: Until,
    *,
    incarnation: str = "",
    method: str = "",
    kind: str = "",
    databases: tuple[str, ...] = (),
    unreadable: Sequence[str] = (),
) -> ChainChoice:
    """The chain for one target.

    :param incarnation: empty to take the only one, or the last of several that followed each other.
    :param kind: ``logical`` or ``physical``, where the destination takes only one of them; a backup that is named by
        its id is taken as it is.
    :param databases: what must be inside; empty asks for the whole server.
    :param unreadable: ids of manifests that could not be read: what is not found might be in there.
    """
    every = tuple(records)
    own, refusal = _one_incarnation(every, incarnation)
    if refusal:
        return ChainChoice(verdict=Reachability.UNKNOWN, reason=refusal, missing=("incarnation",))
    named = until.kind == "name"
    fitting = [one for one in own if method in ("", one.method) and (named or kind in ("", one.kind))]
    covering = _covering(fitting, databases)
    chains = [chain for one in covering if (chain := complete(one, every)).verdict is Reachability.REACHABLE]
    found = _pick(chains, until)
    if found is not None:
        return _with_notes(found, chains, unreadable)
    return _not_found(covering, chains, every, until, unreadable)


def complete(record: BackupRecord, records: Sequence[BackupRecord]) -> ChainChoice:
    """The backup with everything that it builds on, oldest first."""
    by_id = {one.id: one for one in records}
    chain, here = [record], record
    while here.parent is not None:
        parent = by_id.get(here.parent)
        if parent is None:
            return _broken(chain, f"{here.id} builds on {here.parent}, which is not in the catalogue", here.parent)
        if parent in chain:
            return _broken(chain, f"{here.id} and {parent.id} build on each other", parent.id)
        if (parent.incarnation, parent.engine, parent.target) != (here.incarnation, here.engine, here.target):
            return _broken(chain, f"{here.id} builds on {parent.id}, which is of another server", parent.id)
        if _forked(parent, here):
            return _broken(chain, f"{here.id} is on another timeline than {parent.id}, which it builds on", parent.id)
        chain.append(parent)
        here = parent
    return ChainChoice(
        verdict=Reachability.REACHABLE,
        reason=f"{record.id} brings back the state of {record.instant.isoformat()}",
        chain=tuple(reversed(chain)),
        recovers_to=record.instant,
    )


def _broken(chain: Sequence[BackupRecord], reason: str, missing: str) -> ChainChoice:
    return ChainChoice(verdict=Reachability.UNREACHABLE, reason=reason, chain=tuple(chain[::-1]), missing=(missing,))


def _forked(parent: BackupRecord, child: BackupRecord) -> bool:
    if parent.log is None or child.log is None:
        return False
    return None not in (parent.log.timeline, child.log.timeline) and parent.log.timeline != child.log.timeline


def _one_incarnation(records: Sequence[BackupRecord], wanted: str) -> tuple[list[BackupRecord], str]:
    """Backups of one incarnation, or why none can be chosen."""
    spans: dict[str, list[BackupRecord]] = {}
    for one in sorted(records, key=lambda one: (one.started_at, one.id)):
        spans.setdefault(one.incarnation, []).append(one)
    if wanted:
        return spans.get(wanted, []), ""
    runs = list(spans.values())
    for earlier, later in pairwise(runs):
        if earlier[-1].started_at >= later[0].started_at:
            names = ", ".join(f"{run[0].incarnation} (newest backup {run[-1].id})" for run in runs)
            return [], f"Two servers made backups under this name at the same time: {names}. Say which one is meant."
    return (runs[-1] if runs else []), ""


def _covering(records: Sequence[BackupRecord], databases: tuple[str, ...]) -> list[BackupRecord]:
    if databases:
        return [one for one in records if one.whole or set(databases) <= set(one.databases)]
    whole = [one for one in records if one.whole]
    return whole or list(records)


def _pick(chains: Sequence[ChainChoice], until: Until) -> ChainChoice | None:
    """Backups known to be bad come last."""
    fitting = [one for one in chains if _fits(one.chain[-1], until)]
    return max(fitting, key=_rank, default=None)


def _fits(newest: BackupRecord, until: Until) -> bool:
    if until.kind == "time":
        return until.time is not None and abs(newest.instant - until.time) < _SAME
    if until.kind == "position":
        return newest.log is not None and newest.log.end == until.value
    return until.kind == "latest" or newest.id == until.value


def _rank(choice: ChainChoice) -> tuple[bool, object, object, str]:
    newest = choice.chain[-1]
    good = not any(_failed(one) for one in choice.chain)
    return good, newest.instant, newest.started_at, newest.id


def _failed(record: BackupRecord) -> bool:
    return record.proof is not None and record.proof.verdict is Verdict.FAILED


def _with_notes(found: ChainChoice, chains: Sequence[ChainChoice], unreadable: Sequence[str]) -> ChainChoice:
    newest = found.chain[-1]
    notes: list[str] = []
    if any(_failed(one) for one in found.chain):
        notes.append(f"{newest.id} failed its last verification")
    notes += [
        f"{one.chain[-1].id} is newer and was passed over: it failed its last verification"
        for one in chains
        if one.chain[-1].instant > newest.instant and any(_failed(part) for part in one.chain)
    ]
    if newest.proven is None:
        notes.append(f"{newest.id} was never proven by a restore")
    notes += [f"the manifest of {one} cannot be read; it was left out" for one in unreadable]
    return ChainChoice(
        verdict=found.verdict,
        reason=found.reason,
        chain=found.chain,
        recovers_to=found.recovers_to,
        nearest=_around(chains, Until(kind="time", time=newest.instant)),
        notes=tuple(notes),
    )


def _not_found(
    covering: Sequence[BackupRecord],
    chains: Sequence[ChainChoice],
    every: Sequence[BackupRecord],
    until: Until,
    unreadable: Sequence[str],
) -> ChainChoice:
    broken = [complete(one, every) for one in covering]
    missing = tuple(dict.fromkeys(part for one in broken for part in one.missing))
    if unreadable:
        return ChainChoice(
            verdict=Reachability.UNKNOWN,
            reason=f"No readable backup reaches this point, and {len(unreadable)} cannot be read.",
            missing=(*missing, *unreadable),
            nearest=_around(chains, until),
        )
    return ChainChoice(
        verdict=Reachability.UNREACHABLE, reason=_why(chains, broken, until), missing=missing,
        nearest=_around(chains, until),
    )  # fmt: skip


def _why(chains: Sequence[ChainChoice], broken: Sequence[ChainChoice], until: Until) -> str:
    incomplete = [one.reason for one in broken if one.verdict is not Reachability.REACHABLE]
    if not chains:
        return incomplete[0] if incomplete else "There is no backup of this."
    if until.kind == "time":
        return "No backup holds exactly this instant, and the server's log is not archived; see the nearest ones."
    return f"No backup ends at {until.value}." if until.kind == "position" else f"There is no backup {until.value}."


def _around(chains: Sequence[ChainChoice], until: Until) -> Nearest:
    if until.time is None:
        return Nearest()
    instants = sorted(one.chain[-1].instant for one in chains)
    return Nearest(
        before=max((at for at in instants if at < until.time), default=None),
        after=min((at for at in instants if at > until.time), default=None),
    )
