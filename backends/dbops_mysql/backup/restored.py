"""The last steps of a restore of a dump: views that read what may not be there, and what a person should know now."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from dbops import process
from dbops.errors import ToolFailed
from dbops.model.server import Endpoint
from dbops.plan import Value
from dbops.spi import Runtime
from dbops_mysql.backup.answers import few
from dbops_mysql.backup.client import ENVIRONMENT, arguments
from dbops_mysql.backup.link import Link, ask, connected
from dbops_mysql.quoting import literal
from dbops_mysql.session import fault
from dbops_mysql.statement import text

__all__ = ["errors_of", "finish", "views"]

# Of a view: what it reads is not there, or it may not read it.
ELSEWHERE = frozenset({1049, 1142, 1146, 1356, 1305, 1449})
_ERROR = re.compile(r"^ERROR (\d+) \(\w+\) at line \d+: (.*)$", re.MULTILINE)


def views(given: Mapping[str, object], _endpoint: Endpoint, _runtime: Runtime) -> Mapping[str, Value]:
    """Make the views in ``file``, each that can be made; ``note`` names what the others lack.

    Arguments also: ``client``, ``options``, ``database``.
    :raises ToolFailed: something else went wrong.
    """
    words = arguments(str(given["client"]), str(given["options"]), str(given["database"]))
    done = process.run([*words, "--force"], env=ENVIRONMENT, stdin=Path(str(given["file"])).read_bytes())
    wrong = errors_of(done.stderr)
    if done.returncode != 0 and not wrong:
        done.check()
    others = [said for number, said in wrong if number not in ELSEWHERE]
    if others:
        raise ToolFailed(f"views cannot be made: {few(chr(10).join(others))}")
    missing = few("\n".join(said for _, said in wrong))
    said = f"{len(wrong)} views could not be made, since they read what is not here: {missing}"
    return {"note": said if wrong else ""}


def finish(given: Mapping[str, object], endpoint: Endpoint, runtime: Runtime) -> Mapping[str, Value]:
    """What a person should know: ``note``. Arguments: ``database``, ``original`` (what it was called)."""
    name, original = str(given["database"]), str(given["original"])
    with connected(endpoint, runtime) as link:
        said = [
            "accounts are not restored with a database: accounts.sql of this backup has them",
            *_definers(link, name),
            *_named(link, name, original),
        ]
        if ask(link, text("restore_server"))[0][2]:
            said.append("it was written through the binary log: replicas of this server have it too")
    return {"note": "; ".join(said)}


def errors_of(said: str) -> list[tuple[int, str]]:
    """The errors that a client program told with ``--force``: numbers and words."""
    return [(int(number), words) for number, words in _ERROR.findall(said)]


def _definers(link: Link, name: str) -> list[str]:
    import pymysql

    try:
        found = ask(link, text("restore_definers").replace(":database", literal(name)))
    except pymysql.Error as error:
        if fault(error) != "no_permission":
            raise
        return []
    who = ", ".join(f"{definer} ({number})" for definer, number in found)
    return [f"these definers have no account here, so what they defined cannot be used: {who}"] if who else []


def _named(link: Link, name: str, original: str) -> list[str]:
    if name == original:
        return []
    asked = text("restore_named").replace(":database", literal(name)).replace(":other", literal(f"{original}."))
    number = int(ask(link, asked)[0][0])
    return [f"{number} stored programs name the database {original} itself"] if number else []
