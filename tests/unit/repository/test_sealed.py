"""Small objects that tell when they were altered."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbops.errors import Damaged, InputError
from dbops.repository.sealed import seal, unseal

SCHEMA = "dbops.thing/1"


class Thing(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    at: datetime = datetime(2026, 1, 1, tzinfo=UTC)
    items: tuple[int, ...] = ()
    digest: str = ""


THING = Thing(name='with "quotes" and ü', items=(1, 2))
DATA, DIGEST = seal(THING, SCHEMA, leave_out=("digest",))


@given(name=st.text(), items=st.lists(st.integers(-(2**53), 2**53)))
def test_what_is_sealed_comes_back(name: str, items: list[int]) -> None:
    thing = Thing(name=name, items=tuple(items))
    data, digest = seal(thing, SCHEMA)
    assert unseal(data, Thing, SCHEMA, "it") == (thing, digest)


def test_any_tool_reads_it() -> None:
    fields = json.loads(DATA)
    assert list(fields) == ["schema", "name", "at", "items", "sha256"]
    assert fields["schema"] == SCHEMA
    assert DATA.splitlines()[-1] == f' "sha256": "{DIGEST}"}}'.encode()


@pytest.mark.parametrize("where", range(len(DATA)))
def test_every_flipped_byte_is_seen(where: int) -> None:
    for bit in (1, 32):
        changed = bytearray(DATA)
        changed[where] ^= bit
        with pytest.raises(Damaged, match="the thing is damaged: its bytes are not those"):
            unseal(bytes(changed), Thing, SCHEMA, "the thing")


@pytest.mark.parametrize("length", [0, 1, 50, len(DATA) - 1])
def test_one_cut_short_is_seen(length: int) -> None:
    with pytest.raises(Damaged):
        unseal(DATA[:length], Thing, SCHEMA, "the thing")


def test_one_of_a_newer_version_is_named() -> None:
    data, _ = seal(THING, "dbops.thing/2")
    with pytest.raises(
        InputError, match=r"has the format 'dbops.thing/2'; this version of dbops reads 'dbops.thing/1'"
    ):
        unseal(data, Thing, SCHEMA, "the thing")


def test_one_with_more_fields_is_read() -> None:
    class Later(Thing, frozen=True, kw_only=True):
        added: int = 1

    assert unseal(seal(Later(name="x"), SCHEMA)[0], Thing, SCHEMA, "it")[0].name == "x"


def test_one_with_other_fields_is_refused_in_words() -> None:
    class Other(msgspec.Struct):
        name: int = 1

    with pytest.raises(InputError, match=r"is whole, but not as this version of dbops writes it: .*\$\.name"):
        unseal(seal(Other(), SCHEMA)[0], Thing, SCHEMA, "it")
