"""The store behind a repository's URL."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlsplit

from dbops.errors import ConfigError
from dbops.storage.base import Storage

__all__ = ["open_storage"]


def open_storage(url: str) -> Storage:
    """``file:///var/lib/dbops``, or an absolute path.

    :raises ConfigError: another scheme, or a relative path, which would mean another place in every directory.
    """
    parts = urlsplit(url)
    if parts.scheme == "file" and not parts.netloc:
        path = Path(unquote(parts.path))
    elif not parts.scheme or (len(parts.scheme) == 1 and parts.scheme.isalpha()):  # C:\backups
        path = Path(url)
    else:
        raise ConfigError(
            f"a repository cannot be opened at a {parts.scheme}:// URL with this version of dbops",
            hint="Use file:///absolute/path.",
        )
    if not path.is_absolute():
        raise ConfigError(f"the repository path {path} is relative", hint="Use file:///absolute/path.")
    from dbops.storage.local import LocalStorage

    return LocalStorage(path)
