"""What MariaDB says otherwise when access changes."""

from __future__ import annotations

from dbops.errors import Unsupported, UsageError
from dbops.model.change import (
    AddMembership,
    Change,
    CreatePrincipal,
    DiscardPassword,
    RemoveMembership,
    SetInherited,
    SetPassword,
)
from dbops.plan import Need
from dbops_mysql.access.dialect import Dialect, mariadb
from dbops_mysql.access.sql import PUBLIC, MySQLStatements, Statement

__all__ = ["MariaDBStatements"]


class MariaDBStatements(MySQLStatements):
    """Roles are names without a host, an account begins with one of them, and REVOKE minds what is not there."""

    dialect: Dialect = mariadb
    # What its own IDENTIFIED BY uses, and every client can log in with.
    plugin = "mysql_native_password"
    plugins: tuple[str, ...] = ("mysql_native_password", "ed25519", "parsec")
    identified = "IDENTIFIED VIA {plugin} USING "
    roles_need_administrators = True
    definer_right = "SET USER"

    def principal(self, name: str) -> str:
        """An account, a role, or everybody."""
        return PUBLIC if name == PUBLIC else super().principal(name)

    def needs(self, change: Change) -> tuple[Need, ...]:
        """Not even a login with all privileges may pass on a role that it is no administrator of."""
        if isinstance(change, AddMembership | RemoveMembership):
            return (Need(kind="right", name=f"ADMIN OPTION of the role {change.group}"),)
        return ()

    def create(self, change: CreatePrincipal) -> tuple[Statement, ...]:
        """Whoever makes a role becomes its administrator, else nobody could pass it on."""
        if change.kind == "role":
            return ((f"CREATE ROLE IF NOT EXISTS {self.principal(change.name)}",),)
        return super().create(change)

    def retain(self, change: SetPassword, plugin: str) -> str:  # noqa: ARG002
        """:raises Unsupported: always."""
        raise Unsupported(f"MariaDB keeps no second password: the old one of {change.name} ends with the new one")

    def discard(self, change: DiscardPassword) -> tuple[Statement, ...]:
        """:raises Unsupported: always."""
        raise Unsupported(f"MariaDB keeps no second password: there is none of {change.name} to discard")

    def join(self, change: AddMembership) -> tuple[Statement, ...]:
        """The right to let others in can be taken by itself."""
        group, member = self.principal(change.group), self.principal(change.member)
        if change.less_admin:
            return ((f"REVOKE ADMIN OPTION FOR {group} FROM {member}",),)
        return ((f"GRANT {group} TO {member}{' WITH ADMIN OPTION' if change.admin else ''}",),)

    def begin_with(self, change: SetInherited) -> tuple[Statement, ...]:
        """The one default role.

        :raises UsageError: there are several.
        """
        if len(change.groups) > 1:
            raise UsageError(
                f"{change.member} cannot begin with {', '.join(change.groups)}: MariaDB has one default role"
            )
        role = self.principal(change.groups[0]) if change.groups else "NONE"
        return ((f"SET DEFAULT ROLE {role} FOR {self.principal(change.member)}",),)

    def revoked(self, what: str, who: str) -> str:
        """There is no IF EXISTS."""
        return f"REVOKE {what} FROM {who}"

    @property
    def revoking_again(self) -> bool:
        """Whether a REVOKE can be run again."""
        return False
