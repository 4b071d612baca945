"""What the modelled instance answers to queries; each rule is that of the page of the documentation named beside it."""

from __future__ import annotations

import hashlib
from decimal import Decimal

import pytest

from tests.simulators.mssql.answers import Failed, Rows
from tests.simulators.mssql.instance import Instance


@pytest.fixture(scope="module")
def instance() -> Instance:
    return Instance()


def test_view_is_found_from_any_database(instance: Instance) -> None:
    """System catalog views: sys.databases."""
    names = ["master", "tempdb", "model", "msdb"]
    assert [row[0] for row in instance.execute("SELECT name FROM sys.databases ORDER BY database_id")] == names
    assert instance.execute("SELECT COUNT(*) FROM [master].sys.databases", database="msdb") == [(4,)]


@pytest.mark.parametrize(
    ("sql", "number", "text"),
    [
        ("SELECT nope FROM sys.databases", 207, "Invalid column name 'nope'."),
        ("SELECT d.nope FROM sys.databases AS d", 207, "Invalid column name 'nope'."),
        ("SELECT x.name FROM sys.databases AS d", 4104, 'The multi-part identifier "x.name" could not be bound.'),
        ("SELECT 1 FROM sys.nope", 208, "Invalid object name 'sys.nope'."),
        ("SELECT 1 FROM nope.sys.objects", 911, "Database 'nope' does not exist."),
        ("SELECT LENGTH('a')", 195, "'LENGTH' is not a recognized built-in function name."),
        ("SELECT name FROM sys.databases a, sys.databases b", 209, "Ambiguous column name 'name'."),
        ("SELECT @missing", 137, 'Must declare the scalar variable "@missing".'),
        ("SELECT 1 FROM sys.databases WHERE is_read_only", 4145, "non-boolean type"),
        ("SELECT name, COUNT(*) FROM sys.databases", 8120, "not contained in either an aggregate function"),
        ("SELECT CAST('x' AS int)", 245, "Conversion failed when converting the varchar value 'x' to data type int."),
        ("SELECT name FROM sys.databases LIMIT 3", 102, "Incorrect syntax near '3'."),
        ("SELECT '1'::int", 102, "Incorrect syntax near ':'."),
        ("SELECT TOP 3 WITH TIES name FROM sys.databases ORDER BY name", 50000, "PERCENT or TIES"),
        ("SELECT name FROM sys.databases GROUP BY name WITH ROLLUP", 50000, "GROUP BY rollup"),
        ("SELECT 'a' || 'b'", 50000, "DPipe"),
        ("SELECT 'open", 105, "Unclosed quotation mark after the character string 'open'."),
        ("SELECT name FROM (SELECT name FROM sys.databases ORDER BY name) AS d", 1033, "ORDER BY clause is invalid"),
        ("SELECT 1 UNION SELECT 1, 2", 205, "an equal number of expressions"),
    ],
)
def test_mistakes_are_errors_of_their_number(instance: Instance, sql: str, number: int, text: str) -> None:
    """Database Engine events and errors."""
    with pytest.raises(Failed) as caught:
        instance.execute(sql)
    message = caught.value.messages[-1]
    assert message.number == number, message
    assert text in message.text


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT 7 / 2", 3),
        ("SELECT 7 / 2.0", Decimal("3.500000")),
        ("SELECT N'a' + 'b'", "ab"),
        ("SELECT CONVERT(varchar(34), 0x01AB, 1)", "0x01AB"),
        ("SELECT CONVERT(varbinary(8), '0x01AB', 1)", b"\x01\xab"),
        ("SELECT LEN('ab  ')", 2),
        ("SELECT 1 WHERE 'SA' = 'sa'", 1),
        ("SELECT 1 WHERE 'a_b' LIKE 'A[_]%'", 1),
        ("SELECT CASE WHEN 'a' COLLATE Latin1_General_BIN2 = 'A' THEN 1 ELSE 0 END", 0),
        ("SELECT ISNULL(NULL, 'x') + QUOTENAME('a]b')", "x[a]]b]"),
        ("SELECT CAST(SERVERPROPERTY('ProductMajorVersion') AS int)", 16),
    ],
)
def test_expressions_have_the_types_of_t_sql(instance: Instance, sql: str, expected: object) -> None:
    """Data type precedence; Precision, scale, and length; CAST and CONVERT; Collation and Unicode support."""
    assert instance.execute(sql) == [(expected,)]


@pytest.mark.parametrize(
    ("test", "names"),
    [
        ("name LIKE N'm%'", {"master", "model", "msdb"}),
        ("name NOT LIKE N'm%'", {"tempdb"}),
        ("NOT name LIKE N'm%'", {"tempdb"}),
        ("name NOT LIKE N'm!%' ESCAPE N'!' AND name NOT LIKE N'%[bc]'", {"master", "model"}),
    ],
)
def test_patterns_and_their_opposite(instance: Instance, test: str, names: set[str]) -> None:
    """LIKE (Transact-SQL)."""
    assert {row[0] for row in instance.execute(f"SELECT name FROM sys.databases WHERE {test}")} == names


def test_a_condition_that_fails_ends_the_batch_with_its_error(instance: Instance) -> None:
    with pytest.raises(Failed, match=r"Invalid object name 'sys\.nope'"):
        instance.execute("IF EXISTS (SELECT 1 FROM sys.nope) SELECT 1")


def test_two_conditions_in_one_batch(instance: Instance) -> None:
    sql = "IF SUSER_ID(N'nobody') IS NULL SELECT 1; IF USER_ID(N'nobody') IS NULL SELECT 2"
    assert instance.execute(sql) == [(2,)]


def test_names_count_by_case_where_the_collation_says_so() -> None:
    """Collation and Unicode support: identifiers follow the collation too."""
    strict = Instance(collation="Latin1_General_CS_AS")
    assert strict.execute("SELECT 1 WHERE 'SA' = 'sa'") == []
    for sql in ("SELECT NAME FROM sys.databases", "SELECT name FROM SYS.DATABASES"):
        with pytest.raises(Failed, match="Invalid"):
            strict.execute(sql)


def test_a_column_of_a_later_version_is_unknown_to_an_earlier_one() -> None:
    """sys.databases: is_ledger_on applies to SQL Server 2022 and later."""
    assert Instance().execute("SELECT is_ledger_on FROM sys.databases WHERE database_id = 1") == [(False,)]
    with pytest.raises(Failed, match="Invalid column name 'is_ledger_on'"):
        Instance(version="13.0.7000.1").execute("SELECT is_ledger_on FROM sys.databases")


def test_go_is_a_word_of_clients(instance: Instance) -> None:
    """SQL Server utilities statements - GO: the server does not know it."""
    answers = list(instance.session().run("GO"))
    assert "Could not find stored procedure 'GO'." in str(answers[0])


def test_rows_as_json_and_their_hash(instance: Instance) -> None:
    """Format query results as JSON with FOR JSON; HASHBYTES: the bytes of a national text are UTF-16."""
    sql = "SELECT 1 AS id, N'a\"b' AS t, NULL AS n, 0x01FF AS b FOR JSON PATH, INCLUDE_NULL_VALUES"
    assert instance.execute(sql) == [('[{"id":1,"t":"a\\"b","n":null,"b":"Af8="}]',)]
    hashed = (
        "SELECT CONVERT(varchar(64), HASHBYTES('SHA2_256', N'a'), 2), "
        "CONVERT(bigint, SUBSTRING(0xFFFFFFFFFFFFFFFE00, 1, 8))"
    )
    expected = hashlib.sha256("a".encode("utf-16-le")).hexdigest().upper()
    assert instance.execute(hashed) == [(expected, -2)]


def test_batch_runs_on_after_an_error_of_one_statement(instance: Instance) -> None:
    """SET XACT_ABORT; TRY…CATCH; control of flow."""
    answers = [one for one in instance.session().run("DROP LOGIN nobody; SELECT 1") if isinstance(one, Rows)]
    assert answers[0].rows == [(1,)]
    caught = "BEGIN TRY DROP LOGIN nobody END TRY BEGIN CATCH SELECT ERROR_NUMBER() END CATCH"
    assert instance.execute(caught) == [(15151,)]
    loop = "WHILE @n < 3 BEGIN SET @n = @n + 1; IF @n = 2 PRINT 'two' ELSE PRINT 'other' END SELECT @n"
    loop = f"DECLARE @n int = 0; {loop}"
    assert instance.execute(loop) == [(3,)]


def test_parameters_of_a_text_that_is_executed(instance: Instance) -> None:
    """sp_executesql."""
    sql = "EXEC sp_executesql N'SELECT name FROM sys.databases WHERE database_id = @p', N'@p int', @p = 4"
    assert instance.execute(sql) == [("msdb",)]
    rows = [one.rows for one in instance.session().run("SELECT @P1 + 1", {"@P1": 41}) if isinstance(one, Rows)]
    assert rows == [[(42,)]]


def test_what_the_model_does_not_know_is_an_error(instance: Instance) -> None:
    for sql in ("SELECT 1 FOR XML PATH('')", "DECLARE c CURSOR FOR SELECT 1", "ALTER RESOURCE GOVERNOR RECONFIGURE"):
        with pytest.raises(Failed, match=r"does not know|Incorrect syntax"):
            instance.execute(sql)
