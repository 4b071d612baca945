"""The client program that loads a dump: led to the server by a private file, and told to take everything literally."""

from __future__ import annotations

from collections.abc import Sequence

from dbops.model.server import Endpoint
from dbops.plan import Argument, Ref, ToCommand, Value
from dbops.spi import Runtime
from dbops_mysql.installation import Family
from dbops_mysql.login import option_file

__all__ = ["ENVIRONMENT", "arguments", "loading", "outputs"]

# What was dumped comes back as it was: no line end is changed, no comment in a stored program is dropped, no word at
# the beginning of a line is taken for a command, and a connection that was lost ends it.
LITERAL = (
    "--binary-mode",
    "--comments",
    "--skip-reconnect",
    "--max-allowed-packet=1G",
    "--default-character-set=utf8mb4",
    "--local-infile=0",
)
# The operator's own login paths would win over what we say.
ENVIRONMENT = {"LC_ALL": "C", "MYSQL_TEST_LOGIN_FILE": "/nonexistent"}


def outputs(endpoint: Endpoint, runtime: Runtime, family: Family, client: str) -> dict[str, Value]:
    """What later steps need to load into this server: ``client``, and ``options``, its first argument."""
    return {"client": client, "options": f"--defaults-file={option_file(endpoint, runtime, family)}"}


def arguments(client: str, options: str, database: str = "") -> list[str]:
    """The words of a program that is run here and now."""
    return [client, options, *LITERAL, *([f"--database={database}"] if database else [])]


def loading(holder: str, database: str) -> ToCommand:
    """Into ``database`` of the server that the Hold ``holder`` gives. The first error ends it."""
    words: Sequence[Argument] = (Ref(holder, "client"), Ref(holder, "options"), *LITERAL, f"--database={database}")
    return ToCommand(argv=tuple(words), env=dict(ENVIRONMENT))
