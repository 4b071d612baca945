"""The statements that make a database again as it was: encoding and locale, settings, owner, grants."""

from __future__ import annotations

import msgspec

from dbops_postgresql.backup.facts import Database, Tablespace
from dbops_postgresql.quoting import identifier, literal

__all__ = ["After", "after", "create_database", "create_tablespace"]

PROVIDERS_SINCE = 15
RULES_SINCE = 16
PROVIDERS = {"i": "icu", "b": "builtin", "c": "libc"}


class After(msgspec.Struct, frozen=True):
    """A statement for the restored database; it is left out when ``role`` is not there."""

    statement: str
    role: str = ""


def create_database(database: Database, name: str, major: int) -> str:
    """``name`` with the encoding and locale of ``database``, from the empty template.

    :param major: of the server where it is made.
    """
    parts = [
        f"CREATE DATABASE {identifier(name)} TEMPLATE template0",
        f"ENCODING {_text(database.encoding)}",
        f"LC_COLLATE {_text(database.collate)} LC_CTYPE {_text(database.ctype)}",
    ]
    if major >= PROVIDERS_SINCE:
        parts.append(f"LOCALE_PROVIDER {PROVIDERS.get(database.provider, 'libc')}")
        if database.provider == "i":
            parts.append(f"ICU_LOCALE {_text(database.locale)}")
        if database.provider == "b":
            parts.append(f"BUILTIN_LOCALE {_text(database.locale)}")
        if database.rules and major >= RULES_SINCE:
            parts.append(f"ICU_RULES {_text(database.rules)}")
    return " ".join(parts)


def after(database: Database, name: str) -> tuple[After, ...]:
    """What pg_restore leaves to ``--create``: settings, the connection limit, grants, and the owner last."""
    quoted = identifier(name)
    steps = [After(f"ALTER DATABASE {quoted} SET {_setting(one)}") for one in database.settings]
    if database.connection_limit >= 0:
        steps.append(After(f"ALTER DATABASE {quoted} CONNECTION LIMIT {database.connection_limit}"))
    if not database.default_grants:
        steps.append(After(f"REVOKE ALL ON DATABASE {quoted} FROM PUBLIC"))
        steps += [_grant(one, quoted) for one in database.grants]
    steps.append(After(f"ALTER DATABASE {quoted} OWNER TO {identifier(database.owner)}", database.owner))
    return tuple(steps)


def create_tablespace(tablespace: Tablespace) -> str:
    """At its old place, which must be an empty directory of the server's user."""
    return (
        f"CREATE TABLESPACE {identifier(tablespace.name)} OWNER {identifier(tablespace.owner)} "
        f"LOCATION {_text(tablespace.location)}"
    )


def _grant(one: str, quoted: str) -> After:
    privilege, grantable, grantee = one.split("|", 2)
    option = " WITH GRANT OPTION" if grantable == "t" else ""
    to = identifier(grantee) if grantee else "PUBLIC"
    return After(f"GRANT {privilege} ON DATABASE {quoted} TO {to}{option}", grantee)


# pg_dump writes these as lists of names: quoted as a whole they would mean one odd name.
LISTS = ("local_preload_libraries", "search_path", "session_preload_libraries", "temp_tablespaces")


def _setting(one: str) -> str:
    name, _, value = one.partition("=")
    parts = ".".join(identifier(part) for part in name.split("."))
    return f"{parts} TO {value}" if name in LISTS and value else f"{parts} TO {_text(value)}"


def _text(value: str) -> str:
    return literal(value).strip()
