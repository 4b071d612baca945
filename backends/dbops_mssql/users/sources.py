"""Who vouches for somebody: a login of the server, the database itself, Windows, Entra, or nobody.

By his name where that says it (``CORP\\ann`` is of Windows, ``eve@corp.example`` of Entra), else by attributes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from dbops.errors import InputError
from dbops.model.change import Setting
from dbops.model.server import Server
from dbops.model.users import Requirement, SpecPrincipal
from dbops_mssql.quoting import NAME_CHARACTERS, identifier, valid_name
from dbops_mssql.reach import Reach
from dbops_mssql.users.languages import language

__all__ = [
    "CONTAINED",
    "LOGINLESS",
    "check",
    "lacking",
    "login_words",
    "of_databases",
    "requirements",
    "settings",
    "sid",
]
__all__ += ["NO_CONNECT", "user_words", "words"]

SERVER, ORPHANED, LOGINLESS, CONTAINED, ENTRA = "SERVER", "ORPHANED", "WITHOUT LOGIN", "CONTAINED", "ENTRA"
NO_CONNECT, NO_ENTRA = "NO CONNECT", "NO ENTRA"
ATTRIBUTES = (SERVER, LOGINLESS, CONTAINED, ENTRA, NO_ENTRA, ORPHANED, NO_CONNECT)
_SID = re.compile(r"0x[0-9a-fA-F]{32}\Z")
_CONTAINED_SID = re.compile(r"0x010500000000000903000000[0-9a-fA-F]{32}\Z")
SCHEMA, LANGUAGE = "default_schema", "default_language"
PASSWORD_HINT = "password: env:NAME, or password: {generate: file:/run/dbops/name}"  # noqa: S105 - how to say one
CONTAINMENT = (
    "ALTER DATABASE {} SET CONTAINMENT = PARTIAL makes it one. Before that, or the server answers with error 12824: "
    "EXEC sp_configure 'contained database authentication', 1; RECONFIGURE."
)
AUTHENTICATION = "EXEC sp_configure 'contained database authentication', 1; RECONFIGURE. It needs ALTER SETTINGS."


def words(one: SpecPrincipal) -> tuple[str, ...]:
    """Its attributes, as the server writes them."""
    return tuple(" ".join(word.upper().replace("_", " ").split()) for word in one.attributes)


def of_databases(one: SpecPrincipal) -> bool:
    """A user that no login is behind: one of each managed database, as a role is."""
    return one.login and bool({CONTAINED, LOGINLESS}.intersection(words(one)))


def check(one: SpecPrincipal, database: str) -> None:
    """What is said of it can be said of one like it.

    :raises InputError: with ``file:line``.
    """
    said = words(one)
    for word in said:
        if word not in ATTRIBUTES:
            known = ", ".join(known.lower() for known in ATTRIBUTES)
            raise InputError(f"{one.where}: unknown attribute {word.lower()!r}", hint=f"There is: {known}.")
    if SERVER in said and one.login:
        raise InputError(f"{one.where}: 'server' is said of a role: a login is always the server's")
    if not one.login:
        _check_role(one)
        return
    _check_together(one)
    if LOGINLESS in said and (one.password is not None or one.sid):
        word = "sid" if one.password is None else "password"
        raise InputError(f"{one.where}: {word!r} has no meaning for a user without a login: nobody logs in as it")
    if CONTAINED in said and one.hashed:
        raise InputError(f"{one.where}: a contained user is made with its password, and not with what is stored of one")
    if one.state == "locked" and of_databases(one):
        raise InputError(
            f"{one.where}: {one.name} is a user of databases alone, and those cannot be locked",
            hint="attributes: [no_connect] keeps one out, state: absent lets it go.",
        )
    if database and not of_databases(one) and (one.password is not None or one.sid or one.state == "locked"):
        raise InputError(
            f"{one.where}: {one.name} is a user of a database: its login has the password and the SID, and is locked",
            hint="attributes: [contained] makes it one with a password of its own.",
        )


def _check_together(one: SpecPrincipal) -> None:
    said = set(words(one))
    if said >= {ENTRA, NO_ENTRA}:
        raise InputError(f"{one.where}: 'entra' and 'no entra' contradict each other")
    if LOGINLESS in said and {CONTAINED, ENTRA} & said:
        raise InputError(f"{one.where}: nobody logs in as {one.name}, who is 'without login': say no more of it")


def _check_role(one: SpecPrincipal) -> None:
    others = [word.lower() for word in words(one) if word != SERVER]
    said = {
        "password": one.password is not None,
        "sid": bool(one.sid),
        "state: locked": one.state == "locked",
        "settings": bool(one.settings),
        **dict.fromkeys(others, True),
    }
    for word, there in said.items():
        if there:
            raise InputError(f"{one.where}: {word!r} has no meaning for a role: nobody logs in as it")


def login_words(one: SpecPrincipal, name: str, reach: Reach, server: Server) -> tuple[str, ...]:
    """Of which kind a login is.

    :raises InputError: the server knows no such logins, or they have no password here.
    """
    if one.hashed and not reach.hashed:
        raise InputError(f"{one.where}: in {server.edition} a login takes a password, and not what is stored of one")
    found = _outside(one, name, reach, server) or "SQL"
    return (found, NO_ENTRA) if NO_ENTRA in words(one) and "@" in name else (found,)


def user_words(one: SpecPrincipal, name: str, reach: Reach, server: Server) -> tuple[str, ...]:
    """The attributes of a user in a database, as a snapshot has them."""
    said = words(one)
    outside = _outside(one, name, reach, server)
    kept = [ORPHANED] if ORPHANED in said else []
    kept += [NO_ENTRA] if NO_ENTRA in said and "@" in name else []
    if LOGINLESS in said:
        return (LOGINLESS, *kept)
    entra = [ENTRA] if outside == ENTRA else []
    if CONTAINED in said:
        return (*entra, *kept, CONTAINED, "LOGIN")
    # Where logins are not seen, whoever could have one counts as somebody who logs in.
    return (*entra, *kept, *(() if reach.logins else ("LOGIN",)))


def _is_of_entra(one: SpecPrincipal, name: str) -> bool:
    """An ``@`` says so, unless it is said that it does not: a login with a password can be called like that as well."""
    return ENTRA in words(one) or ("@" in name and NO_ENTRA not in words(one))


def _outside(one: SpecPrincipal, name: str, reach: Reach, server: Server) -> str:
    """``WINDOWS`` or ``ENTRA``; empty for who has a password here, or none at all."""
    found = "WINDOWS" if "\\" in name else ENTRA if _is_of_entra(one, name) else ""
    if found and (one.password is not None or one.sid):
        word = "SID" if one.password is None else "password"
        raise InputError(f"{one.where}: {name!r} has no {word} here: Windows and Entra keep those of theirs")
    if found == "WINDOWS" and not reach.windows:
        raise InputError(f"{one.where}: {name!r} is of Windows, which {server.edition} knows nothing of")
    if found == ENTRA and LOGINLESS not in words(one) and server.version < reach.entra:
        raise InputError(f"{one.where}: logins of Entra need SQL Server 2022, and so do its users")
    return found


def lacking(one: SpecPrincipal, name: str, reach: Reach) -> str:
    """Why somebody cannot be made; not asked of the users of a login."""
    if one.password is not None or "\\" in name or LOGINLESS in words(one) or _is_of_entra(one, name):
        return ""
    if CONTAINED in words(one):
        return f"a contained user is made with a password. Say {PASSWORD_HINT}"
    return "" if reach.hashed else f"a login is made with a password here. Say {PASSWORD_HINT}"


def requirements(one: SpecPrincipal, name: str, database: str) -> Iterator[Requirement]:
    """What a contained user takes: a contained database, and for passwords and Windows a server that lets him in."""
    if CONTAINED not in words(one) or one.state == "absent":
        return
    yield Requirement(
        kind="database",
        path=(database,),
        flag="contained",
        otherwise=f"{one.name} shall be a contained user, and the database {database} is not contained (error 33233)",
        hint=CONTAINMENT.format(identifier(database)),
        where=one.where,
    )
    if not _is_of_entra(one, name):
        yield Requirement(
            kind="server",
            path=(),
            flag="contained",
            otherwise=f"{one.name} shall be a contained user, and the server lets none in: "
            "'contained database authentication' is 0",
            hint=AUTHENTICATION,
            where=one.where,
        )


def sid(one: SpecPrincipal) -> str:
    """As the server shows it: CREATE LOGIN and CREATE USER of the documentation, under SID.

    :raises InputError: with ``file:line``: none that this one can have.
    """
    contained = CONTAINED in words(one)
    if one.sid and not (_CONTAINED_SID if contained else _SID).match(one.sid):
        sort, digits = ("a contained user", "010500000000000903000000 and 32") if contained else ("a login", "32")
        raise InputError(
            f"{one.where}: {one.sid!r} is not the SID of {sort}",
            hint=f"Write 0x and {digits} hexadecimal digits, in quotes, as the catalog shows it.",
        )
    return f"0x{one.sid[2:].upper()}" if one.sid else ""


def settings(one: SpecPrincipal, reach: Reach, server: Server) -> tuple[Setting, ...]:
    """What is set of each of his users.

    :raises InputError: with ``file:line``: no such setting, or one that he cannot have.
    """
    for each in one.settings:
        if each.name not in (SCHEMA, LANGUAGE):
            raise InputError(f"{one.where}: unknown setting {each.name!r}", hint=f"There is: {SCHEMA}, {LANGUAGE}.")
        if each.name == LANGUAGE and CONTAINED not in words(one):
            raise InputError(f"{one.where}: {each.name!r} is a setting of contained users alone")
        if each.name == LANGUAGE and not reach.languages:
            raise InputError(f"{one.where}: {each.name!r} cannot be altered in {server.edition}")
        if each.name == SCHEMA and not valid_name(each.value):
            raise InputError(f"{one.where}: {each.name}: a name has 1 to {NAME_CHARACTERS} characters")
    return tuple(
        Setting(each.name, language(each.value, one.where)) if each.name == LANGUAGE else each for each in one.settings
    )
