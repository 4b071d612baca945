"""What stands for a row: two different rows never have one text."""

from __future__ import annotations

from dbops_mysql.backup.row import Column, expression


def column(name: str, kind: str, **more: object) -> Column:
    plain = Column(name=name, type=kind)
    return Column(**{**{field: getattr(plain, field) for field in plain.__struct_fields__}, **more})


def test_numbers_and_times_are_what_the_server_prints() -> None:
    columns = [column("a", "int"), column("b", "datetime", nullable=False), column("c", "double")]
    assert expression(columns) == "CONCAT_WS(',', IFNULL(`a`, '-'), `b`, IFNULL(`c`, '-'))"


def test_a_text_comes_after_its_length_and_null_is_not_empty() -> None:
    short = column("s", "varchar", charset="utf8mb4", collation="utf8mb4_bin", octets=80)
    assert expression([short]) == "CONCAT_WS(',', IFNULL(LENGTH(`s`), '-'), `s`)"
    sure = column("s", "varchar", charset="utf8mb4", collation="utf8mb4_bin", octets=80, nullable=False)
    assert expression([sure]) == "CONCAT_WS(',', LENGTH(`s`), `s`)"


def test_a_long_value_is_hashed_by_itself() -> None:
    long = column("t", "longtext", charset="utf8mb4", collation="utf8mb4_bin", octets=4294967295)
    assert "IF(LENGTH(`t`) > 1000, SHA2(`t`, 256), `t`)" in expression([long])
    assert "IF(LENGTH(`t`) > 1000, SHA2(`t`, 256), `t`)" in expression([column("t", "blob", octets=65535)])


def test_texts_of_several_collations_are_taken_as_bytes() -> None:
    one = column("a", "char", charset="utf8mb4", collation="utf8mb4_bin", octets=40)
    other = column("b", "char", charset="latin1", collation="latin1_swedish_ci", octets=10)
    assert "CAST(`a` AS BINARY)" in expression([one, other])
    assert "CAST(`a` AS BINARY)" in expression([one, column("x", "varbinary", octets=10)])
    assert "CAST(`a` AS BINARY)" not in expression([one])
    assert "CAST(`b` AS BINARY)" in expression([other])


def test_values_without_a_text_of_their_own() -> None:
    assert "IFNULL(`b` + 0, '-')" in expression([column("b", "bit")])
    assert "SHA2(CAST(`g` AS BINARY), 256)" in expression([column("g", "point")])
    assert "SHA2(CAST(`j` AS CHAR CHARACTER SET utf8mb4), 256)" in expression([column("j", "json")])
    assert "SHA2(CAST(`v` AS BINARY), 256)" in expression([column("v", "vector")])


def test_a_table_without_columns_that_hold_anything() -> None:
    assert expression([]) == "''"


def test_a_hostile_name_is_a_name() -> None:
    assert expression([column("a`b,'%", "int", nullable=False)]) == "CONCAT_WS(',', `a``b,'%`)"
