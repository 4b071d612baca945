"""What a grant of a users spec means: which object, which privileges, and what future objects are."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches

from dbops.access.accounts import account_name
from dbops.access.naming import parts, split_kind
from dbops.errors import InputError, UsageError
from dbops.model.access import Kind, Rules
from dbops.model.users import SpecGrant, SpecPrincipal, WantedGrant
from dbops_mysql.quoting import split_account

__all__ = ["ANY_HOST", "ELSEWHERE", "GrantWords"]

ANY_HOST = "%"
ELSEWHERE = "Leave it out, or write the entry for other engines only: engines: [postgresql]."
_SYNONYMS = {"ALL PRIVILEGES": "ALL"}
_EXAMPLES = {"database": "shop", "table": "shop.orders", "routine": "shop.total", "pattern": r"shop\_%"}


class GrantWords:
    """:param databases: those that the spec manages. :param fold: names are the same in upper and lower case.

    ``notes`` grow while grants are read: what the reader of a plan should know about their meaning.
    """

    def __init__(self, label: str, rules: Rules, databases: tuple[str, ...], *, fold: bool) -> None:
        self._label = label
        self._rules = rules
        self._fold = fold
        self.databases = tuple(self._folded(name) for name in databases)
        self.notes: list[str] = []

    def wanted(self, one: SpecPrincipal, name: str) -> Iterator[WantedGrant]:
        """What one account or role is granted.

        :raises InputError: with ``file:line``.
        """
        if one.denies:
            raise InputError(
                f"{one.denies[0].where}: {self._label} has no DENY: what is not granted is not allowed",
                hint="Leave it out, or write the entry for other engines only: engines: [mssql].",
            )
        for grant in one.grants if one.state != "absent" else ():
            kind, path = self._object(grant)
            subject = self._kind("column" if grant.columns else kind)
            if grant.columns and self._kind(kind).family != "table":
                raise InputError(f"{grant.where}: a {kind} has no columns")
            if grant.future != "no":
                kind, path = self._future(grant, kind, path)
            yield from self._granted(grant, name, kind, path, subject)

    def _granted(
        self, grant: SpecGrant, name: str, kind: str, path: tuple[str, ...], subject: Kind
    ) -> Iterator[WantedGrant]:
        actions = self._actions(grant, subject)
        own = tuple(action for action in actions if action in subject.own_options)
        level = tuple(action for action in actions if action not in own)
        if grant.grantable and level:
            level = self._with_option(grant, subject, level)
        for part, grantable in ((level, grant.grantable and not subject.option), (own, grant.grantable)):
            if part:
                yield WantedGrant(
                    principal=name,
                    kind=kind,
                    path=path,
                    actions=part,
                    columns=grant.columns,
                    grantable=grantable,
                    where=grant.where,
                )

    def _with_option(self, grant: SpecGrant, kind: Kind, actions: tuple[str, ...]) -> tuple[str, ...]:
        if not kind.option and kind.name == "column":
            raise InputError(
                f"{grant.where}: there is no right to pass on single columns",
                hint="grantable is for a whole table, with all that the account has on it.",
            )
        if not kind.option or kind.option in actions:
            return actions
        self.notes.append(
            f"{grant.where}: grantable lets the account pass on all that it has on {grant.object}, "
            "not these privileges alone"
        )
        return (*actions, kind.option)

    def _future(self, grant: SpecGrant, kind: str, path: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
        """A right on a whole database is on what will be in it as well; on nothing less there is one."""
        if kind == "database":
            what = "a grant on a database is always on new objects too"
            if grant.future == "only" or grant.creators:
                raise InputError(f"{grant.where}: {what}, and on those that are there", hint=ELSEWHERE)
            return kind, path
        if len(path) < 2 or path[-1] != "*" or "*" in path[0] or grant.columns:
            raise InputError(
                f"{grant.where}: 'future' is for all of a database: its name, and * for what is in it",
                hint="Write table:shop.*, or leave 'future' out.",
            )
        if grant.future == "only" or grant.creators:
            word = "creators" if grant.creators else "future: only"
            raise InputError(
                f"{grant.where}: {word!r} has no meaning on {self._label}: what is granted for new objects is "
                "granted on the whole database",
                hint=ELSEWHERE,
            )
        self.notes.append(f"{grant.where}: {grant.object} with its future objects is granted on the database {path[0]}")
        return "database", path[:1]

    def _actions(self, grant: SpecGrant, kind: Kind) -> tuple[str, ...]:
        found: set[str] = set()
        for word in grant.can:
            found.update(self._meaning(word, kind, grant.where))
        return tuple(action for action in kind.actions if action in found)

    def _meaning(self, word: str, kind: Kind, where: str) -> tuple[str, ...]:
        plain = " ".join(word.upper().replace("_", " ").split())
        plain = _SYNONYMS.get(plain, plain)
        if plain == "ALL":
            return tuple(one for one in kind.actions if one != kind.option and one not in kind.own_options)
        for portable in kind.words:
            if portable.word == word.lower():
                return portable.actions
        named = next((one for one in kind.actions if plain in (one, one.replace("_", " "))), "")
        if named:
            return (named,)
        known = [*(one.word for one in kind.words), *(action.lower() for action in kind.actions), "all"]
        close = get_close_matches(word.lower(), known, n=1)
        raise InputError(
            f"{where}: {word!r} has no meaning for a {kind.name}",
            hint=f"Did you mean {close[0]!r}?" if close else f"There is: {', '.join(known)}.",
        )

    # -- names of objects -------------------------------------------------------------------------------------------

    def _object(self, grant: SpecGrant) -> tuple[str, tuple[str, ...]]:
        name, rest = split_kind(grant.object, self._rules)
        if not name or (name not in self._rules.kinds and name != "routine"):
            raise InputError(
                f"{grant.where}: {grant.object!r} does not begin with a kind of object", hint=self._kind_hint(grant)
            )
        kind = self._kind(name)
        if name == "column" or not kind.actions:
            raise InputError(
                f"{grant.where}: nothing is granted on a single {name}",
                hint="Write the table, and columns: [name, …]." if name == "column" else "",
            )
        path = self._path(grant, name, kind, rest)
        if kind.contained and path[0] not in self.databases:
            raise InputError(
                f"{grant.where}: the database {path[0]!r} is not among manage.databases",
                hint="Add it there, or correct the name.",
            )
        return name, path

    def _path(self, grant: SpecGrant, name: str, kind: Kind, rest: str) -> tuple[str, ...]:
        quoted = rest.startswith(self._rules.quotes[0])
        if name in ("pattern", "account") and not quoted:  # dots and all
            found: tuple[str, ...] = (rest,) if rest else ()
        else:
            try:
                found = parts(rest, self._rules) if rest else ()
            except UsageError as error:
                raise InputError(f"{grant.where}: {error.message}") from None
        if len(found) != kind.depth:
            example = _EXAMPLES.get(name, _EXAMPLES.get(kind.family, ""))
            raise InputError(
                f"{grant.where}: {grant.object!r} is not the name of a {name}",
                hint=f"Write {name}:{example}." if example else f"Write {name}.",
            )
        if name == "account":
            written = next(iter(found))
            return (account_name(*(split_account(written) or (written, ANY_HOST))),)
        return tuple(self._folded(part) for part in found) if kind.family != "routine" else found

    def _folded(self, name: str) -> str:
        """As the server has the name of a database or a table."""
        return name.lower() if self._fold else name

    def _kind(self, name: str) -> Kind:
        """A kind, or one of a family."""
        return self._rules.kinds["procedure" if name == "routine" else name]

    def _kind_hint(self, grant: SpecGrant) -> str:
        word = grant.object.partition(":")[0]
        if word == "schema":
            return "A schema is a database here: database:…"
        known = [*(name for name, kind in self._rules.kinds.items() if kind.actions and name != "column"), "routine"]
        close = get_close_matches(word, known, n=1)
        return f"Did you mean {close[0]}:…?" if close else f"Kinds: {', '.join(known)}."
