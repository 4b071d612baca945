"""A users spec in the words of MySQL; what has no meaning here is refused with its line."""

from __future__ import annotations

from dbops.access.accounts import account_name
from dbops.errors import InputError
from dbops.model.access import Rules
from dbops.model.server import Server
from dbops.model.users import Desired, SpecMember, SpecPrincipal, Wanted, WantedGrant, WantedPrincipal
from dbops_mysql.access.dialect import Dialect, mysql, plain_rules
from dbops_mysql.access.grant_words import ANY_HOST, ELSEWHERE, GrantWords
from dbops_mysql.quoting import split_account

__all__ = ["HOST_LENGTH", "PUBLIC", "MySQLWords"]

PUBLIC = "PUBLIC"
HOST_LENGTH = 255
_CONDITIONS = ("REQUIRE SSL", "REQUIRE X509")


class MySQLWords:
    """One reading of a spec; another engine overrides what it means otherwise."""

    dialect: Dialect = mysql

    def __init__(self, desired: Desired, server: Server) -> None:
        self.desired = desired
        self.server = server
        self.rules: Rules = plain_rules(self.dialect, server.version)
        self._grants = GrantWords(self.dialect.label, self.rules, desired.databases, fold=folds(server))

    def wanted(self) -> Wanted:
        """:raises InputError: with ``file:line``."""
        principals: dict[str, WantedPrincipal] = {}
        grants: list[WantedGrant] = []
        for one in self.desired.principals:
            for account in self.accounts(one):
                twin = principals.setdefault(account.name, account)
                if twin is not account:
                    raise InputError(f"{account.where}: {account.name} is also said in {twin.where}")
            for name in [PUBLIC] if self.is_public(one) else [account.name for account in self.accounts(one)]:
                grants += self._grants.wanted(one, name)
        return Wanted(
            managed=self.desired.managed,
            databases=self._grants.databases,
            principals=tuple(principals.values()),
            grants=tuple(grants),
            owners=(),
            origin=self.desired.origin,
            notes=tuple(dict.fromkeys(self._grants.notes)),
        )

    # -- accounts ---------------------------------------------------------------------------------------------------

    def is_public(self, one: SpecPrincipal) -> bool:
        """Whether everybody is meant.

        :raises InputError: an engine knows no everybody.
        """
        if one.name.upper() == PUBLIC:
            raise InputError(f"{one.where}: {self.dialect.label} grants nothing to everybody", hint=ELSEWHERE)
        return False

    def accounts(self, one: SpecPrincipal) -> tuple[WantedPrincipal, ...]:
        """Those of a user, one for each host, or the one of a role."""
        if self.is_public(one):
            return ()
        self._check(one)
        return self._users(one) if one.login else (self.role(one),)

    def _users(self, one: SpecPrincipal) -> tuple[WantedPrincipal, ...]:
        user, hosts = self._user(one)
        # Whoever is to go or to be locked is so from wherever he comes.
        everywhere = one.state != "present" and not hosts
        return tuple(
            self._wanted(one, account_name(user, host), user, host, member_of=self._members(one), every_host=everywhere)
            for host in hosts or (ANY_HOST,)
        )

    def _wanted(
        self,
        one: SpecPrincipal,
        name: str,
        user: str,
        host: str,
        *,
        member_of: tuple[SpecMember, ...],
        every_host: bool = False,
    ) -> WantedPrincipal:
        return WantedPrincipal(
            name=name,
            state=one.state,
            attributes=self._attributes(one),
            member_of=member_of,
            password=one.password,
            generate=one.generate,
            connection_limit=one.connection_limit,
            where=one.where,
            kind="user" if one.login else "role",
            user=user,
            host=host,
            every_host=every_host,
        )

    def _user(self, one: SpecPrincipal) -> tuple[str, tuple[str, ...]]:
        both = split_account(one.name)
        if both is not None and one.hosts:
            raise InputError(f"{one.where}: {one.name} has its host in its name, and 'hosts' beside it")
        if both is None and "@" in one.name:
            user, _, host = one.name.rpartition("@")
            raise InputError(
                f"{one.where}: {one.name!r} can be read in two ways",
                hint=f"Write {account_name(user, host)} for {user!r} from {host}, or "
                f"{account_name(one.name, ANY_HOST)} for a user of this name.",
            )
        user, hosts = (both[0], (both[1],)) if both is not None else (one.name, one.hosts)
        if not user and one.state == "present":
            self._grants.notes.append(f"{one.where}: {one.name} lets in whoever comes from there, whatever his name")
        self._check_length(one, user)
        return user, tuple(self._host(one, host) for host in hosts)

    def _host(self, one: SpecPrincipal, host: str) -> str:
        if len(host) > HOST_LENGTH or "@" in host:
            raise InputError(f"{one.where}: {host!r} cannot be a host", hint="An address, a name, or a pattern: 10.0.%")
        return host.lower() or ANY_HOST

    def role(self, one: SpecPrincipal) -> WantedPrincipal:
        """A role is an account that nobody logs in as."""
        user, host = split_account(one.name) or (one.name, ANY_HOST)
        self._check_length(one, user)
        return self._wanted(one, account_name(user, host), user, host, member_of=self._members(one))

    def _check_length(self, one: SpecPrincipal, user: str) -> None:
        most = self.dialect.user_length
        if len(user) > most:
            raise InputError(
                f"{one.where}: the name {user!r} has {len(user)} letters",
                hint=f"{self.dialect.label} takes at most {most}.",
            )
        if user in self.dialect.own:
            raise InputError(f"{one.where}: {user!r} is the server's own", hint="Choose another name.")

    def _check(self, one: SpecPrincipal) -> None:
        if one.owns:
            raise InputError(f"{one.owns[0].where}: nothing is owned on {self.dialect.label}", hint=ELSEWHERE)
        if one.sid or one.hashed:
            word = "sid" if one.sid else "password: hashed"
            raise InputError(
                f"{one.where}: {word!r} has no meaning on {self.dialect.label}",
                hint="Leave it out, or write the entry for other engines only: engines: [mssql].",
            )
        if not isinstance(one.valid_until, str):
            raise InputError(
                f"{one.where}: 'valid_until' has no meaning on {self.dialect.label}: an account has no end",
                hint=ELSEWHERE,
            )
        if one.settings:
            raise InputError(f"{one.where}: 'settings' has no meaning on {self.dialect.label}", hint=ELSEWHERE)
        if one.connection_limit == 0:
            raise InputError(
                f"{one.where}: 0 would be without a limit on {self.dialect.label}",
                hint="state: locked lets nobody in, connection_limit: unlimited everybody.",
            )
        if not one.login:
            self._check_role(one)

    def _check_role(self, one: SpecPrincipal) -> None:
        said = {
            "hosts": bool(one.hosts),
            "password": one.password is not None,
            "connection_limit": one.connection_limit != "keep",
            "state: locked": one.state == "locked",
            "attributes": bool(one.attributes),
        }
        for word, there in said.items():
            if there:
                raise InputError(f"{one.where}: {word!r} has no meaning for a role: nobody logs in as it")

    def _attributes(self, one: SpecPrincipal) -> tuple[str, ...]:
        found: list[str] = []
        for word in one.attributes:
            plain = " ".join(word.upper().replace("_", " ").split())
            if plain not in _CONDITIONS:
                raise InputError(f"{one.where}: unknown attribute {word!r}", hint=self._attribute_hint(plain))
            found.append(plain)
        if len(found) > 1:
            raise InputError(f"{one.where}: one of {' and '.join(word.lower() for word in found)}: X509 includes SSL")
        return ("LOGIN", *found) if one.login and one.state == "present" else tuple(found)

    def _attribute_hint(self, word: str) -> str:
        if word in self.rules.kinds["server"].actions:
            return f"It is a privilege: grants: [{{ object: server, can: [{word.lower()}] }}]"
        return f"There is: {', '.join(word.lower() for word in _CONDITIONS)}."

    # -- memberships ------------------------------------------------------------------------------------------------

    def _members(self, one: SpecPrincipal) -> tuple[SpecMember, ...]:
        if one.state == "absent":
            return ()
        found = tuple(self._member(one, member) for member in one.member_of)
        self.check_defaults(one, found)
        return found

    def _member(self, one: SpecPrincipal, member: SpecMember) -> SpecMember:
        if member.set is False:
            raise InputError(f"{member.where}: 'set' has no meaning here: who was granted a role may choose it")
        if not one.login and member.inherit is False:
            raise InputError(f"{member.where}: a role always has what the roles have that it is in")
        return SpecMember(
            role=self.role_name(member),
            inherit=member.inherit is not False,
            set=True,
            admin=member.admin,
            where=member.where,
        )

    def role_name(self, member: SpecMember) -> str:
        """The account that a role is."""
        return account_name(*(split_account(member.role) or (member.role, ANY_HOST)))

    def check_defaults(self, one: SpecPrincipal, members: tuple[SpecMember, ...]) -> None:
        """Whether the roles can be those that ``one`` begins with.

        :raises InputError: a setting says otherwise for all accounts.
        """
        unlike = [member for member in members if not member.inherit]
        if one.login and unlike and self.server.settings.get("activate_all_roles_on_login") == "ON":
            raise InputError(
                f"{unlike[0].where}: 'inherit: false' means nothing while activate_all_roles_on_login is on",
                hint="Every account begins with all of its roles there.",
            )


def folds(server: Server) -> bool:
    """Whether names of databases and tables are the same in upper and lower case."""
    return server.settings.get("lower_case_table_names", "0") not in ("0", "")
