"""Faces of an unstructured graph put into six slots, such that slot k of one side is slot k ^ 1 of the other.

Voxels have this by nature (-x against +x). For any graph with at most six neighbors it can be had too: orient the edges
so that no node has more than three going out or coming in (trails of Euler; J. Petersen, "Die Theorie der regulaeren
graphs", Acta Mathematica 15 (1891) 193-220), and color them with three colors so that no node has two of one color
going out, or coming in (D. Koenig, 1916: a bipartite graph of degree 3 needs three). Slot 2 c holds the edge of color c
that goes out, slot 2 c + 1 the one that comes in. All operators then work on the graph as they do on voxels.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

COLORS = 3
NONE = -1


def six_slots(n: int, first: NDArray[np.int64], second: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the slot of each edge at its first node, (edges,); at its second node it is that slot ^ 1.

    Edges join nodes ``first`` and ``second`` (edges,), numbers below ``n``, no node more than six times.
    Raises ValueError where one has more.
    """
    degree = np.bincount(first, minlength=n) + np.bincount(second, minlength=n)
    if degree.max(initial=0) > 2 * COLORS:
        raise ValueError(f"a node has {degree.max()} neighbors; six slots hold at most {2 * COLORS}")
    forward = _orient(n, first.tolist(), second.tolist(), degree)
    tail, head = np.where(forward, first, second), np.where(forward, second, first)
    color = _color(n, tail.tolist(), head.tolist())
    return np.where(forward, 2 * color, 2 * color + 1)


def _orient(
    n: int, first: Sequence[int], second: Sequence[int], degree: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Return whether each edge goes from its first to its second node, as many in as out up to one.

    Nodes of odd degree are joined to one more node, so that every trail comes back to where it began.
    """
    ends_a, ends_b = list(first), list(second)
    for node in np.flatnonzero(degree % 2).tolist():
        ends_a.append(node)
        ends_b.append(n)
    at_node: list[list[int]] = [[] for _ in range(n + 1)]
    for edge, (a, b) in enumerate(zip(ends_a, ends_b, strict=True)):
        at_node[a].append(edge)
        at_node[b].append(edge)
    forward: list[bool | None] = [None] * len(ends_a)
    for start in range(n + 1):
        node = start
        while at_node[node]:
            edge = at_node[node].pop()
            if forward[edge] is None:
                forward[edge] = ends_a[edge] == node
                node = ends_b[edge] if forward[edge] else ends_a[edge]
    return np.array(forward[: len(first)], dtype=np.bool_)


def _color(n: int, tail: Sequence[int], head: Sequence[int]) -> NDArray[np.int64]:
    """Return a color below three per edge: no two of one color leave a node, no two of one color reach it."""
    leaving = [[NONE] * COLORS for _ in range(n)]
    reaching = [[NONE] * COLORS for _ in range(n)]
    colors = [NONE] * len(tail)
    for edge, (start, end) in enumerate(zip(tail, head, strict=True)):
        free_here = leaving[start].index(NONE)
        free_there = reaching[end].index(NONE)
        if reaching[end][free_here] != NONE:
            _swap(free_here, free_there, end, tail, head, leaving, reaching, colors)
        colors[edge] = free_here
        leaving[start][free_here] = reaching[end][free_here] = edge
    return np.array(colors, dtype=np.int64)


def _swap(
    a: int,
    b: int,
    end: int,
    tail: Sequence[int],
    head: Sequence[int],
    leaving: list[list[int]],
    reaching: list[list[int]],
    colors: list[int],
) -> None:
    """Exchange the colors a and b along the path that reaches ``end`` with a, so that a is free there."""
    path, color, node, at_head = [], a, end, True
    while True:
        edge = reaching[node][color] if at_head else leaving[node][color]
        if edge == NONE:
            break
        path.append(edge)
        node = tail[edge] if at_head else head[edge]
        at_head, color = not at_head, b if color == a else a
    for edge in path:
        leaving[tail[edge]][colors[edge]] = reaching[head[edge]][colors[edge]] = NONE
    for edge in path:
        colors[edge] = b if colors[edge] == a else a
        leaving[tail[edge]][colors[edge]] = reaching[head[edge]][colors[edge]] = edge
