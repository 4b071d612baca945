"""What MySQL and MariaDB call things, as far as no server need be asked for it."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Literal

import msgspec

from dbops.model.access import Rules
from dbops.model.server import Version
from dbops_mysql.access.kinds import Levels, kinds
from dbops_mysql.access.levels import DYNAMIC, MYSQL, mariadb_levels

__all__ = ["DECIDED", "Dialect", "mariadb", "mysql", "plain_rules"]

DECIDED = ("LOGIN", "REQUIRE SSL", "REQUIRE X509")
"""The attributes that a spec decides; the others are facts about an account."""


class Dialect(msgspec.Struct, frozen=True, kw_only=True):
    """One engine.

    :param user_length: how many letters a user's name may have. :param own: accounts that come with the server.
    :param order: which of two patterns is more specific, as :class:`~dbops.model.access.Matching` has it.
    """

    label: str
    levels: Callable[[Version], Levels]
    routines: tuple[str, ...]
    user_length: int
    own: tuple[str, ...]
    order: Literal["prefix", "fewest"]
    dynamic: tuple[str, ...] = ()


def _mysql_levels(version: Version) -> Levels:  # noqa: ARG001 - the same in every version
    return MYSQL


mysql = Dialect(
    label="MySQL",
    levels=_mysql_levels,
    routines=("library",),
    user_length=32,
    own=("mysql.sys", "mysql.session", "mysql.infoschema"),
    order="prefix",
    dynamic=DYNAMIC,
)
mariadb = Dialect(
    label="MariaDB",
    levels=mariadb_levels,
    routines=("package", "package_body"),
    user_length=128,
    own=("mariadb.sys",),
    order="fewest",
)


@cache
def plain_rules(dialect: Dialect, version: Version) -> Rules:
    """The words of a version, without what only its settings say. A snapshot has all of its server's own."""
    return Rules(
        kinds=kinds(dialect.levels(version), dialect.dynamic, dialect.routines),
        login="LOGIN",
        quotes=("`", "`"),
        inherit_list=True,
        any_host="%",
        decided=DECIDED,
        drop_takes_rights=True,
    )
