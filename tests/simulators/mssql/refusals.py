"""The errors that many statements share, by what they say."""

from __future__ import annotations

from tests.simulators.mssql.answers import Failed, failed


def not_found(verb: str, kind: str, name: str) -> Failed:
    """15151 does not tell a thing that is missing from one that the session may not touch."""
    return failed(15151, f"Cannot {verb} the {kind} '{name}', because it does not exist or you do not have permission.")


def no_permission() -> Failed:
    return failed(15247, "User does not have permission to perform this action.")


def special(verb: str, kind: str, name: str) -> Failed:
    return failed(15150, f"Cannot {verb} the {kind} '{name}'.")


def user_exists(name: str) -> Failed:
    return failed(15023, f"User, group, or role '{name}' already exists in the current database.")


def login_exists(name: str) -> Failed:
    return failed(15025, f"The server principal '{name}' already exists.")
