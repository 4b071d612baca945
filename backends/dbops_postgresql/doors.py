"""Which word of a plan opens which door: byte streams, things held open, calls, probes.

Each table maps a word to a function of the module that owns it; :mod:`dbops_postgresql.backend` only looks up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager

from dbops.model.server import Endpoint
from dbops.plan import Value
from dbops.spi import Member, Runtime
from dbops_postgresql.access import doors as access_doors
from dbops_postgresql.backup import (
    area,
    basebackup,
    configuration,
    copied,
    destination,
    dump,
    fingerprint,
    proofs,
    scratch,
    snapshot,
)

__all__ = ["CALLS", "HOLDS", "PROBES", "STREAMS"]

Arguments = Mapping[str, object]
Held = AbstractContextManager[tuple[Mapping[str, Value], Endpoint | None]]

STREAMS: dict[str, Callable[[Arguments, Endpoint, Runtime], Iterator[Member]]] = {
    "basebackup": basebackup.basebackup,
    "configuration": configuration.configuration,
    "dump": dump.dump,
    "fingerprints": fingerprint.fingerprints,
    "globals": dump.globals_,
}
HOLDS: dict[str, Callable[[Arguments, Endpoint, Runtime], Held]] = {
    "lock": snapshot.lock,
    "new_database": destination.new_database,
    "new_directory": destination.new_directory,
    "scratch_area": area.area,
    "scratch_copy": scratch.copy,
    "scratch_empty": scratch.empty,
    "slot": basebackup.slot,
    "snapshot": snapshot.snapshot,
    "users_lock": access_doors.users_lock,
}
CALLS: dict[str, Callable[[Arguments, Endpoint, Runtime], Mapping[str, Value]]] = {
    "copy.check": copied.check,
    "copy.finish": copied.finish,
    "generate_password": access_doors.generate_password,
    "proof.amcheck": proofs.amcheck,
    "proof.checksums": proofs.checksums,
    "proof.connect": proofs.connect_all,
    "proof.files": proofs.files,
    "proof.fingerprints": fingerprint.compare_call,
    "proof.read": proofs.read_all,
    "proof.roles": proofs.load_roles,
}
PROBES: dict[str, Callable[[Arguments, Endpoint, Runtime], bool]] = {}
