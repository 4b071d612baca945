"""Passwords as SQL Server keeps them: ``0x0200``, four bytes of salt, SHA-512 of the UTF-16 text and the salt."""

from __future__ import annotations

import hashlib
import secrets

PREFIX = bytes.fromhex("0200")


def hashed(password: str, salt: bytes | None = None) -> bytes:
    salt = secrets.token_bytes(4) if salt is None else salt
    return PREFIX + salt + hashlib.sha512(password.encode("utf-16-le") + salt).digest()


def matches(password: str, found: bytes) -> bool:
    """Also hashes of versions before 2012: ``0x0100`` and SHA-1."""
    salt, digest = found[2:6], found[6:]
    make = hashlib.sha512 if found[:2] == PREFIX else hashlib.sha1
    return make(password.encode("utf-16-le") + salt).digest() == digest[: make().digest_size]


def is_hash(found: bytes) -> bool:
    return (found[:2] == PREFIX and len(found) == 70) or (found[:2] == bytes.fromhex("0100") and len(found) in {26, 46})


def _is_sign(one: str) -> bool:
    return not one.isalnum()


def strong(login: str, password: str) -> bool:
    """The password policy of Windows: eight characters, three of four kinds, not the name of the login."""
    tests = (str.isupper, str.islower, str.isdigit, _is_sign)
    different = sum(any(map(test, password)) for test in tests)
    return len(password) >= 8 and different >= 3 and (len(login) < 3 or login.lower() not in password.lower())
