"""A new password as a constant in the statement that sets it.

Documentation forbids hashes made elsewhere where the password policy is checked, which it is unless somebody turned it
off (ALTER LOGIN, "When CHECK_POLICY is set to ON, the HASHED argument cannot be used"). So the server gets the password
itself: over a connection that is encrypted unless told otherwise, in a statement that it keeps out of its traces.

A hash that another server stores is for a login that is made (CREATE LOGIN … HASHED), which is what it is there for.
"""

from __future__ import annotations

import re

from dbops.errors import InputError
from dbops.plan import Seal
from dbops.spi import Runtime
from dbops_mssql.quoting import literal

__all__ = ["HASH", "LENGTH", "PASSWORD", "UNUSABLE", "seal"]

PASSWORD = "password"  # noqa: S105  # the name of the seal
HASH = "hash"
LENGTH = 128
# A version, four bytes of salt and SHA-512, or SHA-1 (of a server that was upgraded also one of upper case); what later
# versions store is for the server to judge.
_HASHES = re.compile(
    r"0x(0200[0-9a-fA-F]{136}|0100[0-9a-fA-F]{48}|0100[0-9a-fA-F]{88}|0[3-9]00([0-9a-fA-F]{2}){24,254})\Z"
)
# What is stored for SHA-512 after 0x0200 and a salt: no text is known that has this one.
UNUSABLE = "0x0200" + "00" * 4 + "00" * 64


def seal(seal: Seal, runtime: Runtime) -> str:
    """:raises InputError: what the server would refuse, or take for something else. It is not repeated."""
    secret = runtime.secret(seal.secret)
    if seal.seal == HASH:
        return _hash(secret, f"the hash of {seal.name} from {seal.secret.ref}")
    return _password(secret, f"the password of {seal.name} from {seal.secret.ref}")


def _password(password: str, said: str) -> str:
    if not password:
        raise InputError(f"{said} is empty")
    if any(not letter.isprintable() for letter in password):
        raise InputError(f"{said} holds a control character")
    if len(password.encode("utf-16-le")) // 2 > LENGTH:
        raise InputError(f"{said} is longer than {LENGTH} characters")
    return literal(password)


def _hash(text: str, said: str) -> str:
    if not _HASHES.match(text):
        raise InputError(
            f"{said} is not one of SQL Server",
            hint="It is 0x0200 and 136 hexadecimal digits, as password_hash of sys.sql_logins shows it "
            "(dbops users export --hashes writes it); before SQL Server 2012, 0x0100 and 48.",
        )
    return text
