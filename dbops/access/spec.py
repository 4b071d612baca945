"""From the plain values of a users spec to :class:`~dbops.model.users.Desired`, every mistake named with its line."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime
from typing import Any, cast

from dbops.errors import DbopsError, InputError
from dbops.model.change import Setting
from dbops.model.users import Desired, Future, SpecGrant, SpecMember, SpecOwned, SpecPrincipal
from dbops.plan import SecretRef

__all__ = ["FORMAT", "read"]

FORMAT = "users/1"
WORDS = ("read", "write", "execute", "ddl", "admin", "all")
Where = Callable[[tuple[str | int, ...]], str]
Path = tuple[str | int, ...]
_TOP = ("dbops", "manage", "profiles", "roles", "users")
_MANAGE = ("principals", "databases")
_ENTRY = (
    "member_of", "grants", "denies", "owns", "profiles", "attributes", "password", "verify_password", "valid_until",
    "connection_limit", "hosts", "settings", "sid", "state", "engines",
)  # fmt: skip
_GRANT = ("object", "can", "columns", "future", "creators", "grantable", "engines")
_DENY = ("object", "can", "columns", "engines")
_MEMBER = ("role", "inherit", "set", "admin", "engines")
_STATES = ("present", "locked", "absent")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}\Z")


# Any: the tree of plain values that a YAML document holds.
def read(value: Any, where: Where, engine: str, origin: str = "spec") -> Desired:
    """The spec for one engine; entries for other engines are left out.

    :param where: ``file:line`` of a path into ``value``.
    :raises InputError: with ``file:line``: an unknown key (with the nearest known one), a wrong type, a twin.
    """
    return _Spec(where, engine, origin).desired(value)


class _Spec:
    def __init__(self, where: Where, engine: str, origin: str) -> None:
        self._where = where
        self._engine = engine
        self._origin = origin

    def desired(self, value: Any) -> Desired:
        top = self._mapping(value, (), _TOP)
        if top.get("dbops") != FORMAT:
            raise self._wrong(("dbops",), f"the first line must be 'dbops: {FORMAT}'")
        manage = self._mapping(top.get("manage") or {}, ("manage",), _MANAGE)
        managed = self._texts(manage.get("principals"), ("manage", "principals"))
        if not managed:
            raise self._wrong(("manage",), "manage.principals is missing: it says what this spec owns")
        profiles = self._profiles(top.get("profiles"))
        people = [
            *self._section(top.get("roles"), "roles", False, profiles),
            *self._section(top.get("users"), "users", True, profiles),
        ]
        self._no_twins(people)
        databases = self._texts(manage.get("databases"), ("manage", "databases"))
        return Desired(managed=managed, databases=databases, principals=tuple(people), origin=self._origin)

    def _no_twins(self, people: Iterable[SpecPrincipal]) -> None:
        seen: dict[str, str] = {}
        for one in people:
            if one.name in seen:
                raise InputError(f"{one.where}: {one.name!r} is also under {seen[one.name]}: it can be one of both")
            seen[one.name] = one.where

    def _profiles(self, value: Any) -> dict[str, tuple[SpecGrant, ...]]:
        found = self._named(value, ("profiles",))
        return {name: self._grants(grants, ("profiles", name)) for name, grants in found.items()}

    def _section(
        self, value: Any, key: str, login: bool, profiles: Mapping[str, tuple[SpecGrant, ...]]
    ) -> list[SpecPrincipal]:
        found: list[SpecPrincipal] = []
        for name, raw in self._named(value, (key,)).items():
            path = (key, name)
            entry = self._mapping(raw or {}, path, _ENTRY)
            if self._meant(entry, path):
                found.append(self._principal(name, entry, path, login, profiles))
        return found

    def _principal(
        self,
        name: str,
        entry: dict[str, Any],
        path: Path,
        login: bool,
        profiles: Mapping[str, tuple[SpecGrant, ...]],
    ) -> SpecPrincipal:
        if not name or "\0" in name:
            raise self._wrong(path, "a name cannot be empty or hold a NUL")
        password, word = self._password(entry.get("password"), (*path, "password"))
        state = entry.get("state", "present")
        if state not in _STATES:
            raise self._wrong((*path, "state"), f"{state!r} is no state", _near(str(state), _STATES))
        if entry.get("verify_password"):
            raise self._wrong((*path, "verify_password"), "verify_password is not implemented yet")
        return SpecPrincipal(
            name=name,
            login=login,
            state=state,
            attributes=tuple(one.upper() for one in self._texts(entry.get("attributes"), (*path, "attributes"))),
            member_of=self._members(entry.get("member_of"), (*path, "member_of")),
            grants=(
                *self._from_profiles(entry.get("profiles"), (*path, "profiles"), profiles),
                *self._grants(entry.get("grants"), (*path, "grants")),
            ),
            denies=self._grants(entry.get("denies"), (*path, "denies"), _DENY),
            owns=self._owned(entry.get("owns"), (*path, "owns")),
            password=password,
            generate=word == "generate",
            hashed=word == "hashed",
            sid=self._text(entry["sid"], (*path, "sid")) if "sid" in entry else "",
            valid_until=self._until(entry.get("valid_until"), (*path, "valid_until")),
            connection_limit=self._limit(entry.get("connection_limit"), (*path, "connection_limit")),
            hosts=self._texts(entry.get("hosts"), (*path, "hosts")),
            settings=self._settings(entry.get("settings"), (*path, "settings")),
            where=self._where(path),
        )

    def _from_profiles(
        self, value: Any, path: Path, profiles: Mapping[str, tuple[SpecGrant, ...]]
    ) -> tuple[SpecGrant, ...]:
        found: list[SpecGrant] = []
        for number, name in enumerate(self._texts(value, path)):
            if name not in profiles:
                raise self._wrong((*path, number), f"there is no profile {name!r}", _near(name, profiles))
            found += profiles[name]
        return tuple(found)

    def _grants(self, value: Any, path: Path, known: tuple[str, ...] = _GRANT) -> tuple[SpecGrant, ...]:
        found: list[SpecGrant] = []
        for number, raw in enumerate(self._list(value, path)):
            here = (*path, number)
            entry = self._mapping(raw, here, known)
            if self._meant(entry, here):
                found.append(self._grant(entry, here))
        return tuple(found)

    def _grant(self, entry: dict[str, Any], path: Path) -> SpecGrant:
        can = self._texts(entry.get("can"), (*path, "can"))
        if not can:
            raise self._wrong(path, "'can' is missing: what may be done with the object")
        return SpecGrant(
            object=self._text(entry.get("object"), (*path, "object")),
            can=can,
            columns=self._texts(entry.get("columns"), (*path, "columns")),
            future=self._future(entry.get("future", False), (*path, "future")),
            creators=self._texts(entry.get("creators"), (*path, "creators")),
            grantable=self._bool(entry.get("grantable", False), (*path, "grantable")),
            where=self._where(path),
        )

    def _future(self, value: Any, path: Path) -> Future:
        if value is True:
            return "also"
        if value is False:
            return "no"
        if value == "only":
            return "only"
        raise self._wrong(path, "future is true, false or only")

    def _members(self, value: Any, path: Path) -> tuple[SpecMember, ...]:
        found: list[SpecMember] = []
        for number, raw in enumerate(self._list(value, path)):
            here = (*path, number)
            if isinstance(raw, str):
                found.append(SpecMember(role=raw, where=self._where(here)))
                continue
            entry = self._mapping(raw, here, _MEMBER)
            if self._meant(entry, here):
                found.append(self._member(entry, here))
        return tuple(found)

    def _member(self, entry: dict[str, Any], path: Path) -> SpecMember:
        return SpecMember(
            role=self._text(entry.get("role"), (*path, "role")),
            inherit=self._bool(entry["inherit"], (*path, "inherit")) if "inherit" in entry else None,
            set=self._bool(entry["set"], (*path, "set")) if "set" in entry else None,
            admin=self._bool(entry.get("admin", False), (*path, "admin")),
            where=self._where(path),
        )

    def _owned(self, value: Any, path: Path) -> tuple[SpecOwned, ...]:
        texts = self._texts(value, path)
        return tuple(SpecOwned(object=text, where=self._where((*path, at))) for at, text in enumerate(texts))

    def _password(self, value: Any, path: Path) -> tuple[SecretRef | None, str]:
        """Where it is, and what is said of it."""
        if value is None:
            return None, ""
        if not isinstance(value, dict):
            return self._reference(value, path), ""
        inner = self._mapping(value, path, ("generate", "hashed"))
        if len(inner) != 1:
            raise self._wrong(path, "a password is generated or hashed: one of both, with a reference")
        [(word, where)] = inner.items()
        reference = self._reference(where, path)
        if word == "generate" and not reference.ref.startswith("file:"):
            raise self._wrong(path, "a generated password is written to a file: generate: file:/run/dbops/alice")
        return reference, word

    def _reference(self, value: Any, path: Path) -> SecretRef:
        try:
            return SecretRef.parse(self._text(value, path), "password")
        except DbopsError as error:
            raise InputError(f"{self._where(path)}: {error.message}", hint=error.hint) from None

    def _until(self, value: Any, path: Path) -> Any:
        if value is None:
            return "keep"
        text = self._text(value, path)
        if text in ("never", "infinity"):
            return "never"
        try:
            if _DAY.match(text):
                day = date.fromisoformat(text)
                return datetime(day.year, day.month, day.day, tzinfo=UTC)
            found = datetime.fromisoformat(text)
        except ValueError:
            raise self._wrong(path, f"{text!r} is no time", "Write 2027-01-01 (in UTC) or never.") from None
        if found.tzinfo is None:
            raise self._wrong(
                path,
                f"{text!r} has no offset",
                f"Write {text}+00:00 for UTC, or the offset of the place that you mean.",
            )
        return found.astimezone(UTC)

    def _limit(self, value: Any, path: Path) -> Any:
        if value is None:
            return "keep"
        if value in ("unlimited", -1):
            return "unlimited"
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            raise self._wrong(path, "connection_limit is a number from 0, or unlimited")
        return value

    def _settings(self, value: Any, path: Path) -> tuple[Setting, ...]:
        named = self._named(value, path)
        return tuple(Setting(name.lower(), self._text(one, (*path, name))) for name, one in named.items())

    # -- plain values -----------------------------------------------------------------------------------------------

    def _meant(self, entry: dict[str, Any], path: Path) -> bool:
        """Whether an entry is for this engine."""
        engines = self._texts(entry.get("engines"), (*path, "engines"))
        return not engines or self._engine in engines

    def _named(self, value: Any, path: Path) -> dict[str, Any]:
        if value is None:
            return {}
        if not isinstance(value, dict):
            raise self._wrong(path, f"{path[-1]} holds names, each with its settings below it")
        return cast("dict[str, Any]", value)

    def _mapping(self, value: Any, path: Path, known: tuple[str, ...]) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise self._wrong(path, f"here belong keys: {', '.join(known)}")
        found = cast("dict[str, Any]", value)
        for key in found:
            if key not in known:
                raise self._wrong((*path, key), f"unknown key {key!r}", _near(key, known))
        return found

    def _list(self, value: Any, path: Path) -> list[Any]:
        if value is None:
            return []
        if not isinstance(value, list):
            raise self._wrong(path, f"{path[-1]} is a list")
        return list(cast("Iterable[Any]", value))

    def _texts(self, value: Any, path: Path) -> tuple[str, ...]:
        return tuple(self._text(one, (*path, at)) for at, one in enumerate(self._list(value, path)))

    def _text(self, value: Any, path: Path) -> str:
        if not isinstance(value, str) or not value:
            raise self._wrong(path, f"{_last(path)} must be a text", "Put it in quotes if it looks like a number.")
        return value

    def _bool(self, value: Any, path: Path) -> bool:
        if not isinstance(value, bool):
            raise self._wrong(path, f"{_last(path)} is true or false")
        return value

    def _wrong(self, path: Path, what: str, hint: str = "") -> InputError:
        return InputError(f"{self._where(path)}: {what}", hint=hint)


def _last(path: Path) -> str:
    return next((str(part) for part in reversed(path) if isinstance(part, str)), "this")


def _near(word: str, known: Iterable[str]) -> str:
    names = sorted(known)
    close = difflib.get_close_matches(word, names, n=1)
    if close:
        return f"Did you mean {close[0]!r}?"
    return f"There is: {', '.join(names)}." if names else ""
