"""What the server says about itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.simulators.mssql.registry import function

if TYPE_CHECKING:
    from tests.simulators.mssql.session import Session

YEARS = {13: "2016", 14: "2017", 15: "2019", 16: "2022", 17: "2025"}


@function("@@VERSION", "nvarchar(300)")
def version(session: Session) -> str:
    instance = session.instance
    if instance.engine_edition == 5:
        return f"Microsoft SQL Azure (RTM) - {instance.version} \n\tOct  2 2025 00:00:00 \n\tCopyright (C) Microsoft\n"
    return (
        f"Microsoft SQL Server {YEARS[instance.major]} (RTM) - {instance.version} (X64) \n"
        "\tOct  2 2025 00:00:00 \n\tCopyright (C) Microsoft Corporation\n"
        f"\t{instance.edition} on Linux (simulator) <X64>"
    )


@function("@@SERVERNAME", "nvarchar(128)")
def server_name(session: Session) -> str:
    return session.instance.name


@function("@@SPID", "smallint")
def spid(session: Session) -> int:
    return session.spid


@function("@@TRANCOUNT", "int")
def transactions(session: Session) -> int:
    return session.transactions


@function("@@ROWCOUNT", "int")
def row_count(session: Session) -> int:
    return session.row_count


@function("@@LOCK_TIMEOUT", "int")
def lock_timeout(session: Session) -> object:
    return session.options["LOCK_TIMEOUT"]


@function("@@MICROSOFTVERSION", "int")
def microsoft_version(session: Session) -> int:
    major, minor, build = (int(one) for one in session.instance.version.split(".")[:3])
    return major << 24 | minor << 16 | build


@function("@@ERROR", "int")
def last_error(session: Session) -> int:
    return session.caught.number if session.caught else 0


@function("SERVERPROPERTY", "sql_variant", "nvarchar(128)")
def server_property(session: Session, name: str | None) -> object:
    """NULL for a property that it does not know, as the server answers too."""
    instance = session.instance
    host, _, named = instance.name.partition("\\")
    version = instance.version.split(".")
    known: dict[str, object] = {
        "buildclrversion": "v4.0.30319",
        "collation": instance.collation,
        "computernamephysicalnetbios": host,
        "edition": "SQL Azure" if instance.engine_edition == 5 else instance.edition,
        "editionid": -2117995310,
        "engineedition": instance.engine_edition,
        "errorlogfilename": "/var/opt/mssql/log/errorlog",
        "filestreamconfiguredlevel": 0,
        "filestreameffectivelevel": 0,
        "hadrmanagerstatus": 2,
        "instancedefaultbackuppath": "/var/opt/mssql/data/",
        "instancedefaultdatapath": "/var/opt/mssql/data/",
        "instancedefaultlogpath": "/var/opt/mssql/data/",
        "instancename": named or None,
        "isadvancedanalyticsinstalled": 0,
        "isclustered": 0,
        "isexternalauthenticationonly": 0,
        "isfulltextinstalled": 0,
        "ishadrenabled": 0,
        "isintegratedsecurityonly": 0 if instance.mixed_authentication else 1,
        "islocaldb": 0,
        "ispolybaseinstalled": 0,
        "issingleuser": 0,
        "isxtpsupported": 1,
        "lcid": 1033,
        "machinename": host,
        "pathseparator": "/",
        "processid": 42,
        "productbuild": version[2],
        "productbuildtype": None,
        "productlevel": "RTM",
        "productmajorversion": version[0],
        "productminorversion": version[1],
        "productupdatelevel": None,
        "productversion": instance.version,
        "resourceversion": instance.version,
        "servername": instance.name,
        "sqlcharset": 1,
        "sqlcharsetname": "iso_1",
        "sqlsortorder": 52,
    }
    given = {key.casefold(): value for key, value in instance.properties.items()}
    return (known | given).get((name or "").casefold())
