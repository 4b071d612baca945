"""What the operating system says about a repository's files, in words that tell what to do."""

from __future__ import annotations

import errno
from collections.abc import Generator
from contextlib import contextmanager

from dbops.errors import ConfigError, DbopsError, NotPermitted, StorageFailed
from dbops.storage.base import NoSuchObject

__all__ = ["explained"]

FULL = {errno.ENOSPC, errno.EDQUOT}
DENIED = {errno.EACCES, errno.EPERM}


@contextmanager
def explained(url: str, doing: str) -> Generator[None]:
    """Raise an OSError of the block as dbops' own. ``doing`` completes "… while", such as ``writing shop/format``."""
    try:
        yield
    except OSError as error:
        raise _fault(error, url, doing) from error


def _fault(error: OSError, url: str, doing: str) -> DbopsError:
    place = f" ({error.filename})" if error.filename else ""
    if error.errno in FULL:
        return StorageFailed(
            f"no space left in repository {url} while {doing}",
            hint="Free space there, or remove what retention no longer keeps: `dbops backup prune TARGET`.",
        )
    if error.errno in DENIED:
        return NotPermitted(
            f"no right in repository {url} while {doing}{place}: {error.strerror}",
            hint="The user who runs dbops must own the repository's directory.",
        )
    if error.errno == errno.EROFS:
        return StorageFailed(
            f"repository {url} is on a read-only file system, seen while {doing}",
            hint="A file system that met an error is often remounted read-only: look at the kernel's log.",
        )
    if error.errno == errno.ENOTDIR:
        return ConfigError(
            f"repository {url}: a file is where a directory is needed{place}, seen while {doing}",
            hint="Point the repository's url at a directory, or at a path that is not there yet.",
        )
    if error.errno == errno.ENOENT:
        return NoSuchObject(f"repository {url}: not there while {doing}{place}")
    if error.errno == errno.EFBIG:
        return StorageFailed(
            f"repository {url} does not take a file of this size, while {doing}",
            hint="A limit of the process (ulimit -f) or of the file system; smaller volumes may fit.",
        )
    return StorageFailed(
        f"repository {url} failed while {doing}: {error.strerror or error}",
        hint="Look at the disk, the mount and the kernel's log.",
    )
