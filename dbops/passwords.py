"""Passwords of accounts on a server that dbops made or was lent, each in a file that only we can read."""

from __future__ import annotations

import secrets
from pathlib import Path

from dbops.plan import SecretRef

__all__ = ["Passwords"]


class Passwords:
    """By the name of the account, in a directory of ours."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._files: dict[str, Path] = {}

    def new(self, account: str) -> str:
        """Make a random one and keep it."""
        password = secrets.token_urlsafe(16)
        self.keep(account, password)
        return password

    def keep(self, account: str, password: str) -> None:
        """From now on this one is the account's."""
        if account not in self._files:
            # A name may hold anything, and two that a file system takes for one are two accounts.
            plain = f"-{account}" if account.isidentifier() else ""
            self._files[account] = self._directory / f"password-{len(self._files) + 1}{plain}"
        place = self._files[account]
        place.touch(mode=0o600)
        place.write_text(f"{password}\n", encoding="utf-8")

    def of(self, account: str) -> str:
        """The password itself.

        :raises KeyError: none is kept for this account.
        """
        return self._files[account].read_text(encoding="utf-8").removesuffix("\n")

    def reference(self, account: str) -> SecretRef:
        """Where dbops finds it.

        :raises KeyError: none is kept for this account.
        """
        return SecretRef(f"file:{self._files[account]}")
