"""What a restored dump is asked. Every answer is one of three, and a question that cannot be asked is never a pass."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import cast

import msgspec

from dbops import process
from dbops.errors import DbopsError
from dbops.model.backup import ProofCheck
from dbops.model.server import Endpoint
from dbops.plan import Value
from dbops.spi import Runtime
from dbops_mysql.backup import accounts as accounts_module
from dbops_mysql.backup.answers import answer, bad, few, good, unknown
from dbops_mysql.backup.client import ENVIRONMENT, arguments
from dbops_mysql.backup.facts import Database, count
from dbops_mysql.backup.link import ask, connected
from dbops_mysql.backup.restored import errors_of
from dbops_mysql.installation import Family
from dbops_mysql.quoting import identifier, literal
from dbops_mysql.statement import text

__all__ = ["accounts", "definers", "objects", "tables"]

Outputs = Mapping[str, Value]
# A grant may outlive what it is about, and one database alone has not what accounts may do in others.
OBJECT_GONE = frozenset({1146, 1305, 1049, 1144})
PLUGIN_MISSING = frozenset({1524, 1802, 4154})
CANNOT_CHECK = "doesn't support check"
COUNTED = ("tables", "views", "sequences", "routines", "triggers", "events")


def tables(given: Mapping[str, object], endpoint: Endpoint, runtime: Runtime) -> Outputs:
    """CHECK TABLE of every table of ``databases`` (JSON). ``extended``: every row and every index entry.

    A server that dies of it has answered.
    """
    how = "EXTENDED" if given.get("extended") else "MEDIUM"
    well, unchecked, wrong, table = 0, 0, list[str](), ""
    try:
        with connected(endpoint, runtime) as link:
            for database in msgspec.json.decode(str(given["databases"]), type=list[str]):
                for (name,) in ask(link, text("proof_dumped_tables").replace(":database", literal(database))):
                    table = f"{database}.{name}"
                    rows = ask(link, f"CHECK TABLE {identifier(database)}.{identifier(name)} {how}")
                    said = [str(row[3]) for row in rows if str(row[3]) not in ("OK", "Table is already up to date")]
                    unchecked += any(CANNOT_CHECK in words for words in said)
                    well += not said
                    if said and not any(CANNOT_CHECK in words for words in said):
                        wrong.append(f"{table}: {'; '.join(said)}")
    except DbopsError as error:
        if error.reason != "connect_failed":
            raise
        return answer(bad("tables", f"the server died while it looked at {table}: {error.message}"))
    if wrong:
        return answer(bad("tables", f"damage was found: {few(chr(10).join(wrong))}"))
    beside = f"; {unchecked} are of engines that cannot check" if unchecked else ""
    return answer(good("tables", f"CHECK TABLE {how} finds {well} tables well{beside}"))


def objects(given: Mapping[str, object], endpoint: Endpoint, runtime: Runtime) -> Outputs:
    """As many tables, views and stored programs as there were. Argument: ``expected`` (JSON of databases)."""
    expected = msgspec.json.decode(str(given["expected"]), type=list[Database])
    with runtime.reader(endpoint) as reader:
        found = {one.name: one for one in count(reader, "mysql")}
    wrong = [
        f"{one.name}: {getattr(one, kind)} {kind} were dumped, {getattr(found.get(one.name), kind, 0)} came back"
        for one in expected
        for kind in COUNTED
        if getattr(one, kind) != getattr(found.get(one.name), kind, 0)
    ]
    if wrong:
        return answer(bad("objects", few("\n".join(wrong))))
    sums = ", ".join(f"{sum(getattr(one, kind) for one in expected)} {kind}" for kind in COUNTED)
    return answer(good("objects", f"everything came back: {sums}"))


def accounts(given: Mapping[str, object], endpoint: Endpoint, runtime: Runtime) -> Outputs:
    """Load the accounts of ``file`` and compare what the server then says of them with it.

    Arguments also: ``client``, ``options``, ``family``.
    """
    family = cast(Family, given["family"])
    script = Path(str(given["file"])).read_bytes()
    recorded = accounts_module.statements_of(script.decode())
    if not recorded:
        return answer(
            unknown("accounts", "the accounts were not backed up: the login may not read them", "not_recorded")
        )
    with connected(endpoint, runtime) as link:
        before = accounts_module.read(link, family).accounts
    words = [*arguments(str(given["client"]), str(given["options"])), "--force"]
    done = process.run(words, env=ENVIRONMENT, stdin=script)
    errors = errors_of(done.stderr)
    with connected(endpoint, runtime) as link:
        found = set(accounts_module.read(link, family).statements)
    lost = [one for one in recorded if one not in found and not _about(one, before)]
    return answer(*_told(recorded, lost, errors))


def _told(recorded: tuple[str, ...], lost: list[str], errors: list[tuple[int, str]]) -> list[ProofCheck]:
    plugins = [words for number, words in errors if number in PLUGIN_MISSING]
    gone = [words for number, words in errors if number in OBJECT_GONE]
    others = [words for number, words in errors if number not in PLUGIN_MISSING | OBJECT_GONE]
    checks: list[ProofCheck] = []
    if others:
        checks.append(bad("accounts", f"accounts cannot be loaded: {few(chr(10).join(others))}"))
    if plugins:
        said = f"not every account can be made here: {few(chr(10).join(plugins))}"
        checks.append(unknown("accounts-plugins", said, "environment"))
    explained = len(gone) if not plugins else len(lost)
    if not others and len(lost) > explained:
        checks.append(
            bad("accounts", f"{len(lost) - explained} of these did not come back: {few(chr(10).join(_mild(lost)))}")
        )
    if not checks:
        beside = f"; {len(gone)} grants are about what is not in this backup" if gone else ""
        checks.append(good("accounts", f"{len(recorded) - len(gone)} statements about accounts came back{beside}"))
    return checks


def definers(given: Mapping[str, object], endpoint: Endpoint, runtime: Runtime) -> Outputs:
    """Whoever defined what ``databases`` (JSON) have stored is there. One that was no account in the original either
    is told and is no fault of the backup: whether it is, cannot be seen here."""
    missing: list[str] = []
    with connected(endpoint, runtime) as link:
        for database in msgspec.json.decode(str(given["databases"]), type=list[str]):
            asked = text("restore_definers").replace(":database", literal(database))
            missing += [f"{definer} ({number} in {database})" for definer, number in ask(link, asked)]
    said = f"; without an account, as in the original: {few(chr(10).join(missing))}" if missing else ""
    return answer(good("definers", f"definers were looked at{said}"))


def _about(statement: str, names: tuple[str, ...]) -> bool:
    """Whether it is about an account that the new server had of its own."""
    return any(f" {name}" in statement for name in names)


def _mild(statements: list[str]) -> list[str]:
    """Without what is stored for a password."""
    return [
        re.sub(r"(IDENTIFIED (?:WITH|BY|VIA)).*?(?= REQUIRE | WITH |\Z)", r"\1 …", one, flags=re.DOTALL)
        for one in statements
    ]
