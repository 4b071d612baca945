"""Which word of a step opens which door: a table for each, of functions of the modules that own them."""

from __future__ import annotations

from dbops.spi import Doors
from dbops_postgresql import scram
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

__all__ = ["DOORS"]

DOORS = Doors(
    streams={
        "basebackup": basebackup.basebackup,
        "configuration": configuration.configuration,
        "dump": dump.dump,
        "fingerprints": fingerprint.fingerprints,
        "globals": dump.globals_,
    },
    holds={
        "lock": snapshot.lock,
        "new_database": destination.new_database,
        "new_directory": destination.new_directory,
        "scratch_area": area.area,
        "scratch_copy": scratch.copy,
        "scratch_empty": scratch.empty,
        "slot": basebackup.slot,
        "snapshot": snapshot.snapshot,
        "users_lock": access_doors.users_lock,
    },
    calls={
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
    },
    seal=scram.seal,
)
