"""What a restored copy of a whole server is asked."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from dbops.errors import DbopsError, ReadFailed
from dbops.model.backup import ProofCheck
from dbops.model.server import Endpoint
from dbops.plan import Value
from dbops.spi import Runtime
from dbops_mysql.backup import objects
from dbops_mysql.backup.answers import answer, bad, few, good, unknown
from dbops_mysql.backup.link import ask, connected, understood
from dbops_mysql.quoting import account, identifier
from dbops_mysql.statement import text

__all__ = ["accounts", "check_tables", "positions", "there"]

Outputs = Mapping[str, Value]
# The server lacks something that the table needs: that says nothing about the table.
UNABLE = re.compile(
    r"Unknown storage engine|engine .* (is )?(not loaded|disabled)|upgrade required|dump/reload", re.IGNORECASE
)
CANNOT_CHECK = "doesn't support check"


class Looked(msgspec.Struct):
    """What became of the tables."""

    well: int = 0
    unchecked: int = 0
    wrong: list[str] = []
    unable: list[str] = []


def check_tables(arguments: Mapping[str, object], endpoint: Endpoint, runtime: Runtime) -> Outputs:
    """CHECK TABLE of every table, those of the server itself too. ``extended``: every row and every index entry.

    A server that dies of it has answered.
    """
    how = "EXTENDED" if arguments.get("extended") else "MEDIUM"
    looked, table = Looked(), ""
    try:
        with connected(endpoint, runtime) as link:
            for schema, name in ask(link, text("proof_tables")):
                table = f"{schema}.{name}"
                _note(looked, table, ask(link, f"CHECK TABLE {identifier(schema)}.{identifier(name)} {how}"))
    except DbopsError as error:
        if error.reason != "connect_failed":
            raise
        return answer(bad("tables", f"the server died while it looked at {table}: {error.message}"))
    return answer(*_told(looked, how))


# Any: the values of a row have the types that the driver gives them.
def _note(looked: Looked, table: str, said: list[tuple[Any, ...]]) -> None:
    messages = [(str(kind).lower(), str(words)) for _, _, kind, words in said]
    words = "; ".join(words for _, words in messages if words != "OK")
    if any(CANNOT_CHECK in words for _, words in messages):
        looked.unchecked += 1
    elif any(UNABLE.search(words) for _, words in messages):
        looked.unable.append(f"{table}: {words}")
    elif messages and messages[-1] in (("status", "OK"), ("status", "Table is already up to date")):
        looked.well += 1
    else:
        looked.wrong.append(f"{table}: {words or 'CHECK TABLE said nothing'}")


def _told(looked: Looked, how: str) -> Iterator[ProofCheck]:
    if looked.wrong:
        yield bad("tables", f"damage was found: {few(chr(10).join(looked.wrong))}")
    if looked.unable:
        why = f"{len(looked.unable)} tables cannot be looked at here: {few(chr(10).join(looked.unable))}"
        yield unknown("tables-engines", why, "environment")
    beside = f"; {looked.unchecked} are of engines that cannot check" if looked.unchecked else ""
    if looked.well and not looked.wrong:
        yield good("tables", f"CHECK TABLE {how} finds {looked.well} tables well{beside}")
    elif not looked.wrong:
        yield bad("tables", "the copy has no table that could be checked")


def accounts(_arguments: Mapping[str, object], endpoint: Endpoint, runtime: Runtime) -> Outputs:
    """Every account and role is there with its grants: each of them is asked for."""
    wrong: list[str] = []
    with connected(endpoint, runtime) as link:
        names = [(str(user), str(host)) for user, host in ask(link, text("copy_accounts"))]
        for user, host in names:
            # A role of MariaDB has no host.
            name = account(user, host) if host or endpoint.engine == "mysql" else identifier(user)
            try:
                with understood("the copy"):
                    ask(link, f"SHOW GRANTS FOR {name}")
            except DbopsError as error:
                wrong.append(f"{name}: {error.message}")
    if wrong:
        return answer(bad("accounts", f"grants cannot be read: {few(chr(10).join(wrong))}"))
    return answer(good("accounts", f"{len(names)} accounts and roles have their grants"))


def there(arguments: Mapping[str, object], endpoint: Endpoint, runtime: Runtime) -> Outputs:
    """Nothing is missing of what was there all the while that the copy was made. Arguments: ``expected`` (see
    :mod:`dbops_mysql.backup.objects`)."""
    expected = objects.decode(arguments.get("expected"))
    with runtime.reader(endpoint) as reader:
        found = objects.count(reader)
    missing = [
        f"{number - found.get(kind, {}).get(name, 0)} {kind} of {name or 'the server'}"
        for kind, names in expected.items()
        for name, number in names.items()
        if found.get(kind, {}).get(name, 0) < number
    ]
    if missing:
        return answer(bad("objects", f"not in the copy: {few(chr(10).join(missing))}"))
    compared = f"; the original had {objects.said(expected)}" if expected else ", with nothing to compare them with"
    return answer(good("objects", f"{objects.said(found)} are there{compared}"))


def positions(_arguments: Mapping[str, object], endpoint: Endpoint, runtime: Runtime) -> Outputs:
    """Where the original's binary log stood at the moment of the copy: a clone alone knows it, once it was opened. It
    says nothing about the copy itself, so that a server without the plugin is no lack of the proof."""
    try:
        with connected(endpoint, runtime) as link:
            found = ask(link, text("proof_clone"))
    except ReadFailed:
        found = []
    if not found:
        return answer()
    file, offset, gtids = (str(value or "") for value in found[0])
    at = f"{file}:{offset}" + (f", {' '.join(gtids.split())}" if gtids else "")
    return answer(good("position", f"the state is that of {at}" if file else "the original wrote no binary log"))
