"""The simulator's side of the protocol: what is cut into packets and values comes together again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any, cast
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.simulators.mssql.answers import Column
from tests.simulators.mssql.tds import calls, login7, parameters, prelogin, tokens
from tests.simulators.mssql.tds.bytes import Malformed, Source
from tests.simulators.mssql.tds.packets import Kind, Message, Outgoing, Packets
from tests.simulators.mssql.tds.prelogin import Encryption
from tests.simulators.mssql.tds.types import wire


def receiver(data: bytes, sizes: list[int]) -> Callable[[], bytes]:
    """Gives the bytes in pieces, then none."""
    left, cuts = bytearray(data), iter(sizes)

    def receive() -> bytes:
        size = next(cuts, 65536)
        taken = bytes(left[:size])
        del left[:size]
        return taken

    return receive


@given(st.lists(st.binary(max_size=2000), min_size=1, max_size=4), st.integers(9, 600), st.lists(st.integers(1, 300)))
def test_messages_come_together_however_they_were_cut(payloads: list[bytes], size: int, sizes: list[int]) -> None:
    sent = bytearray()
    for payload in payloads:
        outgoing = Outgoing(sent.extend, Kind.RESPONSE, size)
        outgoing.add(payload)
        outgoing.end()
    packets = Packets(receiver(bytes(sent), sizes))
    assert [packets.message() for _ in payloads] == [Message(Kind.RESPONSE, payload) for payload in payloads]
    assert packets.message() is None


def test_a_packet_that_is_shorter_than_its_header_is_no_packet() -> None:
    with pytest.raises(Malformed, match="a packet of 7 bytes"):
        Packets(receiver(bytes((1, 1, 0, 7, 0, 0, 0, 0)), [])).packet()


@given(st.dictionaries(st.integers(0, 7), st.binary(max_size=40)))
def test_options_of_the_greeting_are_read_back(options: dict[int, bytes]) -> None:
    assert prelogin.parse(prelogin.build(options)) == options


@pytest.mark.parametrize(
    ("client", "server", "answer"),
    [
        (Encryption.OFF, Encryption.OFF, Encryption.OFF),
        (Encryption.OFF, Encryption.ON, Encryption.OFF),
        (Encryption.OFF, Encryption.REQUIRED, Encryption.REQUIRED),
        (Encryption.ON, Encryption.OFF, Encryption.ON),
        (Encryption.ON, Encryption.REQUIRED, Encryption.ON),
        (Encryption.ON, Encryption.NOT_SUPPORTED, Encryption.NOT_SUPPORTED),
        (Encryption.NOT_SUPPORTED, Encryption.ON, Encryption.NOT_SUPPORTED),
    ],
)
def test_encryption_is_agreed_on(client: Encryption, server: Encryption, answer: Encryption) -> None:
    assert prelogin.agreed(client, server) is answer


NAIVE = st.datetimes(datetime(1753, 1, 1), datetime(9998, 1, 1))  # noqa: DTZ001 - types without a zone
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "tinyint": st.integers(0, 255),
    "smallint": st.integers(-(2**15), 2**15 - 1),
    "int": st.integers(-(2**31), 2**31 - 1),
    "bigint": st.integers(-(2**63), 2**63 - 1),
    "numeric(38,6)": st.decimals(-(10**30), 10**30, places=6),
    "money": st.decimals(-(10**14), 10**14, places=4),
    "float": st.floats(allow_nan=False, allow_infinity=False),
    "nvarchar(200)": st.text(max_size=100),
    "nvarchar(max)": st.text(),
    "varbinary(100)": st.binary(max_size=100),
    "varbinary(max)": st.binary(max_size=20000),
    "uniqueidentifier": st.uuids(),
    "date": st.dates(),
    "time(6)": st.times(),
    "datetime2(6)": NAIVE,
    "datetimeoffset(7)": st.builds(
        lambda moment, minutes: moment.replace(tzinfo=timezone(timedelta(minutes=minutes))),
        NAIVE,
        st.integers(-840, 840),
    ),
}


@pytest.mark.parametrize("type_", VALUES)
@given(st.data())
def test_a_value_is_read_as_it_was_written(type_: str, data: st.DataObject) -> None:
    value = data.draw(VALUES[type_])
    one = wire(type_)
    assert parameters.read(Source(one.info + one.write(value))) == value
    assert parameters.read(Source(one.info + one.null)) is None


@given(NAIVE)
def test_datetime_is_right_to_a_three_hundredth_of_a_second(moment: datetime) -> None:
    one = wire("datetime")
    found = cast("datetime", parameters.read(Source(one.info + one.write(moment))))
    assert abs(found - moment) <= timedelta(milliseconds=4)


@pytest.mark.parametrize("name", ["geography", "int(", "nvarchar(5000)", "varchar(0)", ""])
def test_a_type_that_cannot_be_sent_is_a_mistake(name: str) -> None:
    with pytest.raises(ValueError, match=r"no type|not allowed"):
        wire(name)


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        (Column("a", "int", nullable=False), None, "a is never NULL"),
        (Column("a", "nvarchar(2)"), "abc", "cannot hold 'abc'"),
        (Column("a", "tinyint"), 256, "cannot hold 256"),
        (Column("a", "int"), "x", "cannot hold 'x'"),
        (Column("a", "uniqueidentifier"), "x", "cannot hold 'x'"),
    ],
)
def test_a_value_that_does_not_fit_is_a_mistake(column: Column, value: object, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        list(tokens.rows([column], [(value,)]))
    with pytest.raises(ValueError, match="a row of 2 values in 1 columns"):
        list(tokens.rows([column], [(value, value)]))


def test_parameters_are_named_by_their_declaration() -> None:
    statement = calls.Statement("…", "@P1 decimal(10,2),@P2 nvarchar(max), @P3 int")
    given_ = (calls.Value("", False, Decimal(1)), calls.Value("", False, "a, @b"), calls.Value("@P3", False, 3))
    assert statement.values(given_) == {"@P1": Decimal(1), "@P2": "a, @b", "@P3": 3}


def test_a_cursor_on_the_server_is_none_of_what_it_knows() -> None:
    headers = (4).to_bytes(4, "little")
    with pytest.raises(Malformed, match="knows no procedure 2"):
        list(calls.parse(headers + b"\xff\xff\2\0\0\0"))


@pytest.mark.parametrize("payload", [b"", b"\0" * 20, b"\0" * 40])
def test_a_login_that_is_cut_off_is_refused(payload: bytes) -> None:
    with pytest.raises(Malformed, match="LOGIN7 is too short"):
        login7.parse(payload)


def test_moments_know_their_type() -> None:
    assert isinstance(parameters.read(Source(wire("date").info + wire("date").write(date(1, 1, 1)))), date)
    assert parameters.read(Source(wire("time(0)").info + wire("time(0)").write(time(1, 2, 3)))) == time(1, 2, 3)
    at = datetime(2024, 1, 1, tzinfo=UTC)
    one = wire("datetimeoffset(0)")
    assert parameters.read(Source(one.info + one.write(at))) == at
    assert parameters.read(Source(b"\x1f")) is None
    assert parameters.read(Source(b"\x24\x10\x10" + UUID(int=1).bytes_le)) == UUID(int=1)
