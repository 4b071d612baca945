"""What a users spec means otherwise on MariaDB."""

from __future__ import annotations

import msgspec

from dbops.errors import InputError
from dbops.model.users import SpecMember, SpecPrincipal, WantedPrincipal
from dbops_mysql.access.dialect import Dialect, mariadb
from dbops_mysql.access.words import PUBLIC, MySQLWords
from dbops_mysql.quoting import split_account

__all__ = ["MariaDBWords"]

PUBLIC_SINCE = (10, 11)
RESERVED = ("NONE", "CURRENT_USER", "CURRENT_ROLE")


class MariaDBWords(MySQLWords):
    """Roles are names without a host, everybody is ``PUBLIC``, and an account begins with one role."""

    dialect: Dialect = mariadb

    def is_public(self, one: SpecPrincipal) -> bool:
        """Everybody, since 10.11."""
        if one.name.upper() != PUBLIC:
            return False
        if self.server.version < PUBLIC_SINCE:
            raise InputError(f"{one.where}: MariaDB {self.server.version_text} grants nothing to everybody")
        if one.member_of or one.password or one.state != "present":
            raise InputError(f"{one.where}: PUBLIC has grants and nothing else")
        return True

    def role(self, one: SpecPrincipal) -> WantedPrincipal:
        """A role has no host."""
        if split_account(one.name) is not None:
            raise InputError(f"{one.where}: {one.name} is an account: a role of MariaDB has no host")
        if one.name.upper() in RESERVED:
            raise InputError(f"{one.where}: the name {one.name!r} is reserved by MariaDB", hint="Choose another name.")
        return msgspec.structs.replace(super().role(one), name=one.name, user="", host="")

    def role_name(self, member: SpecMember) -> str:
        """As it is."""
        if split_account(member.role) is not None:
            raise InputError(f"{member.where}: {member.role} is an account: a role of MariaDB has no host")
        return member.role

    def check_defaults(self, one: SpecPrincipal, members: tuple[SpecMember, ...]) -> None:
        """An account begins with one role at most; with several, the spec says with which.

        :raises InputError: it does not.
        """
        first = [member for member in members if member.inherit]
        if one.login and len(first) > 1:
            names = ", ".join(member.role for member in first)
            raise InputError(
                f"{first[1].where}: {one.name} cannot begin with all of {names}: MariaDB has one default role",
                hint="Say 'inherit: false' of the others, which then need SET ROLE, or make one role that is in all.",
            )
