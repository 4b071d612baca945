"""Keys: what is accepted, what is said about the rest, and that a private key is never shown."""

from __future__ import annotations

import pyrage
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from dbops.errors import ConfigError, Damaged
from dbops.stream.age import decrypt, encrypt, parse_identities, parse_recipients
from dbops.stream.crew import BlockReader, Channel

KEY = pyrage.x25519.Identity.generate()
PRIVATE, PUBLIC = str(KEY), str(KEY.to_public())
SSH_KEY = Ed25519PrivateKey.generate()
SSH = SSH_KEY.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode() + " dba@example"
SSH_PRIVATE = SSH_KEY.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()).decode()


def channel(*blocks: bytes) -> Channel:
    made = Channel(depth=1 << 30)
    for block in blocks:
        made.put(block)
    made.end()
    return made


def encrypted(data: bytes, *recipients: str) -> bytes:
    out = Channel(depth=1 << 30)
    encrypt(BlockReader(channel(data)), out, parse_recipients(recipients))
    out.end()
    return b"".join(out)


def test_the_library_opens_what_we_wrote() -> None:
    assert pyrage.decrypt(encrypted(b"x" * 300_000, PUBLIC), [KEY]) == b"x" * 300_000


def test_we_open_what_the_library_wrote() -> None:
    out = Channel(depth=1 << 30)
    decrypt(BlockReader(channel(pyrage.encrypt(b"y" * 300_000, [KEY.to_public()]))), out, parse_identities([PRIVATE]))
    out.end()
    assert b"".join(out) == b"y" * 300_000


def test_any_of_several_recipients_opens_it() -> None:
    other = pyrage.x25519.Identity.generate()
    data = encrypted(b"both", PUBLIC, str(other.to_public()))
    assert [pyrage.decrypt(data, [key]) for key in (KEY, other)] == [b"both", b"both"]


@pytest.mark.parametrize(
    "text",
    [PRIVATE, f"# created: 2026-01-01\n# public key: {PUBLIC}\n{PRIVATE}\n", f"  {PRIVATE}  \r\n"],
    ids=["bare", "key file", "spaces"],
)
def test_a_private_key_may_come_as_its_file(text: str) -> None:
    assert len(parse_identities([text])) == 1


@pytest.mark.parametrize(
    "text", ["", "# only a comment", "AGE-SECRET-KEY-1WRONG", "-----BEGIN NONSENSE-----", "hunter2"]
)
def test_what_is_no_private_key_is_refused_without_being_shown(text: str) -> None:
    with pytest.raises(ConfigError, match="what was given as the private key is not one") as caught:
        parse_identities([text])
    assert not text or text not in str(caught.value)


def test_a_private_key_in_the_place_of_the_public_one_is_not_shown() -> None:
    with pytest.raises(ConfigError, match="a private key was given where the public key") as caught:
        parse_recipients([PRIVATE])
    assert PRIVATE not in str(caught.value)


@pytest.mark.parametrize("text", ["age1nonsense", "me@example.com", "ssh-ed25519 broken"])
def test_what_is_no_public_key_is_named(text: str) -> None:
    with pytest.raises(ConfigError, match=f"'{text}' is not a public key to encrypt to"):
        parse_recipients([text])


def test_an_ssh_key_with_its_comment_is_a_recipient_and_opens_it() -> None:
    out = Channel(depth=1 << 30)
    decrypt(BlockReader(channel(encrypted(b"x", SSH))), out, parse_identities([SSH_PRIVATE]))
    out.end()
    assert b"".join(out) == b"x"


def test_no_recipient_is_no_encryption() -> None:
    with pytest.raises(ConfigError, match="encryption without a recipient"):
        parse_recipients([])


def test_a_wrong_key_says_so() -> None:
    other = str(pyrage.x25519.Identity.generate())
    with pytest.raises(ConfigError, match="none of the private keys given opens it"):
        decrypt(BlockReader(channel(encrypted(b"x", PUBLIC))), channel(), parse_identities([other]))


@pytest.mark.parametrize("data", [b"", b"not an age file", b"age-encryption.org/v1\n"])
def test_what_is_no_age_file_is_damage(data: bytes) -> None:
    with pytest.raises(Damaged, match="cannot be decrypted"):
        decrypt(BlockReader(channel(data)), channel(), parse_identities([PRIVATE]))
