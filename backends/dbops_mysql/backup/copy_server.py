"""A throwaway server on a copy: on a private socket only, with an account of our own beside the original's, and nothing
of the original's outside life: no network, no replication, no events, no binary log."""

from __future__ import annotations

import re
import secrets
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import cast

import msgspec

from dbops import own_server
from dbops.errors import CouldNotTell, ToolFailed
from dbops.model.server import Endpoint
from dbops.plan import SecretRef, Value
from dbops.spi import Runtime
from dbops_mysql import server
from dbops_mysql.installation import Family, Installation, server_user
from dbops_mysql.quoting import account, literal

__all__ = ["copy_server"]

Held = tuple[Mapping[str, Value], Endpoint | None]
# Replaying the log of a large copy takes its time; a server that died is noticed at once.
RECOVER_S = 6 * 3600.0
OURS = f"dbops_proof_{secrets.token_hex(4)}"  # the copy has nobody of this name
QUICK = {"loose-innodb-doublewrite": "OFF", "innodb-flush-log-at-trx-commit": "0"}
# The programs, or this place, cannot open the files: that says nothing about the backup.
UNFIT = re.compile(
    r"keyring|cannot (be )?decrypt|encryption (key|plugin)|key_management|Invalid MySQL server (upgrade|downgrade)|"
    r"Unsupported redo log format|Cannot (boot|upgrade) server version|lower_case_table_names",
    re.IGNORECASE,
)
NO_ROOM = re.compile(r"No space left on device|errno: 28\b|Disk is full|error number 28", re.IGNORECASE)


@contextmanager
def copy_server(arguments: Mapping[str, object], _endpoint: Endpoint, _runtime: Runtime) -> Generator[Held]:
    """A server on the copy in ``data``; its end is a clean shutdown.

    Arguments: ``path`` (the private directory around it), ``data``, ``server`` (the program), ``family``, ``settings``
    (JSON: what the files need), ``load`` (a plugin that is asked later and that the copy may not load by itself; empty
    for none. A server that does not have it starts all the same).
    :raises ToolFailed: it does not start; with the end of its log.
    :raises CouldNotTell: nothing can be said about the backup from here.
    """
    path, data = Path(str(arguments["path"])), Path(str(arguments["data"]))
    family, program = cast(Family, arguments["family"]), str(arguments["server"])
    socket_dir, user = path / "s", server_user()
    socket_dir.mkdir(mode=0o700)
    password, setup = _account(path, socket_dir)
    for place in (data, socket_dir):
        own_server.hand_over(place, user)
    load = [f"--plugin-load-add={arguments['load']}"] if arguments.get("load") else []
    needs = msgspec.json.decode(str(arguments["settings"]), type=dict[str, str])
    with server.start(
        Installation(family=family, version=(), server=Path(program), bindir=Path(program).parent, origin="given"),
        data,
        socket_dir=socket_dir,
        log=path / "server.log",
        user=user,
        settings={**QUICK, **needs},
        options=["--skip-log-bin", f"--init-file={setup}", *load],
    ) as running:
        try:
            running.wait_until_ready(RECOVER_S)
        except ToolFailed as error:
            raise _unfit(error) from None
        setup.unlink(missing_ok=True)
        there = Endpoint(
            engine=family, host=str(running.socket), user=OURS, password=SecretRef(f"file:{password}")
        )  # fmt: skip
        yield {"log": str(running.log)}, there
        running.stop()


def _account(path: Path, socket_dir: Path) -> tuple[Path, Path]:
    """An account that the server makes while it starts: nobody here knows the passwords of those that it has."""
    secret = f"aA1!{secrets.token_urlsafe(24)}"
    password, setup = path / "password", socket_dir / "setup.sql"
    for file in (password, setup):
        file.touch(mode=0o600)
    password.write_text(secret, encoding="utf-8")
    name = account(OURS, "localhost")
    setup.write_text(
        f"CREATE USER {name} IDENTIFIED BY {literal(secret)};\nGRANT ALL ON *.* TO {name} WITH GRANT OPTION;\n",
        encoding="utf-8",
    )
    return password, setup


def _unfit(error: ToolFailed) -> Exception:
    if NO_ROOM.search(error.message):
        return CouldNotTell(error.message, hint="Name a larger place by `verify.into`.", reason="no_space")
    if UNFIT.search(error.message):
        hint = "Run the proof where the same packages and keys as on the server are, or name them by `tools`."
        return CouldNotTell(error.message, hint=hint, reason="environment")
    return error
