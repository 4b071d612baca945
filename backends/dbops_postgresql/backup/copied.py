"""The last steps of a physical restore for good: checked file by file, and given the configuration that it lacks."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec

from dbops import process
from dbops.errors import Damaged
from dbops.model.finding import Missing
from dbops.model.server import Endpoint
from dbops.plan import Value
from dbops.spi import Runtime
from dbops_postgresql import tools
from dbops_postgresql.backup.configuration import Configuration, Setting
from dbops_postgresql.backup.tablespaces import link

__all__ = ["check", "finish"]

# Paths and addresses of the machine that was backed up, what names its standbys, and the way into its archive: a copy
# that is started beside the original would write its own log over the original's.
ELSEWHERE = (
    "archive_cleanup_command", "archive_command", "archive_library", "archive_mode", "config_file", "data_directory",
    "external_pid_file", "hba_file", "ident_file", "listen_addresses", "log_directory", "primary_slot_name",
    "recovery_end_command", "restore_command", "ssl_ca_file", "ssl_cert_file", "ssl_crl_file", "ssl_key_file", "ssl",
    "stats_temp_directory", "synchronous_standby_names", "unix_socket_directories",
)  # fmt: skip
SIGNALS = ("recovery.signal", "standby.signal")
SAFE_HBA = "# The rules of the server that was backed up could not be read.\nlocal all all peer\n"
HEAD = (
    "# Written by dbops from the settings of the server that was backed up, without paths, addresses and archiving.\n"
)
ANEW = (
    "its postgresql.conf was written anew, without paths, addresses and archiving: set what it needs before it serves"
)
OWN = (
    "it keeps its own postgresql.conf: before it starts beside the original, look at archive_command and "
    "primary_conninfo there and in postgresql.auto.conf, or it may write into the original's archive"
)


def check(arguments: Mapping[str, object], _endpoint: Endpoint, runtime: Runtime) -> Mapping[str, Value]:
    """pg_verifybackup of the same major version; without it the repository's digests stand alone, and ``note`` says so.

    Arguments: ``data``, ``root``, ``tablespaces``, ``tools``, ``major``.
    :raises Damaged: a file is not what ``backup_manifest`` says.
    """
    data, root = Path(str(arguments["data"])), Path(str(arguments["root"]))
    link(data, {oid: root / f"t{oid}" for oid in str(arguments.get("tablespaces", "")).split()})
    found = tools.found(runtime.host, "pg_verifybackup", str(arguments.get("tools", "")))
    program = tools.choose("pg_verifybackup", found, (int(str(arguments["major"])),), same_major=True)
    if isinstance(program, Missing):
        return {"note": f"not checked against backup_manifest: {program.detail}"}
    done = process.run([program.path, "--quiet", data], env={"LC_ALL": "C"})
    if done.returncode != 0:
        raise Damaged(f"the copy is not what backup_manifest says: {(done.stderr or done.stdout).strip()}")
    return {"note": "every file is what its backup_manifest says"}


def finish(arguments: Mapping[str, object], _endpoint: Endpoint, _runtime: Runtime) -> Mapping[str, Value]:
    """Configuration files that lay outside of the data directory are written anew from what was recorded in ``file``;
    what a standby or an interrupted recovery left is taken out. Those that the copy has stay as they are."""
    data, file = Path(str(arguments["data"])), Path(str(arguments["file"]))
    for name in SIGNALS:
        (data / name).unlink(missing_ok=True)
    recorded = msgspec.json.decode(file.read_bytes(), type=Configuration) if file.exists() else None
    wanted = {"postgresql.conf": _settings(recorded), "pg_hba.conf": _hba(recorded), "pg_ident.conf": _ident(recorded)}
    written = [name for name, content in wanted.items() if _write(data / name, content)]
    return {"written": " ".join(written), "note": ANEW if "postgresql.conf" in written else OWN}


def _write(path: Path, content: str) -> bool:
    if path.exists():
        return False
    path.touch(mode=0o600)
    path.write_text(content, encoding="utf-8")
    return True


def _settings(recorded: Configuration | None) -> str:
    if recorded is None or isinstance(recorded.settings, Missing):
        return HEAD
    kept = [one for one in recorded.settings if one.source == "configuration file" and one.name not in ELSEWHERE]
    return HEAD + "".join(f"{one.name} = '{_value(one)}'\n" for one in kept)


def _value(one: Setting) -> str:
    # Units such as 8kB are the server's counting, not a word that a configuration file takes: the bare number is.
    return one.value.replace("\\", "\\\\").replace("'", "''")


def _hba(recorded: Configuration | None) -> str:
    text = recorded.files.get("pg_hba.conf") if recorded else None
    return text if isinstance(text, str) else SAFE_HBA


def _ident(recorded: Configuration | None) -> str:
    text = recorded.files.get("pg_ident.conf") if recorded else None
    return text if isinstance(text, str) else ""
