"""Accounts of a user and a host, as a person writes them: ``'alice'@'10.%'``, ``alice@10.%``."""

from __future__ import annotations

import re

from dbops.access.globs import fits
from dbops.model.access import Principal

__all__ = ["account_name", "is_account", "named", "split_account"]

_PART = r"'((?:[^'\\]|''|\\.)*)'|`((?:[^`]|``)*)`|([^@'`\"]*)"
_ACCOUNT = re.compile(f"(?:{_PART})@(?:{_PART})\\Z", re.DOTALL)
_ESCAPED = re.compile(r"\\(.)|''", re.DOTALL)


def account_name(user: str, host: str) -> str:
    """The one spelling of an account: both parts in single quotes, a quote and a backslash inside doubled."""
    return "@".join("'" + part.replace("\\", "\\\\").replace("'", "''") + "'" for part in (user, host))


def split_account(text: str) -> tuple[str, str] | None:
    """``alice@10.%`` or ``'alice'@'10.%'`` as user and host; None for what is written otherwise."""
    found = _ACCOUNT.match(text)
    if found is None:
        return None
    return _plain(*found.groups()[:3]), _plain(*found.groups()[3:])


def _plain(single: str | None, back: str | None, bare: str | None) -> str:
    """Of the three ways to write a part, the one that was used: each doubles its own quote."""
    if back is not None:
        return back.replace("``", "`")
    return _ESCAPED.sub(lambda one: one[1] or one[0][0], single or bare or "")


def is_account(one: Principal) -> bool:
    """It has a host, where a name alone is enough for others."""
    return bool(one.host or one.user)


def named(pattern: str, one: Principal) -> bool:
    """Whether a pattern of a spec means an account: by its user (``app_*``), or, with an ``@`` in it, as a whole. Where
    accounts have no hosts, an ``@`` is a letter of a name."""
    both = split_account(pattern)
    if both is None or (not one.host and fits(pattern, one.user)):
        return fits(pattern, one.user)
    return fits(both[0], one.user) and fits(both[1].lower(), one.host.lower())
