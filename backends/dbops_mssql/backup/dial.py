"""What the server's clock showed: STOPAT is read by it, and it is put forward and back.

``backupset.time_zone`` is that of the moment at which a backup began, so of a log the one at its end; what the log
holds may be from before the clock was changed. Where sets before and after an instant have different zones, only the
name of the time zone tells when that was. RESTORE stops at the first record that is later than STOPAT by the clock. Of
an hour that came twice that is in the first when anything was written in the rest of it, and else in the second.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import pairwise

import msgspec

from dbops.errors import UsageError
from dbops.model.finding import Missing
from dbops_mssql.backup.clock import moments, place
from dbops_mssql.backup.sets import BackupSet, Restored

__all__ = ["REPEATED", "SAY", "placed", "reading", "remembered"]

REPEATED = "clock_repeated"
SAY = "Say with --server-time-zone in which time zone it was, such as Europe/Berlin."


def reading(sets: Iterable[BackupSet], time: datetime) -> int | Missing:
    """Minutes east of UTC of the server's clock at an instant; Missing, and why, when STOPAT cannot say this instant.

    :param sets: of one database, from before and after the instant.
    """
    every = tuple(sets)
    where = next((one.where for one in every if one.where), "")
    return _at(time, where) if where else _between(every, time)


def _at(time: datetime, where: str) -> int | Missing:
    there = time.astimezone(place(where))
    twice = moments(there.replace(tzinfo=None, fold=0), where)
    if len(twice) > 1:
        both = " and ".join(one.isoformat() for one in twice)
        return Missing(
            REPEATED,
            f"The clock in {where} was put back and showed {there:%H:%M:%S} twice, at {both}: a restore that is told "
            "to stop then may stop at either. An instant before or after these two hours, or a log sequence number, "
            "can be asked for.",
        )
    return _minutes(there.utcoffset() or timedelta())


def _between(sets: Iterable[BackupSet], time: datetime) -> int | Missing:
    known = sorted((one.began.earliest, one.zone) for one in sets if one.zone is not None)
    for (here, zone), (there, other) in pairwise(known):
        again = timedelta(minutes=max(0, zone - other))
        if zone != other and here - again <= time < there + again:
            return Missing(
                "clock_changed",
                f"The server's clock was put from {_offset(zone)} to {_offset(other)} between {here.isoformat()} and "
                f"{there.isoformat()}, and nothing tells when, so that the time by its clock is not known. {SAY}",
            )
    before = [zone for at, zone in known if at <= time] or [zone for _, zone in known[:1]]
    return before[-1] if before else Missing("clock_unknown", f"In which time zone the server was is not known. {SAY}")


def placed(one: BackupSet, where: str) -> BackupSet:
    """A set whose server's clock was in this time zone.

    :raises UsageError: it was not: the zone never had such a time, or msdb tells another distance to UTC.
    """
    if not where:
        return one
    said = msgspec.structs.replace(one, where=where)
    for at in (one.started, one.finished):
        if not moments(at, where):
            raise UsageError(
                f"the server's clock was not in {where}: {one.label} has the time {at:%Y-%m-%d %H:%M:%S}, which was "
                "left out there when the clock was put forward",
                hint="Say another --server-time-zone.",
            )
    there = _minutes(said.began.earliest.astimezone(place(where)).utcoffset() or timedelta())
    if one.zone is not None and one.zone != there:
        raise UsageError(
            f"the server's clock was not in {where}: when it made {one.label} it was at {_offset(one.zone)}, and there "
            f"it would have been at {_offset(there)}",
            hint="Say another --server-time-zone, or none.",
        )
    return said


def remembered(one: Restored, where: str) -> Restored:
    """A restore on a server whose clock was in this time zone."""
    return msgspec.structs.replace(one, where=where) if where and moments(one.at, where) else one


def _minutes(offset: timedelta) -> int:
    return round(offset.total_seconds() / 60)


def _offset(minutes: int) -> str:
    sign = "-" if minutes < 0 else "+"
    return f"{sign}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"
