"""Which word of a step opens which door: a table for each, of functions of the modules that own them."""

from __future__ import annotations

from dbops.spi import Doors
from dbops_mysql import passwords
from dbops_mysql.access import doors as access_doors
from dbops_mysql.backup import (
    accounts,
    clone,
    configuration,
    copy_proofs,
    copy_server,
    copying,
    destination,
    directory,
    fingerprint,
    moment,
    pages,
    proofs,
    restored,
    scratch,
    unpacked,
)

__all__ = ["DOORS"]

DOORS = Doors(
    streams={
        "accounts": accounts.accounts,
        "configuration": configuration.configuration,
        "copy": copying.copying,
        "directory": clone.directory,
        "dump": moment.dump,
        "fingerprints": fingerprint.fingerprints,
    },
    holds={
        "clone": clone.clone,
        "copy_area": directory.copy_area,
        "copy_server": copy_server.copy_server,
        "dump_area": scratch.area,
        "moment": moment.moment,
        "new_database": destination.new_database,
        "new_directory": directory.new_directory,
        "scratch_empty": scratch.empty,
        "share": moment.share,
        "users_lock": access_doors.users_lock,
    },
    calls={
        "copy.accounts": copy_proofs.accounts,
        "copy.count": unpacked.count,
        "copy.finish": unpacked.finish,
        "copy.objects": copy_proofs.there,
        "copy.pages": pages.check_pages,
        "copy.position": copy_proofs.positions,
        "copy.prepare": unpacked.prepare,
        "copy.tables": copy_proofs.check_tables,
        "end_sessions": access_doors.end_sessions,
        "generate_password": access_doors.generate_password,
        "proof.accounts": proofs.accounts,
        "proof.definers": proofs.definers,
        "proof.dumped_tables": proofs.tables,
        "proof.fingerprints": fingerprint.compare_call,
        "proof.objects": proofs.objects,
        "restore.finish": restored.finish,
        "restore.views": restored.views,
    },
    seal=passwords.seal,
)
