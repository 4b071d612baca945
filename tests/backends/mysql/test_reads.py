"""What the stored query of a view names."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbops.model.access import Reads
from dbops_mysql.access.reads import Bodies, names_in

T, U = ("shop", "t"), ("shop", "u")


def test_whole_names() -> None:
    body = "select `shop`.`t`.`a` AS `a`,`shop`.`t`.`b` + 1 AS `n` from `shop`.`t` where `shop`.`t`.`c` > 0"
    assert names_in(body) == {T: {"a", "b", "c"}}
    assert names_in("select 1 AS `1`") == {}
    assert names_in("select count(0) AS `n` from `shop`.`t`") == {T: set()}


def test_aliases() -> None:
    body = (
        "select `x`.`a` AS `a`,max(`x`.`b`) AS `m`,`y`.`c` AS `c` from (`shop`.`t` `x` join `shop`.`u` `y`"
        " on((`x`.`i` = `y`.`i`))) group by `x`.`g`,`y`.`h`"
    )
    assert names_in(body) == {T: {"a", "b", "i", "g"}, U: {"c", "i", "h"}}
    assert names_in("select `x`.`a` AS `a` from `shop`.`t` AS `x`") == {T: {"a"}}
    assert names_in("select `x`.`a` AS `a` from `shop`.`t` PARTITION (`p0`,`p1`) `x`") == {T: {"a"}}
    assert names_in("select `t`.`a` AS `a` from `shop`.`t`") == {T: {"a"}}


@pytest.mark.parametrize(
    "column",
    ["`x`.`a` AS `shop`", "max(`x`.`shop`) AS `m`,`x`.`a` AS `u`", "`x`.`u` AS `u`,`x`.`shop` AS `shop`"],
)
def test_a_column_that_is_called_like_a_database_hides_no_table(column: str) -> None:
    assert names_in(f"select `x`.`i` AS `i`,{column} from `shop`.`u` `x`").keys() == {U}


def test_an_alias_that_is_called_like_a_database_makes_no_table() -> None:
    assert names_in("select `other`.`a` AS `a`,`other`.`b` AS `b` from `shop`.`t` `other`") == {T: {"a", "b"}}


@pytest.mark.parametrize("function", ["extract(year from `x`.`d`)", "trim(both 'from ' from `x`.`d`)"])
def test_from_inside_of_a_function_is_no_clause(function: str) -> None:
    assert names_in(f"select {function} AS `y` from `shop`.`t` `x` where ({function} = 1)") == {T: {"d"}}


def test_an_alias_means_what_its_own_select_says() -> None:
    body = (
        "select `x`.`a` AS `a`,(select max(`x`.`m`) from `shop`.`u` `x` where (`x`.`i` = `y`.`i`)) AS `m`"
        " from `shop`.`t` `x` join `shop`.`w` `y`"
    )
    assert names_in(body) == {U: {"m", "i"}, T: {"a"}, ("shop", "w"): {"i"}}
    both = "select `x`.`a` AS `a` from `shop`.`t` `x` union select `x`.`b` AS `b` from `shop`.`u` `x`"
    assert names_in(both) == {T: {"a"}, U: {"b"}}


def test_what_is_made_in_the_query_is_no_table() -> None:
    body = "select `d`.`a` AS `a` from (select `x`.`b` AS `a` from `shop`.`t` `x`) `d` where `d`.`a` is not null"
    assert names_in(body) == {T: {"b"}}
    inner = "select (select `x`.`c` from (select 1 AS `c`) `x`) AS `c`,`x`.`a` AS `a` from `shop`.`t` `x`"
    assert names_in(inner) == {T: {"a"}}
    common = "with `c` as (select `shop`.`t`.`a` AS `a` from `shop`.`t`) select `c`.`a` AS `a` from `c`"
    assert names_in(common) == {T: {"a"}}
    table = (
        "select `j`.`n` AS `n` from `shop`.`t` `x` join json_table(`x`.`doc`, '$[*]' columns (`n` int path '$')) `j`"
    )
    assert names_in(table) == {T: {"doc"}}


def test_functions_and_texts_are_no_names() -> None:
    body = "select `shop`.`f`(`x`.`a`,'`shop`.`u`.`b` \\' from `shop`.`u`') AS `it''s` from `shop`.`t` `x`"
    assert names_in(body) == {T: {"a"}}


def test_joins_of_all_sorts() -> None:
    body = (
        "select `a`.`i` AS `i` from ((`shop`.`t` `a` left join (`shop`.`u` `b` straight_join `x`.`v` `c`)"
        " on(`a`.`i` = `b`.`i` and `c`.`k` in (1,2))) join `x`.`w`)"
    )
    assert names_in(body) == {T: {"i"}, U: {"i"}, ("x", "v"): {"k"}, ("x", "w"): set()}
    assert set(names_in("select 1 AS `1` from `shop`.`t` `a`, `shop`.`u` where `a`.`i` in (`a`.`j`,`a`.`k`)")) == {T, U}


parts = st.text(st.sampled_from("`'.,() \\-aé"), min_size=1, max_size=6)


@given(parts, parts, parts)
def test_any_name_is_only_a_name(database: str, table: str, column: str) -> None:
    quoted = ["`" + one.replace("`", "``") + "`" for one in (database, table, column)]
    body = f"select {'.'.join(quoted)} AS {quoted[0]} from {quoted[0]}.{quoted[1]}"
    assert names_in(body) == {(database, table): {column}}
    body = f"select 1 AS `1`,{quoted[2]}.{quoted[0]} AS {quoted[0]} from {quoted[0]}.{quoted[1]} {quoted[2]}"
    assert names_in(body) == {(database, table): {database}}


words = st.sampled_from(["(", ")", ",", " select ", " from ", " join ", " `a`.`b` ", " `a` ", "'", "x"])


@given(st.lists(words, max_size=12))
def test_a_text_that_is_no_query_raises_nothing(found: list[str]) -> None:
    assert all(path == ("a", "b") for path in names_in("".join(found)))


def test_only_what_is_there_is_read() -> None:
    places: dict[tuple[str, tuple[str, ...]], int] = {("table", T): 4, ("view", U): 7, ("sequence", ("shop", "s")): 9}
    found = Bodies(places, ()).reads(
        "select `x`.`b` AS `b`,`x`.`a` AS `a`,`g`.`c` AS `c` from `shop`.`t` `x` join `shop`.`u` join `shop`.`s`"
        " join `shop`.`gone` `g`"
    )
    assert found == (Reads(4, ("a", "b")), Reads(7, ()), Reads(9, ()))
