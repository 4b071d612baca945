"""What the servers store of passwords, computed here, so that no clear password reaches a server or its logs.

* ``caching_sha2_password``: ``$A$``, thousands of rounds in hexadecimal, ``$``, a salt of 20 letters, and SHA-crypt
  with SHA-256 of it (https://www.akkadia.org/drepper/SHA-crypt.txt).
* ``mysql_native_password``: ``*`` and the SHA-1 of the SHA-1 in hexadecimal.
* ``ed25519`` of MariaDB: the public key whose secret is the SHA-512 of the password, in base64 without padding.
* ``parsec`` of MariaDB: ``P``, the rounds of PBKDF2 as a power of two above 1024, a salt and the public key of the
  result (https://mariadb.com/kb/en/authentication-plugin-parsec/).
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Callable
from importlib import import_module
from typing import Any

from dbops.errors import ConfigError, InputError
from dbops.plan import Seal
from dbops.spi import Runtime
from dbops_mysql.quoting import literal

__all__ = ["SEALS", "UNUSABLE", "caching_sha2", "ed25519", "native", "parsec", "seal"]

UNUSABLE = {
    "caching_sha2_password": "$A$005$THISISACOMBINATIONOFINVALIDSALTANDPASSWORDTHATMUSTNEVERBRBEUSED",
    "mysql_native_password": "invalid",
}
"""What no password gives: the servers have it for accounts of their own that nobody may log in as."""

LETTERS = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
SALT_LENGTH = 20
ROUNDS = 5000
ROUNDS_MOST = 0xFFF
_ORDER = (
    (0, 10, 20), (21, 1, 11), (12, 22, 2), (3, 13, 23), (24, 4, 14), (15, 25, 5), (6, 16, 26), (27, 7, 17),
    (18, 28, 8), (9, 19, 29),
)  # fmt: skip
PARSEC_SALT = 18
PARSEC_FACTOR = 0


def seal(seal: Seal, runtime: Runtime) -> str:
    """The literal of what the server is to store.

    :raises InputError: an empty password.
    """
    password = runtime.secret(seal.secret)
    if not password:
        raise InputError(f"the password of {seal.name} from {seal.secret.ref} is empty")
    method, _, rounds = seal.seal.partition(":")
    return literal(caching_sha2(password, int(rounds)) if rounds else SEALS[method](password))


def caching_sha2(password: str, rounds: int = ROUNDS, salt: str = "") -> str:
    """:param rounds: thousands of them. :param salt: 20 letters; new ones when there are none."""
    thousands = min(max(rounds // 1000, ROUNDS // 1000), ROUNDS_MOST)
    salt = salt or "".join(secrets.choice(LETTERS) for _ in range(SALT_LENGTH))
    return f"$A${thousands:03X}${salt}{_crypt(password.encode(), salt.encode(), thousands * 1000)}"


def _crypt(key: bytes, salt: bytes, rounds: int) -> str:
    """SHA-crypt, whose salt MySQL does not cut at 16 bytes."""
    again = hashlib.sha256(key + salt + key).digest()
    first = key + salt + _repeated(again, len(key))
    length = len(key)
    while length:
        first += again if length & 1 else key
        length >>= 1
    digest = hashlib.sha256(first).digest()
    keys = _repeated(hashlib.sha256(key * len(key)).digest(), len(key))
    salts = _repeated(hashlib.sha256(salt * (16 + digest[0])).digest(), len(salt))
    for at in range(rounds):
        text = keys if at & 1 else digest
        text += salts if at % 3 else b""
        text += keys if at % 7 else b""
        text += digest if at & 1 else keys
        digest = hashlib.sha256(text).digest()
    groups = [(digest[a], digest[b], digest[c], 4) for a, b, c in _ORDER]
    return "".join(_letters(*group) for group in [*groups, (0, digest[31], digest[30], 3)])


def _repeated(text: bytes, length: int) -> bytes:
    return (text * (length // len(text) + 1))[:length]


def _letters(high: int, middle: int, low: int, count: int) -> str:
    number = high << 16 | middle << 8 | low
    return "".join(LETTERS[number >> 6 * at & 63] for at in range(count))


def native(password: str) -> str:
    """The old way of both, and still MariaDB's own: any client can log in with it."""
    once = hashlib.sha1(password.encode(), usedforsecurity=False).digest()
    return f"*{hashlib.sha1(once, usedforsecurity=False).hexdigest().upper()}"


def ed25519(password: str) -> str:
    """:raises ConfigError: PyNaCl is not installed: no other library multiplies by a number of one's own."""
    try:
        curve: Any = import_module("nacl.bindings")  # Any: an optional package, unknown to type checkers here
    except ImportError:
        raise ConfigError(
            "PyNaCl is needed for a password that is stored by ed25519", hint="pip install 'pymysql[ed25519]'"
        ) from None
    number = bytearray(hashlib.sha512(password.encode()).digest()[:32])
    number[0] &= 248
    number[31] = number[31] & 127 | 64
    key: bytes = curve.crypto_scalarmult_ed25519_base_noclamp(bytes(number))
    return base64.b64encode(key).decode().rstrip("=")


def parsec(password: str, salt: bytes = b"") -> str:
    """:param salt: 18 bytes; new ones when there are none."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    salt = salt or secrets.token_bytes(PARSEC_SALT)
    number = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, 1024 << PARSEC_FACTOR, 32)
    key = Ed25519PrivateKey.from_private_bytes(number).public_key().public_bytes_raw()
    return f"P{PARSEC_FACTOR}:{_base64(salt)}:{_base64(key)}"


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode().rstrip("=")


SEALS: dict[str, Callable[[str], str]] = {
    "caching_sha2_password": caching_sha2,
    "mysql_native_password": native,
    "ed25519": ed25519,
    "parsec": parsec,
}
