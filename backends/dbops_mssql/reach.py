"""How far a session reaches, and what can be there: SQL Server, a managed instance, one of Azure's databases.

In Azure SQL Database the server is a logical one: logins and its roles are rows of ``master``, whose sessions stay
there as those of every other database do. Sources: "T-SQL differences between SQL Server and Azure SQL Database",
"Azure SQL Database server roles for permission management", CREATE LOGIN, CREATE USER, ALTER USER, and "Make your
database portable by using contained databases" of the documentation.
"""

from __future__ import annotations

import msgspec

from dbops.model.server import Server, Version
from dbops_mssql.probe import DATABASE, MANAGED_INSTANCE

__all__ = ["MASTER", "Reach", "reach"]

MASTER = "master"


class Reach(msgspec.Struct, frozen=True, kw_only=True):
    """:param crosses: ``USE`` goes to other databases, and three-part names mean what is there.
    :param logins: those of the server can be seen and changed.
    :param contained: every database lets users of its own in, whatever its options; else those that are said to.
    :param entra: the first version that takes identities of Entra. :param windows: and those of Windows.
    :param hashed: a login is made with the hash of a password.
    :param server_rights: permissions on the server can be granted. :param agent: there are jobs.
    :param own_rights: permissions can be granted in the session's own database.
    :param languages: a user's default language can be altered."""

    crosses: bool = True
    logins: bool = True
    contained: bool = False
    entra: Version = (16,)
    windows: bool = True
    hashed: bool = True
    server_rights: bool = True
    own_rights: bool = True
    agent: bool = True
    languages: bool = True

    def home(self, server: Server) -> str:
        """The database of a session that changes several, or the only one that it can be in."""
        return MASTER if self.crosses else server.database


_AZURE = Reach(
    crosses=False,
    logins=False,
    contained=True,
    entra=(),
    windows=False,
    hashed=False,
    server_rights=False,
    agent=False,
    languages=False,
)
_BY_EDITION = {DATABASE: _AZURE, MANAGED_INSTANCE: Reach(entra=())}
_AZURE_MASTER = msgspec.structs.replace(_AZURE, logins=True, own_rights=False)


def reach(server: Server) -> Reach:
    """Total."""
    found = _BY_EDITION.get(server.edition, Reach())
    return _AZURE_MASTER if found is _AZURE and server.database.lower() == MASTER else found
