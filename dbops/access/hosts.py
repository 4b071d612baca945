"""Where sessions come from, and which host patterns of accounts and rows mean them.

A pattern is compared with the name of the client's host, letter case aside, and with its address; one is enough.
``10.0.0.0/255.0.0.0`` and, on MySQL since 8.0.23, ``10.0.0.0/8`` are networks.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from functools import lru_cache

import msgspec

from dbops.access.patterns import filled, plain, specificity, wild_match, wildcard

__all__ = ["LOCALHOST", "Origin", "fits_host", "host_rank", "origin_of", "origins"]

LOCALHOST = "localhost"
LOOPBACK = ("127.0.0.1", "::1")
LONGEST_HOST = 255
ORIGINS = 24
"""How many places of one pattern are tried, in search of one that belongs to nobody else."""
# Addresses for documentation (RFC 5737), and names that no host has (RFC 6761).
_ADDRESSES = ("192.0.2.77", "198.51.100.77", "203.0.113.77")
_NUMBERS = ("77", "201", "149", "7", "33", "5", "250", "1", "0", "255")
_WORDS = ("host-x", "client-y", "z", "77", "5")

Network = ipaddress.IPv4Network


class Origin(msgspec.Struct, frozen=True):
    """The client's side of a session: the name of its host and its address, each empty where there is none."""

    host: str = ""
    address: str = ""

    def __str__(self) -> str:
        return self.host or self.address


@lru_cache(maxsize=65536)
def network(pattern: str) -> Network | None:
    """``10.0.0.0/255.0.0.0`` and ``10.0.0.0/8``; None for what is no network of IPv4."""
    if "/" not in pattern:
        return None
    try:
        return ipaddress.IPv4Network(pattern)
    except ValueError:
        return None


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


@lru_cache(maxsize=262144)
def fits_host(pattern: str, origin: Origin) -> bool:
    """Whether a pattern means a host."""
    inside = network(pattern)
    address = _address(origin.address) if inside is not None else None
    if inside is not None and isinstance(address, ipaddress.IPv4Address):
        return address in inside
    if not pattern:
        return True
    return bool(
        (origin.host and wild_match(pattern.lower(), origin.host.lower())) or wild_match(pattern, origin.address)
    )


@lru_cache(maxsize=65536)
def host_rank(pattern: str, order: str, addresses_first: bool = False) -> tuple[int, int]:
    """The larger, the sooner a pattern is tried; see :class:`~dbops.model.access.Matching`.

    A network in bits (``/24``) comes before one with a mask.
    """
    rank = specificity(pattern, order, LONGEST_HOST)
    if not addresses_first:
        return 0, rank
    inside = network(pattern)
    if inside is not None:
        dotted = "." in pattern.partition("/")[2]
        return (1 if dotted else 2), inside.prefixlen
    return (3 if isinstance(_address(pattern), ipaddress.IPv4Address) else 0), rank


def origin_of(text: str, *, resolves: bool) -> Origin:
    """A host as a person names it: ``localhost`` is a session through the socket."""
    if _address(text) is None:
        return Origin(text, "")
    return Origin(LOCALHOST if resolves and text in LOOPBACK else "", text)


def origins(pattern: str, *, resolves: bool) -> Iterator[Origin]:
    """Places that a pattern means, the most ordinary first; a few of them when it means many."""
    inside = network(pattern)
    if inside is not None:
        yield from (origin_of(str(one), resolves=resolves) for one in _of_network(inside))
    elif not wildcard(pattern):
        yield origin_of(plain(pattern), resolves=resolves)
        if pattern.lower() == LOCALHOST and resolves:
            yield from (Origin(LOCALHOST, address) for address in LOOPBACK)
    else:
        texts = dict.fromkeys(_filled(pattern))
        yield from (origin_of(text, resolves=resolves) for text in list(texts)[:ORIGINS])


def _of_network(inside: Network) -> Iterator[ipaddress.IPv4Address]:
    for at in (77, 1, 201, 5, 2, 250):
        if at < inside.num_addresses:
            yield inside[at]
    yield inside[0]


def _filled(pattern: str) -> Iterator[str]:
    """Texts that fit a pattern: addresses where it can be one, else names."""
    if set(pattern) <= {"%", "_"}:
        yield from (address for address in _ADDRESSES if wild_match(pattern, address))
    if set(pattern) <= set("0123456789.%_"):
        missing = max(3 - pattern.count("."), 0)
        for number in _NUMBERS:
            rest = ".".join([number] * (missing + 1)) if pattern.endswith("%") else number
            yield filled(pattern, number[-1], number, rest)
        for number in _NUMBERS:
            yield filled(pattern, number[-1], number, number)
            yield filled(pattern, number[-1], "", "")
    for word in _WORDS:
        yield filled(pattern, word[-1], word, word)
    yield filled(pattern, "x", "", "")
