"""One change of access as MySQL's SQL. Each statement commits by itself and can be run again.

Names stand in backticks and texts without backslashes, so that a statement means the same whatever ``sql_mode`` is.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import singledispatch

from dbops.access.reverse import reverse
from dbops.errors import UsageError
from dbops.model.access import Rules
from dbops.model.change import (
    AddGrant,
    AddMembership,
    AlterPrincipal,
    Change,
    CreatePrincipal,
    DiscardPassword,
    DropPrincipal,
    ObjectName,
    RemoveGrant,
    RemoveMembership,
    SetInherited,
    SetPassword,
)
from dbops.model.server import Server, Version
from dbops.plan import Fragment, Need, Seal, SecretRef
from dbops_mysql.access.dialect import Dialect, mysql, plain_rules
from dbops_mysql.access.kinds import GRANT
from dbops_mysql.passwords import UNUSABLE
from dbops_mysql.quoting import account, identifier, literal, pattern, split_account

__all__ = ["MySQLStatements", "Statement", "statements"]

Statement = tuple[Fragment, ...]
PUBLIC = "PUBLIC"
NO_PASSWORD = "none"  # noqa: S105 - how a snapshot calls it
IF_EXISTS_SINCE: Version = (8, 0, 30)
TWO_PASSWORDS_SINCE: Version = (8, 0, 14)
_ROUTINES = {"package_body": "PACKAGE BODY"}


@singledispatch
def statements(change: Change, to: MySQLStatements) -> tuple[Statement, ...]:
    """In their order; each complete and without a final semicolon."""
    raise TypeError(f"{to.dialect.label} has no {type(change).__name__}")


class MySQLStatements:
    """What a statement says, one method for each change; another engine overrides what it says otherwise."""

    dialect: Dialect = mysql
    # An account without a password gets one that nobody has, for an empty one would let everybody in.
    plugin = "caching_sha2_password"
    plugins: tuple[str, ...] = ("caching_sha2_password", "mysql_native_password")
    identified = "IDENTIFIED WITH {plugin} AS "
    roles_need_administrators = False
    definer_right = "SET_ANY_DEFINER, before 8.2 SET_USER_ID"

    def __init__(self, server: Server) -> None:
        self.server = server
        self.rules: Rules = plain_rules(self.dialect, server.version)
        self._literal_wildcards = server.settings.get("partial_revokes", "OFF") == "ON"
        self._rounds = server.settings.get("caching_sha2_password_digest_rounds", "")

    # -- names ------------------------------------------------------------------------------------------------------

    def principal(self, name: str) -> str:
        """An account or a role."""
        both = split_account(name)
        return account(*both) if both else identifier(name)

    def object(self, name: ObjectName) -> str:
        """What stands behind ``ON``."""
        kind, path = name.kind, name.path
        if kind == "server":
            return "*.*"
        if kind == "pattern":
            return f"{identifier(path[0])}.*"
        if kind == "database":
            return f"{pattern(path[0], literal_wildcards=self._literal_wildcards)}.*"
        known = self.rules.kinds[kind]
        words = f"{_ROUTINES.get(kind, kind.upper())} " if known.family == "routine" else ""
        return f"{words}{'.'.join(identifier(part) for part in path[:2])}"

    def needs(self, change: Change) -> tuple[Need, ...]:  # noqa: ARG002
        """Rights that a login may lack although it can do everything else here."""
        return ()

    # -- accounts ---------------------------------------------------------------------------------------------------

    def create(self, change: CreatePrincipal) -> tuple[Statement, ...]:
        """All of an account at once: at no time it has less conditions than it shall have."""
        name = self.principal(change.name)
        if change.kind == "role":
            return ((f"CREATE ROLE IF NOT EXISTS {name}",),)
        words = self._conditions(change.attributes, change.connection_limit)
        if self.rules.login not in change.attributes:
            words.append("ACCOUNT LOCK")
        by: tuple[Fragment, ...] = (literal(UNUSABLE[self.plugin]),)
        if change.password is not None:
            by = (self._seal(change.name, change.password, self.plugin),)
        head = f"CREATE USER IF NOT EXISTS {name} {self.identified.format(plugin=self.plugin)}"
        return ((head, *by, "".join(f" {word}" for word in words)),)

    def _conditions(self, attributes: Iterable[str], limit: int | None) -> list[str]:
        words = [word for word in attributes if word.startswith("REQUIRE ")]
        return [*words, *([f"WITH MAX_USER_CONNECTIONS {limit}"] if limit else [])]

    def alter(self, change: AlterPrincipal) -> tuple[Statement, ...]:
        """Conditions, limit and lock."""
        words = [word for word in change.gains if word.startswith("REQUIRE ")]
        if not words and any(word.startswith("REQUIRE ") for word in change.loses):
            words = ["REQUIRE NONE"]
        if change.set_limit:
            words.append(f"WITH MAX_USER_CONNECTIONS {change.connection_limit or 0}")
        if self.rules.login in change.gains:
            words.append("ACCOUNT UNLOCK")
        if self.rules.login in change.loses:
            words.append("ACCOUNT LOCK")
        return ((f"ALTER USER {self.principal(change.name)} {' '.join(words)}",),)

    def drop(self, change: DropPrincipal) -> tuple[Statement, ...]:
        """With its rights."""
        what = "ROLE" if change.kind == "role" else "USER"
        return ((f"DROP {what} IF EXISTS {self.principal(change.name)}",),)

    # -- passwords --------------------------------------------------------------------------------------------------

    def password(self, change: SetPassword) -> tuple[Statement, ...]:
        """Stored as the present one is, so that whoever logs in with it still can.

        :raises UsageError: it does not log in by a password, or the old one cannot be kept.
        """
        plugin = self._plugin(change)
        head = f"ALTER USER {self.principal(change.name)} {self.identified.format(plugin=plugin)}"
        kept = self.retain(change, plugin) if change.keep_old else ""
        return ((head, self._seal(change.name, change.password, plugin), kept),)

    def _plugin(self, change: SetPassword) -> str:
        stored = change.stored if change.stored not in ("", NO_PASSWORD) else self.plugin
        if stored == "sha256_password":  # of the same clients, and deprecated
            return self.plugin
        if stored not in self.plugins:
            raise UsageError(
                f"{change.name} logs in by {stored}: its password is not to be set here",
                hint="Change how it logs in first, with ALTER USER.",
            )
        return stored

    def retain(self, change: SetPassword, plugin: str) -> str:
        """The words that keep the old password.

        :raises UsageError: there is none to keep, or the server keeps none.
        """
        if self.server.version < TWO_PASSWORDS_SINCE:
            raise UsageError(f"{self.dialect.label} {self.server.version_text} keeps no second password")
        if change.stored not in ("", plugin):
            raise UsageError(
                f"the old password of {change.name} cannot be kept: it is stored as {change.stored}",
                hint=f"The new one is stored by {plugin}, and both must be the same.",
            )
        return " RETAIN CURRENT PASSWORD"

    def discard(self, change: DiscardPassword) -> tuple[Statement, ...]:
        """An end to the second password."""
        return ((f"ALTER USER {self.principal(change.name)} DISCARD OLD PASSWORD",),)

    def _seal(self, name: str, secret: SecretRef, plugin: str) -> Seal:
        rounds = f":{self._rounds}" if plugin == "caching_sha2_password" and self._rounds else ""
        return Seal(seal=f"{plugin}{rounds}", secret=secret, name=name)

    # -- roles ------------------------------------------------------------------------------------------------------

    def join(self, change: AddMembership) -> tuple[Statement, ...]:
        """MySQL takes the right to let others in only together with the role."""
        group, member = self.principal(change.group), self.principal(change.member)
        given = f"GRANT {group} TO {member}{' WITH ADMIN OPTION' if change.admin else ''}"
        if change.less_admin:
            return ((self.revoked(group, member),), (given,))
        return ((given,),)

    def leave(self, change: RemoveMembership) -> tuple[Statement, ...]:
        """Out of a role."""
        return ((self.revoked(self.principal(change.group), self.principal(change.member)),),)

    def begin_with(self, change: SetInherited) -> tuple[Statement, ...]:
        """The default roles."""
        roles = ", ".join(self.principal(group) for group in change.groups) or "NONE"
        return ((f"SET DEFAULT ROLE {roles} TO {self.principal(change.member)}",),)

    def revoked(self, what: str, who: str) -> str:
        """A REVOKE that does not mind when there is nothing to take."""
        if self.server.version >= IF_EXISTS_SINCE:
            return f"REVOKE IF EXISTS {what} FROM {who} IGNORE UNKNOWN USER"
        return f"REVOKE {what} FROM {who}"

    @property
    def revoking_again(self) -> bool:
        """Whether a REVOKE can be run again."""
        return self.server.version >= IF_EXISTS_SINCE

    # -- rights -----------------------------------------------------------------------------------------------------

    def grant(self, change: AddGrant) -> tuple[Statement, ...]:
        """The option of a level goes with what is granted there; GRANT OPTION alone would give it to all that is
        registered while the server runs, too (seen on 9.7)."""
        if change.object.kind == "account":
            return (self._proxy(change, f"TO {self.principal(change.principal)}"),)
        plain, own = self._parted(change.object, change.actions)
        found: list[Statement] = []
        if plain:
            option = GRANT in plain or change.grantable
            found.append(self._granting(change, [word for word in plain if word != GRANT] or ["USAGE"], option))
        if own:
            found.append(self._granting(change, own, change.grantable))
        return tuple(found)

    def _granting(self, change: AddGrant, actions: Sequence[str], option: bool) -> Statement:
        words = f"GRANT {self._what(change.object, actions)} TO {self.principal(change.principal)}"
        return (f"{words} WITH GRANT OPTION" if option else words,)

    def _parted(self, name: ObjectName, actions: Sequence[str]) -> tuple[list[str], list[str]]:
        """What has an option for all of its level, and what has one of its own."""
        own = self.rules.kinds[name.kind].own_options
        known = self.rules.kinds[name.kind].actions
        mine = [word for word in actions if word in own or word not in known]
        return [word for word in actions if word not in mine], mine

    def revoke(self, change: RemoveGrant) -> tuple[Statement, ...]:
        """The option of a single action goes only together with it."""
        who = self.principal(change.principal)
        if change.object.kind == "account":
            return (self._proxy(change, f"FROM {who}"),)
        plain, own = self._parted(change.object, change.actions)
        if change.option_only:
            plain = [GRANT] if plain else []
        found: list[Statement] = [
            (self.revoked(self._what(change.object, part), who),) for part in (plain, own) if part
        ]
        if change.option_only and own:
            found.append((f"GRANT {self._what(change.object, own)} TO {who}",))
        return tuple(found)

    def _proxy(self, change: AddGrant | RemoveGrant, whom: str) -> Statement:
        what = f"PROXY ON {self.principal(change.object.path[0])}"
        if isinstance(change, RemoveGrant):
            return (f"REVOKE {what} {whom}",)
        return (f"GRANT {what} {whom}{' WITH GRANT OPTION' if change.grantable else ''}",)

    def _what(self, name: ObjectName, actions: Sequence[str]) -> str:
        column = f" ({identifier(name.path[-1])})" if name.kind == "column" else ""
        return f"{', '.join(action + column for action in actions)} ON {self.object(name)}"

    # -- text -------------------------------------------------------------------------------------------------------

    def text(self, change: Change) -> str:
        """All statements of a change as a person reads them."""
        found = ["".join(_shown(part) for part in one) for one in statements(change, self)]
        return ";\n".join(found)

    def undo(self, change: Change) -> str:
        """The statements that take a change back, empty when there are none."""
        back = reverse(change)
        return "" if back is None else self.text(back)


def _shown(part: Fragment) -> str:
    return part if isinstance(part, str) else "'***'"


@statements.register
def _(change: CreatePrincipal, to: MySQLStatements) -> tuple[Statement, ...]:
    return to.create(change)


@statements.register
def _(change: AlterPrincipal, to: MySQLStatements) -> tuple[Statement, ...]:
    return to.alter(change)


@statements.register
def _(change: DropPrincipal, to: MySQLStatements) -> tuple[Statement, ...]:
    return to.drop(change)


@statements.register
def _(change: SetPassword, to: MySQLStatements) -> tuple[Statement, ...]:
    return to.password(change)


@statements.register
def _(change: DiscardPassword, to: MySQLStatements) -> tuple[Statement, ...]:
    return to.discard(change)


@statements.register
def _(change: AddMembership, to: MySQLStatements) -> tuple[Statement, ...]:
    return to.join(change)


@statements.register
def _(change: RemoveMembership, to: MySQLStatements) -> tuple[Statement, ...]:
    return to.leave(change)


@statements.register
def _(change: SetInherited, to: MySQLStatements) -> tuple[Statement, ...]:
    return to.begin_with(change)


@statements.register
def _(change: AddGrant, to: MySQLStatements) -> tuple[Statement, ...]:
    return to.grant(change)


@statements.register
def _(change: RemoveGrant, to: MySQLStatements) -> tuple[Statement, ...]:
    return to.revoke(change)
