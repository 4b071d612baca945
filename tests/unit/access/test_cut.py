"""The smallest cut, against trying all of them."""

from __future__ import annotations

from collections.abc import Hashable
from itertools import combinations

from hypothesis import example, given
from hypothesis import strategies as st

from dbops.access.cut import Edge, minimal_cut

nodes = st.integers(0, 5)
edges_of = st.lists(st.tuples(nodes, nodes, st.booleans()), max_size=9)
# The way that is found first takes the bridge 1-3, which the two separate ways do not use.
BRIDGE = [(0, 1), (1, 3), (1, 4), (0, 2), (2, 3), (3, 5), (4, 5)]


def reaches(edges: list[Edge[int]], gone: set[int]) -> bool:
    seen: set[Hashable] = {0}
    while True:
        more = {edge.end for edge in edges if edge.start in seen and edge.label not in gone} - seen
        if not more:
            return 5 in seen
        seen |= more


@example([(start, end, True) for start, end in BRIDGE])
@example([(start, end, start != 3) for start, end in BRIDGE])
@given(edges_of)
def test_it_parts_and_nothing_smaller_does(drawn: list[tuple[int, int, bool]]) -> None:
    edges = [Edge(start, end, number if removable else None) for number, (start, end, removable) in enumerate(drawn)]
    cut = minimal_cut(edges, 0, 5)
    labels = [edge.label for edge in edges if edge.label is not None]
    if cut is None:
        assert reaches(edges, set(labels))
        return
    assert not reaches(edges, set(cut))
    for smaller in combinations(labels, len(cut) - 1) if cut else ():
        assert reaches(edges, set(smaller))


def test_of_two_the_nearer_to_the_source() -> None:
    assert minimal_cut([Edge("a", "b", 1), Edge("b", "c", 2)], "a", "c") == [1]


def test_a_way_that_was_taken_too_early_is_given_back() -> None:
    assert minimal_cut([Edge(start, end, (start, end)) for start, end in BRIDGE], 0, 5) == [(0, 1), (0, 2)]


def test_a_node_is_not_parted_from_itself() -> None:
    assert minimal_cut([Edge("a", "b", 1)], "a", "a") is None
