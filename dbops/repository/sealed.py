"""Small objects that tell when they were altered: JSON whose last line is the SHA-256 of all before it.

The idea is that of PostgreSQL's ``backup_manifest``: any tool reads the JSON, and one flipped byte, of the digest too,
is seen. The first field names the schema; one that this version does not know is refused before anything is believed.
"""

from __future__ import annotations

import hashlib
import re
from typing import TypeVar

import msgspec

from dbops.errors import Damaged, InputError

__all__ = ["seal", "unseal"]

T = TypeVar("T", bound=msgspec.Struct)
_LAST = re.compile(rb' "sha256": "([0-9a-f]{64})"}\n')
_LAST_SIZE = len(' "sha256": ""}\n') + 64


class _Head(msgspec.Struct):
    schema: str = ""


def seal(content: msgspec.Struct, schema: str, leave_out: tuple[str, ...] = ()) -> tuple[bytes, str]:
    """The object's bytes and its digest."""
    fields = {"schema": schema, **msgspec.to_builtins(content)}
    for name in leave_out:
        fields.pop(name, None)
    body = msgspec.json.format(msgspec.json.encode(fields), indent=1).removesuffix(b"\n}") + b",\n"
    digest = hashlib.sha256(body).hexdigest()
    return body + f' "sha256": "{digest}"}}\n'.encode(), digest


def unseal(data: bytes, into: type[T], schema: str, name: str) -> tuple[T, str]:
    """The struct and its digest. ``name`` is what a message calls the object.

    :raises Damaged: not the bytes that were written.
    :raises InputError: written by a newer dbops.
    """
    digest = _checked(data, name)
    try:
        found = msgspec.json.decode(data, type=_Head).schema
        if found != schema:
            raise InputError(
                f"{name} has the format {found!r}; this version of dbops reads {schema!r}",
                hint="Use the version of dbops that wrote it, or a newer one. Nothing was changed.",
            )
        return msgspec.json.decode(data, type=into), digest
    except msgspec.DecodeError as error:
        raise InputError(
            f"{name} is whole, but not as this version of dbops writes it: {error}",
            hint="Use the version of dbops that wrote it, or a newer one. Nothing was changed.",
        ) from None


def _checked(data: bytes, name: str) -> str:
    body, last = data[:-_LAST_SIZE], data[-_LAST_SIZE:]
    stated = _LAST.fullmatch(last)
    if stated is None or stated[1].decode() != hashlib.sha256(body).hexdigest():
        raise Damaged(
            f"{name} is damaged: its bytes are not those that its last line vouches for",
            hint="Bring it back from a copy of the repository. Nothing was changed.",
        )
    return stated[1].decode()
