"""The fewest edges whose removal parts two nodes (a minimum cut, by the method of Edmonds and Karp).

Of several smallest cuts the one nearest to the source is taken: it concerns the fewest others.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Sequence
from typing import Generic, NamedTuple, TypeVar

__all__ = ["Edge", "minimal_cut"]

T = TypeVar("T")


class Edge(NamedTuple, Generic[T]):
    """One way from a node to another; without ``label`` it cannot be removed."""

    start: Hashable
    end: Hashable
    label: T | None


def minimal_cut(edges: Sequence[Edge[T]], source: Hashable, sink: Hashable) -> list[T] | None:
    """The labels of a smallest cut, in the order of ``edges``; None when only unremovable edges are left."""
    flow = [0] * len(edges)
    leaving: dict[Hashable, list[int]] = {}
    entering: dict[Hashable, list[int]] = {}
    for number, edge in enumerate(edges):
        leaving.setdefault(edge.start, []).append(number)
        entering.setdefault(edge.end, []).append(number)
    while True:
        came_by = _search(edges, flow, leaving, entering, source)
        if sink not in came_by:
            return [
                edge.label
                for edge in edges
                if edge.label is not None and edge.start in came_by and edge.end not in came_by
            ]
        if not _augment(edges, flow, came_by, sink):
            return None


def _search(
    edges: Sequence[Edge[T]],
    flow: Sequence[int],
    leaving: dict[Hashable, list[int]],
    entering: dict[Hashable, list[int]],
    source: Hashable,
) -> dict[Hashable, int | None]:
    """Every node that can still be reached, and the edge by which it was (negative, less one: against its sense)."""
    came_by: dict[Hashable, int | None] = {source: None}
    waiting = deque([source])
    while waiting:
        node = waiting.popleft()
        for number in leaving.get(node, ()):
            if edges[number].end not in came_by and (edges[number].label is None or flow[number] == 0):
                came_by[edges[number].end] = number
                waiting.append(edges[number].end)
        for number in entering.get(node, ()):
            if edges[number].start not in came_by and flow[number] > 0:
                came_by[edges[number].start] = -number - 1
                waiting.append(edges[number].start)
    return came_by


def _augment(edges: Sequence[Edge[T]], flow: list[int], came_by: dict[Hashable, int | None], sink: Hashable) -> bool:
    """Send one more unit along the way that was found; False when nothing on it can be removed."""
    removable, node = False, sink
    while (number := came_by[node]) is not None:
        if number >= 0:
            flow[number] += 1
            removable |= edges[number].label is not None
            node = edges[number].start
        else:
            flow[-number - 1] -= 1
            removable = True
            node = edges[-number - 1].end
    return removable
