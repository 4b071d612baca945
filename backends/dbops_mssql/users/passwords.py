"""A new password as a constant in the statement that sets it.

Documentation forbids hashes made elsewhere where the password policy is checked, which it is unless somebody turned it
off (ALTER LOGIN, "When CHECK_POLICY is set to ON, the HASHED argument cannot be used"). So the server gets the password
itself: over a connection that is encrypted unless told otherwise, in a statement that it keeps out of its traces.
"""

from __future__ import annotations

from dbops.errors import InputError
from dbops.plan import Seal
from dbops.spi import Runtime
from dbops_mssql.quoting import literal

__all__ = ["LENGTH", "PASSWORD", "UNUSABLE", "seal"]

PASSWORD = "password"  # noqa: S105  # the name of the seal
LENGTH = 128
# What is stored for SHA-512 after 0x0200 and a salt: no text is known that has this one.
UNUSABLE = "0x0200" + "00" * 4 + "00" * 64


def seal(seal: Seal, runtime: Runtime) -> str:
    """:raises InputError: what the server would refuse, or take for something else."""
    password = runtime.secret(seal.secret)
    said = f"the password of {seal.name} from {seal.secret.ref}"
    if not password:
        raise InputError(f"{said} is empty")
    if any(not letter.isprintable() for letter in password):
        raise InputError(f"{said} holds a control character")
    if len(password.encode("utf-16-le")) // 2 > LENGTH:
        raise InputError(f"{said} is longer than {LENGTH} characters")
    return literal(password)
