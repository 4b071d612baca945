"""Who a client says he is ([MS-TDS] 2.2.6.4)."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

from tests.simulators.mssql.tds.bytes import Malformed, Source

FIXED = struct.Struct("<6I4BiI")
NAMES = ("host", "user", "password", "application", "server", "extension", "library", "language", "database")
INTEGRATED = 0x80
EXTENSIONS = 0x10
END_OF_FEATURES = 0xFF
FEDERATED = 0x02
SECURITY_TOKEN = 0x01


@dataclass(frozen=True, slots=True)
class Login:
    """:param version: of TDS, ``0x74000004``. :param packet_size: what the client wants.
    :param token: of Entra, where one takes the place of the password.
    :param features: what the client asks for beyond the login, by number."""

    version: int
    packet_size: int
    host: str = ""
    user: str = ""
    password: str = field(default="", repr=False)
    application: str = ""
    server: str = ""
    library: str = ""
    language: str = ""
    database: str = ""
    integrated: bool = False
    features: dict[int, bytes] = field(default_factory=dict, repr=False)

    @property
    def token(self) -> str | None:
        data = self.features.get(FEDERATED)
        if data is None or len(data) < 5 or data[0] >> 1 != SECURITY_TOKEN:
            return None
        length = int.from_bytes(data[1:5], "little")
        return data[5 : 5 + length].decode("utf-16-le")


def parse(payload: bytes) -> Login:
    if len(payload) < FIXED.size + 4 * len(NAMES):
        raise Malformed("LOGIN7 is too short")
    _, version, packet_size, _, _, _, _, flags2, _, flags3, _, _ = FIXED.unpack_from(payload)
    texts: dict[str, str] = {}
    for number, name in enumerate(NAMES):
        offset, count = struct.unpack_from("<HH", payload, FIXED.size + 4 * number)
        if name != "extension":
            texts[name] = _text(payload, offset, count, secret=name == "password")
    features = _features(payload) if flags3 & EXTENSIONS else {}
    return Login(version, packet_size, **texts, integrated=bool(flags2 & INTEGRATED), features=features)


def _text(payload: bytes, offset: int, count: int, *, secret: bool) -> str:
    raw = payload[offset : offset + 2 * count]
    if len(raw) != 2 * count:
        raise Malformed("a text of LOGIN7 lies outside of it")
    return (_plain(raw) if secret else raw).decode("utf-16-le")


def _plain(raw: bytes) -> bytes:
    """Passwords are turned about, which hides them from nobody: that is what the encryption of the login is for."""
    return bytes(((byte ^ 0xA5) >> 4 | (byte ^ 0xA5) << 4) & 0xFF for byte in raw)


def _features(payload: bytes) -> dict[int, bytes]:
    [offset] = struct.unpack_from("<H", payload, FIXED.size + 4 * NAMES.index("extension"))
    source = Source(payload[int.from_bytes(payload[offset : offset + 4], "little") :])
    found: dict[int, bytes] = {}
    while (feature := source.number(1)) != END_OF_FEATURES:
        found[feature] = source.take(source.number(4))
    return found
