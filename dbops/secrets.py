"""Secrets are named in the configuration and fetched only while something is carried out.

A reference has a scheme: ``env:NAME``, ``file:PATH`` (first line), ``cmd:PROGRAM ARGS`` (first line of its output),
``keyring:SERVICE/USER``, ``aws-secretsmanager:ID`` or ``aws-secretsmanager:ID#KEY``. ``literal:`` exists in memory
only, for a password that came in a URL: it is a number into this object's table, so that printing it shows nothing.
"""

from __future__ import annotations

import importlib
import json
import os
import secrets
import shlex
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dbops import process
from dbops.errors import ConfigError, DbopsError, DestinationExists, OutputError
from dbops.plan import REFERENCE_FORMS, SecretRef

__all__ = ["Secrets", "make_private_directory", "make_up", "write_private"]

MADE_UP_BYTES = 24


class Secrets:
    """Resolves references; keeps nothing but the literals it was given."""

    def __init__(self, env: Mapping[str, str] | None = None) -> None:
        self._env = os.environ if env is None else env
        self._literals: list[str] = []

    def literal(self, value: str) -> SecretRef:
        """Keep a password that is already in memory; the reference is worthless to any other process."""
        self._literals.append(value)
        return SecretRef(f"literal:{len(self._literals) - 1}")

    def resolve(self, ref: SecretRef) -> str:
        """The secret.

        :raises ConfigError: it cannot be had; the message names the reference, never a value.
        """
        scheme, _, rest = ref.ref.partition(":")
        match scheme:
            case "env":
                return self._from_env(rest)
            case "file":
                return _from_file(rest)
            case "cmd":
                return _from_command(rest)
            case "keyring":
                return _from_keyring(rest)
            case "aws-secretsmanager":
                return _from_aws(rest)
            case "literal" if rest.isdigit() and int(rest) < len(self._literals):
                return self._literals[int(rest)]
            case "literal":  # of another process
                raise ConfigError(
                    "a password given on the command line is not kept in a plan",
                    hint=f"Name it instead. {REFERENCE_FORMS}",
                )
            case _:
                raise ConfigError(f"unknown kind of secret {scheme!r}", hint=REFERENCE_FORMS)

    def _from_env(self, name: str) -> str:
        value = self._env.get(name)
        if not value:
            state = "empty" if name in self._env else "not set"
            raise ConfigError(f"the environment variable {name} is {state}", hint=f"Set {name} before running dbops.")
        return value


def _first_line(text: str, what: str) -> str:
    line = text.split("\n", 1)[0].rstrip("\r")
    if not line:
        raise ConfigError(f"{what} gave an empty secret", hint="Its first line is taken as the secret.")
    return line


def _from_file(path: str) -> str:
    try:
        text = Path(path).expanduser().read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise ConfigError(f"the secret file {path} cannot be read: {reason}") from None
    return _first_line(text, f"the file {path}")


def _from_command(command: str) -> str:
    try:
        argv = shlex.split(command)
    except ValueError as error:
        raise ConfigError(f"the secret command cannot be read: {error}", hint="It is split as a shell would.") from None
    if not argv:
        raise ConfigError("the secret command is empty", hint=REFERENCE_FORMS)
    try:
        done = process.run(argv, timeout=30)
    except DbopsError as error:
        raise ConfigError(f"the secret command {argv[0]!r} failed: {error.message}") from None
    if done.returncode != 0:
        raise ConfigError(f"the secret command {argv[0]!r} ended with exit code {done.returncode}")
    return _first_line(done.stdout, f"the command {argv[0]!r}")


def _from_keyring(name: str) -> str:
    try:
        keyring: Any = importlib.import_module("keyring")  # Any: an optional package, unknown to type checkers here
    except ImportError:
        raise ConfigError("the package 'keyring' is not installed", hint="pip install keyring") from None
    service, _, user = name.partition("/")
    value = keyring.get_password(service, user)
    if value is None:
        raise ConfigError(f"the keyring has no password for {service}/{user}")
    return str(value)


def _from_aws(name: str) -> str:
    boto3: Any = importlib.import_module("boto3")  # Any: its client's methods are made at run time
    from botocore.exceptions import BotoCoreError, ClientError

    secret_id, _, key = name.partition("#")
    try:
        answer = boto3.client("secretsmanager").get_secret_value(SecretId=secret_id)
    except (BotoCoreError, ClientError) as error:
        raise ConfigError(f"AWS Secrets Manager gave no secret {secret_id!r}: {type(error).__name__}") from None
    text = str(answer.get("SecretString", ""))
    if not text:
        raise ConfigError(f"the AWS secret {secret_id!r} holds no text")
    if not key:
        return text
    try:
        return str(json.loads(text)[key])
    except (ValueError, KeyError, TypeError):
        raise ConfigError(f"the AWS secret {secret_id!r} has no key {key!r}") from None


def make_up(path: Path, *, again: bool = False) -> None:
    """Write a secret that nobody chose into a new private file; nothing of it is given back.

    :param again: a private file of ours that is there already will do: an earlier run was stopped after writing it.
    :raises DestinationExists: the file is there.
    """
    if again and _is_ours(path):
        return
    write_private(
        path,
        secrets.token_urlsafe(MADE_UP_BYTES),
        hint="A run that failed may have left it, with a password that some accounts have by now: "
        f"--password file:{path} gives it to all. Or remove it, or name another file.",
    )


def make_private_directory(path: Path) -> None:
    """A directory for secrets, which nobody else may enter if it is not there yet.

    :raises OutputError: it cannot be made.
    """
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{path} cannot be made: {error.strerror}", hint="Choose another directory.") from None


def write_private(path: Path, secret: str, *, hint: str = "Remove it, or name another place.") -> None:
    """A secret in a new file that nobody else may read.

    :raises DestinationExists: the file is there; nothing is replaced.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(f"{secret}\n")
            file.flush()
            os.fsync(file.fileno())
    except FileExistsError:
        raise DestinationExists(f"{path} is there already", hint=hint) from None
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {error.strerror}") from None


def _is_ours(path: Path) -> bool:
    """A plain file that is nobody else's to read or write, with something in it."""
    try:
        found = path.lstat()
    except OSError:
        return False
    ours = not hasattr(os, "geteuid") or found.st_uid == os.geteuid()
    return stat.S_ISREG(found.st_mode) and ours and not found.st_mode & 0o077 and found.st_size > 0
