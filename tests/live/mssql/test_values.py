"""Every type of T-SQL that our questions meet, from the simulator through real drivers to Python, and back."""

from __future__ import annotations

import datetime as dt
import uuid
from decimal import Decimal

import pytest

from dbops.errors import ReadFailed
from tests.live.mssql.conftest import Start
from tests.simulators.mssql.scripted import rows

MOMENT = dt.datetime(2024, 2, 29, 23, 59, 59, 997000)  # noqa: DTZ001 - types without a zone
GUID = uuid.UUID("01020304-0506-0708-090a-0b0c0d0e0f10")
LONG = "ſ𝄞é" * 5000
VALUES = [
    ("bit", True),
    ("tinyint", 255),
    ("smallint", -32768),
    ("int", -(2**31)),
    ("bigint", 2**63 - 1),
    ("numeric(25,0)", Decimal(1000000000000000000000001)),
    ("numeric(38,4)", Decimal("-12345678901234567890.1234")),
    ("decimal(5,2)", Decimal("-1.50")),
    ("money", Decimal("-922337203685477.5808")),
    ("smallmoney", Decimal("214748.3647")),
    ("float", -1.5e300),
    ("real", 0.5),
    ("sysname", "größe"),
    ("nvarchar(128)", ""),
    ("nvarchar(max)", LONG),
    ("nchar(4)", "ab  "),
    ("varchar(10)", "é"),
    ("char(3)", "a  "),
    ("varchar(max)", "x" * 9000),
    ("xml", "<a>é</a>"),
    ("varbinary(85)", b"\x01\x00\xff"),
    ("varbinary(max)", bytes(range(256)) * 100),
    ("binary(4)", b"ab\0\0"),
    ("timestamp", b"\0\0\0\0\0\0\7\xd1"),
    ("datetime", MOMENT),
    ("datetime2(3)", MOMENT),
    ("datetime2(7)", MOMENT.replace(microsecond=123456)),
    ("datetime2(0)", MOMENT.replace(microsecond=0)),
    ("smalldatetime", dt.datetime(2024, 2, 29, 12, 34)),  # noqa: DTZ001
    ("date", dt.date(1, 1, 1)),
    ("time(7)", dt.time(12, 34, 56, 123456)),
]  # fmt: skip


@pytest.mark.parametrize("scheme", ["mssql", "mssql+mssqlpython"])
def test_a_value_arrives_as_what_it_is(scripted: Start, scheme: str) -> None:
    columns = {f"c{place}": type_ for place, (type_, _) in enumerate(VALUES)}
    values = tuple(value for _, value in VALUES)
    place = scripted({"FROM everything": rows(values, (None,) * len(values), **columns)})
    with place.reader(scheme=scheme, TrustServerCertificate="yes") as reader:
        [there, nothing] = reader.tuples("SELECT * FROM everything")
    assert dict(zip(columns.values(), there, strict=True)) == dict(VALUES)
    assert nothing == (None,) * len(values)


def test_identifiers_of_rows_are_text_or_uuid(scripted: Start) -> None:
    place = scripted({"FROM ids": rows((GUID,), g="uniqueidentifier")})
    with place.reader() as reader:
        assert uuid.UUID(str(reader.scalar("SELECT g FROM ids"))) == GUID


def test_a_moment_with_its_offset_arrives(scripted: Start) -> None:
    moment = dt.datetime(2024, 1, 1, 0, 30, tzinfo=dt.timezone(dt.timedelta(hours=5, minutes=30)))
    place = scripted({"FROM moments": rows((moment,), at="datetimeoffset(7)")})
    with place.reader() as reader:
        found = reader.scalar("SELECT at FROM moments")
    assert (found, found.utcoffset()) == (moment, moment.utcoffset())


def test_what_needs_a_convert_is_refused_by_the_driver(scripted: Start) -> None:
    """SERVERPROPERTY gives sql_variant, which pyodbc does not take: our questions convert."""
    place = scripted({"FROM variants": rows((1,), v="sql_variant")})
    with place.reader() as reader, pytest.raises(ReadFailed, match="ODBC SQL type -16 is not yet supported"):
        reader.tuples("SELECT v FROM variants")


def test_many_rows_cross_the_borders_of_packets(scripted: Start) -> None:
    many = [(number, f"{number:0>50}", None) for number in range(3000)]
    place = scripted({"FROM many": rows(*many, a="int", b="nvarchar(60)", c="int")})
    with place.reader() as reader:
        assert reader.tuples("SELECT * FROM many") == many


@pytest.mark.parametrize("scheme", ["mssql", "mssql+mssqlpython"])
def test_parameters_go_beside_the_statement(scripted: Start, scheme: str) -> None:
    given: dict[str, object] = {
        "text": "it's; DROP--", "number": 2**40, "nothing": None, "bytes": b"\0\1", "long": LONG,
        "exact": Decimal("1.25"), "moment": MOMENT, "yes": True, "share": 0.25,
    }  # fmt: skip
    place = scripted({"FROM asked": rows((1,), a="int")})
    with place.reader(scheme=scheme, TrustServerCertificate="yes") as reader:
        names = ", ".join(f"%({name})s" for name in given)
        assert reader.scalar(f"SELECT {names}, '100%%' FROM asked", given) == 1
        assert reader.scalar(f"SELECT {names}, '100%%' FROM asked", given) == 1
    heard = [(sql, values) for sql, values in place.engine.heard if "FROM asked" in sql]
    assert len(heard) == 2
    for sql, values in heard:
        assert "DROP" not in sql
        assert "'100%'" in sql
        assert [values[f"@P{place}"] for place in range(1, len(given) + 1)] == list(given.values())


def test_a_value_that_does_not_fit_its_column_is_an_error_and_no_other_value(scripted: Start) -> None:
    place = scripted({"FROM wrong": rows(("too long",), a="nvarchar(3)")})
    with (
        place.reader() as reader,
        pytest.raises(ReadFailed, match="the simulator: ValueError: a nvarchar\\(3\\) cannot hold"),
    ):
        reader.tuples("SELECT a FROM wrong")


def test_freetds_reads_the_same(scripted: Start, freetds: str) -> None:
    chosen = [(type_, value) for type_, value in VALUES if type_ not in ("time(7)", "datetime2(7)")]
    columns = {f"c{place}": type_ for place, (type_, _) in enumerate(chosen)}
    place = scripted({"FROM everything": rows(tuple(value for _, value in chosen), **columns)})
    with place.reader(driver=freetds, TrustServerCertificate="yes") as reader:
        [there] = reader.tuples("SELECT * FROM everything")
        assert reader.scalar("SELECT %(a)s FROM everything", {"a": "é"}) is True
    assert dict(zip(columns.values(), there, strict=True)) == dict(chosen)
