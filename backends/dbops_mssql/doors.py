"""Which word of a plan opens which door: byte streams, things held open, calls, probes.

Each table maps a word to a function of the module that owns it; :mod:`dbops_mssql.backend` only looks up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager

from dbops.model.server import Endpoint
from dbops.plan import Value
from dbops.spi import Member, Runtime
from dbops_mssql.backup import fingerprint, logins, running
from dbops_mssql.users import doors as users

__all__ = ["CALLS", "HOLDS", "PROBES", "STREAMS"]

Arguments = Mapping[str, object]
Held = AbstractContextManager[tuple[Mapping[str, Value], Endpoint | None]]

STREAMS: dict[str, Callable[[Arguments, Endpoint, Runtime], Iterator[Member]]] = {"logins": logins.logins}
HOLDS: dict[str, Callable[[Arguments, Endpoint, Runtime], Held]] = {
    "new_database": running.new_database,
    "users_lock": users.users_lock,
}
CALLS: dict[str, Callable[[Arguments, Endpoint, Runtime], Mapping[str, Value]]] = {
    "backup.run": running.back_up,
    "end_sessions": users.end_sessions,
    "fingerprints.measure": fingerprint.measure_call,
    "fingerprints.unchanged": fingerprint.unchanged_call,
    "generate_password": users.generate_password,
    "proof.check": running.check,
    "proof.fingerprints": fingerprint.compare_call,
    "restore.run": running.restore,
}
PROBES: dict[str, Callable[[Arguments, Endpoint, Runtime], bool]] = {}
