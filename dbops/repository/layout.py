"""Where things are: keys and identifiers.

::

    format                                        the version of this layout
    <target>/<incarnation>/backups/<id>/begun     while it is being written: which lease protects it
                                       /<artifact>/vol-0000 …
                                       /RESTORE.md
                                       /manifest  written last: from here on the backup exists
    <target>/<incarnation>/events/<id>            pins, proofs, deletions
    leases/<name>/<number>                        the highest number is the holder

Names of people's things (targets, databases) become one path segment each, percent-encoded where they must be.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from urllib.parse import quote, unquote

import msgspec

from dbops.errors import InputError

__all__ = [
    "BACKUPS",
    "BEGUN",
    "CANARY",
    "EVENTS",
    "FORMAT",
    "LEASES",
    "MANIFEST",
    "Place",
    "new_id",
    "plain",
    "segment",
]

FORMAT = "format"
LEASES = "leases"
CANARY = "canary"
EVENTS = "events"
BACKUPS = "backups"
BEGUN = "begun"
MANIFEST = "manifest"
_TOP = {FORMAT, LEASES, CANARY}
_IN_BACKUP = {BEGUN, MANIFEST}
_ID = re.compile(r"[a-z]-\d{8}t\d{9}-[0-9a-z]{8}")
_DIGITS = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's: no letter that reads like a digit


def new_id(now: datetime, randomness: bytes, kind: str = "b") -> str:
    """An identifier that sorts by time, to the millisecond: ``b-20260714t021500123-7k3m9qxz``.

    :param now: with an offset.
    :param randomness: at least five bytes.
    """
    if now.tzinfo is None or len(randomness) < 5:
        raise ValueError("an identifier needs a time with an offset and five random bytes")
    moment = now.astimezone(UTC)
    number = int.from_bytes(randomness[:5], "big")
    tail = "".join(_DIGITS[number >> shift & 31] for shift in range(35, -1, -5))
    return f"{kind}-{moment:%Y%m%dt%H%M%S}{moment.microsecond // 1000:03d}-{tail}"


def segment(name: str) -> str:
    """The name as one path segment; :func:`plain` gives it back."""
    if not name:
        raise InputError("an empty name cannot be stored", hint="Give the target, database or artifact a name.")
    quoted = quote(name, safe="")
    if quoted[0] == "." or quoted in _TOP | _IN_BACKUP:
        quoted = f"%{ord(quoted[0]):02X}{quoted[1:]}"
    return quoted


def plain(quoted: str) -> str:
    """The name behind a segment."""
    return unquote(quoted)


class Place(msgspec.Struct, frozen=True):
    """Where one backup is: the names as people write them."""

    target: str
    incarnation: str
    id: str

    @property
    def home(self) -> str:
        """The folder of all that belongs to the target's incarnation."""
        return f"{segment(self.target)}/{segment(self.incarnation)}"

    @property
    def folder(self) -> str:
        """The folder of the backup."""
        if not _ID.fullmatch(self.id):
            raise InputError(f"{self.id!r} is not the id of a backup", hint="`dbops backup list` shows the ids.")
        return f"{self.home}/{BACKUPS}/{self.id}"

    @property
    def manifest(self) -> str:
        return f"{self.folder}/{MANIFEST}"

    @property
    def begun(self) -> str:
        return f"{self.folder}/{BEGUN}"

    def artifact(self, name: str) -> str:
        """The folder of a stream's volumes, or the key of a document."""
        return f"{self.folder}/{segment(name)}"
