"""Encryption in the age format (age-encryption.org/v1), which the public ``age`` and ``rage`` tools open."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Protocol, cast

from dbops.errors import ConfigError, Damaged, DbopsError
from dbops.stream.crew import BlockReader, Channel

__all__ = ["Identity", "Recipient", "decrypt", "encrypt", "parse_identities", "parse_recipients"]

GATHER = 1 << 19


class Recipient(Protocol):
    """A parsed public key."""


class Identity(Protocol):
    """A parsed private key."""


class _Recipients(Protocol):
    def from_str(self, text: str, /) -> Recipient: ...


class _Identities(Protocol):
    def from_str(self, text: str, /) -> Identity: ...
    def from_buffer(self, data: bytes, /) -> Identity: ...


class _Keys(Protocol):
    Recipient: _Recipients
    Identity: _Identities


class _Writer(Protocol):
    def write(self, data: bytes, /) -> int: ...
    def flush(self) -> None: ...


class _Pyrage(Protocol):
    """The part of pyrage that is used here; the library is published without type information."""

    x25519: _Keys
    ssh: _Keys
    DecryptError: type[Exception]
    RecipientError: type[Exception]
    IdentityError: type[Exception]

    def encrypt_io(self, reader: BlockReader, writer: _Writer, recipients: Sequence[Recipient], /) -> None: ...
    def decrypt_io(self, reader: BlockReader, writer: _Writer, identities: Sequence[Identity], /) -> None: ...


def _pyrage() -> _Pyrage:
    return cast(_Pyrage, import_module("pyrage"))


def parse_recipients(keys: Sequence[str]) -> tuple[Recipient, ...]:
    """Public keys: ``age1…`` or an SSH public key.

    :raises ConfigError: not a public key; a private one given by mistake is not shown.
    """
    if not keys:
        raise ConfigError("encryption without a recipient", hint="Name at least one public key (age1…).")
    return tuple(_recipient(key.strip()) for key in keys)


def _recipient(key: str) -> Recipient:
    if "SECRET-KEY" in key.upper() or "PRIVATE KEY" in key:
        raise ConfigError(
            "a private key was given where the public key of the recipient belongs",
            hint="Use the public key (age1…); `age-keygen -y KEYFILE` prints it. Treat the private key as disclosed.",
        )
    pyrage = _pyrage()
    kind = pyrage.ssh.Recipient if key.startswith("ssh-") else pyrage.x25519.Recipient
    try:
        return kind.from_str(key)
    except pyrage.RecipientError as error:
        raise ConfigError(
            f"{key!r} is not a public key to encrypt to: {error}",
            hint="Expected age1… (made by `age-keygen`) or an ssh-ed25519 or ssh-rsa public key.",
        ) from None


def parse_identities(texts: Sequence[str]) -> tuple[Identity, ...]:
    """Private keys, each text a key or the content of a key file (comments allowed) or an unencrypted SSH private key.

    :raises ConfigError: no private key in it; the text is never shown.
    """
    return tuple(identity for text in texts for identity in _identities(text))


def _identities(text: str) -> list[Identity]:
    pyrage = _pyrage()
    try:
        if "-----BEGIN" in text:
            return [pyrage.ssh.Identity.from_buffer(text.encode())]
        lines = [line.strip() for line in text.splitlines()]
        keys = [line for line in lines if line and not line.startswith("#")]
        found = [pyrage.x25519.Identity.from_str(key) for key in keys]
    except pyrage.IdentityError:
        found = []
    if not found:
        raise ConfigError(
            "what was given as the private key is not one",
            hint="Expected AGE-SECRET-KEY-1…, a key file of `age-keygen`, or an SSH private key without a passphrase.",
        )
    return found


def encrypt(source: BlockReader, into: Channel, recipients: Sequence[Recipient]) -> None:
    """The age file of ``source`` for all recipients."""
    out = _Gather(into.put)
    _pyrage().encrypt_io(source, out, recipients)
    out.flush_all()


def decrypt(source: BlockReader, into: Channel, identities: Sequence[Identity]) -> None:
    """The clear bytes of an age file, each authenticated before it is handed on.

    :raises ConfigError: none of the keys opens it.
    :raises Damaged: altered or cut short.
    """
    pyrage = _pyrage()
    out = _Gather(into.put)
    try:
        pyrage.decrypt_io(source, out, identities)
    except pyrage.DecryptError as error:
        raise _refused(str(error)) from error
    except OSError as error:
        raise Damaged(f"cannot be decrypted: {error}") from error
    out.flush_all()


def _refused(reason: str) -> DbopsError:
    if "No matching keys" in reason:
        return ConfigError(
            "none of the private keys given opens it",
            hint="Give the private key that belongs to one of the recipients which the manifest names. "
            "Damage in the first bytes looks the same; `dbops backup verify ID --level checksum` tells them apart.",
        )
    return Damaged(f"cannot be decrypted: {reason}")


class _Gather:
    """Joins the library's small writes into blocks. ``flush`` does nothing: it is called for every write."""

    def __init__(self, put: Callable[[bytes], None]) -> None:
        self._put = put
        self._parts: list[bytes] = []
        self._size = 0

    def write(self, data: bytes, /) -> int:
        self._parts.append(data)
        self._size += len(data)
        if self._size >= GATHER:
            self.flush_all()
        return len(data)

    def flush(self) -> None:
        """See the class."""

    def flush_all(self) -> None:
        if self._parts:
            block, self._parts, self._size = b"".join(self._parts), [], 0
            self._put(block)
