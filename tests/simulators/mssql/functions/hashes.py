"""HASHBYTES."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from tests.simulators.mssql.registry import function

if TYPE_CHECKING:
    from tests.simulators.mssql.session import Session

ALGORITHMS = {"SHA2_256": "sha256", "SHA2_512": "sha512", "SHA1": "sha1", "SHA": "sha1", "MD5": "md5"}


@function("HASHBYTES", "varbinary(8000)", "varchar(20)", "varbinary(max)")
def hashbytes(_session: Session, algorithm: str | None, value: bytes | None) -> bytes | None:
    """Texts reach it as their bytes: UTF-16 of the national types. NULL for an algorithm that there is not."""
    name = ALGORITHMS.get((algorithm or "").upper())
    if name is None or value is None:
        return None
    return hashlib.new(name, value, usedforsecurity=False).digest()
