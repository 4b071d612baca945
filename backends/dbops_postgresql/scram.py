"""SCRAM-SHA-256 verifiers, made here, so that no clear password reaches the server or its log (RFC 5802, RFC 7677).

The stored form is PostgreSQL's: ``SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>``.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import stringprep
import unicodedata
from collections.abc import Callable

from dbops.errors import InputError
from dbops.plan import Seal
from dbops.spi import Runtime
from dbops_postgresql.quoting import literal

__all__ = ["ITERATIONS", "matches", "saslprep", "seal", "verifier"]

ITERATIONS = 4096
SALT_BYTES = 16
# RFC 4013, section 2.3
_PROHIBITED: tuple[Callable[[str], bool], ...] = (
    stringprep.in_table_c12,
    stringprep.in_table_c21_c22,
    stringprep.in_table_c3,
    stringprep.in_table_c4,
    stringprep.in_table_c5,
    stringprep.in_table_c6,
    stringprep.in_table_c7,
    stringprep.in_table_c8,
    stringprep.in_table_c9,
    stringprep.in_table_a1,
)


def seal(seal: Seal, runtime: Runtime) -> str:
    """The literal of a new verifier.

    :raises InputError: an empty password.
    """
    password = runtime.secret(seal.secret)
    if not password:
        raise InputError(f"the password of {seal.name} from {seal.secret.ref} is empty")
    if "\0" in password:
        raise InputError(f"the password of {seal.name} from {seal.secret.ref} holds a NUL")
    return literal(verifier(password, os.urandom(SALT_BYTES)))


def verifier(password: str, salt: bytes, iterations: int = ITERATIONS) -> str:
    """What the server stores."""
    salted = hashlib.pbkdf2_hmac("sha256", saslprep(password).encode(), salt, iterations)
    stored = hashlib.sha256(_hmac(salted, b"Client Key")).digest()
    server = _hmac(salted, b"Server Key")
    return f"SCRAM-SHA-256${iterations}:{_base64(salt)}${_base64(stored)}:{_base64(server)}"


def matches(password: str, stored: str) -> bool:
    """Whether a stored verifier is of this password; False for what is no SCRAM verifier."""
    try:
        _, head, _ = stored.split("$")
        iterations, salt = head.split(":")
        again = verifier(password, base64.b64decode(salt), int(iterations))
    except ValueError:
        return False
    return hmac.compare_digest(again, stored)


def saslprep(text: str) -> str:
    """RFC 4013. What it forbids is taken as it is: PostgreSQL and libpq do the same."""
    mapped = "".join(
        " " if stringprep.in_table_c12(letter) else letter for letter in text if not stringprep.in_table_b1(letter)
    )
    prepared = unicodedata.ucd_3_2_0.normalize("NFKC", mapped)
    return text if not prepared or _forbidden(prepared) else prepared


def _forbidden(text: str) -> bool:
    if any(refuses(letter) for letter in text for refuses in _PROHIBITED):
        return True
    if not any(stringprep.in_table_d1(letter) for letter in text):
        return False
    # RFC 3454, section 6: right-to-left text begins and ends so, and holds nothing left-to-right.
    ends = stringprep.in_table_d1(text[0]) and stringprep.in_table_d1(text[-1])
    return not ends or any(stringprep.in_table_d2(letter) for letter in text)


def _hmac(key: bytes, text: bytes) -> bytes:
    return hmac.new(key, text, hashlib.sha256).digest()


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
