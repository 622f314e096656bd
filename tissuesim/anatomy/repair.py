"""Mending of one surface part: weld, turn triangles alike, close holes, tell shells from voids. NumPy only."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from .mesh import Edges, Mesh, area, connected, signed_volume
from .shells import arrange

WELD_TOLERANCE = 1e-3  # mm: points closer than this are one
_WIDER_WELDS = (1e-6, 1e-5, 1e-4)  # of the longest side: tried where a seam stays open


@dataclass(frozen=True)
class Mending:
    """What had to be done to make a solid of a part, and how sound the outcome is."""

    merged_points: int = 0
    dropped_triangles: int = 0  # without area, or there twice
    weld_tolerance: float = WELD_TOLERANCE
    turned_triangles: int = 0
    open_edges: int = 0  # of one triangle only, in the part as it was read, welded
    branching_edges: int = 0  # shared by more than two triangles
    loops: int = 0  # holes closed
    filled_share: float = 0.0  # area of the fill over all area
    consistent: bool = True  # every edge is run through once each way, so a signed volume means something
    bodies: int = 1
    voids: int = 0  # bodies inside a body
    overlapping: bool = False  # bodies that cross each other; they are united
    volume: float | None = None  # mm^3 from the signed volumes of the bodies, None where that means nothing

    @property
    def watertight(self) -> bool:
        """Whether the part was a closed surface before anything was filled."""
        return self.open_edges == 0 and self.branching_edges == 0

    @property
    def patched(self) -> bool:
        """Whether the part was wound at random or branches, so that its patches may overlap."""
        return not self.consistent or self.turned_triangles > 0 or self.branching_edges > 0

    def words(self) -> str:
        """Return what was done as a short phrase."""
        done = []
        if self.weld_tolerance > WELD_TOLERANCE:
            done.append(f"seams welded over {self.weld_tolerance:.2g} mm")
        if self.dropped_triangles:
            done.append(_count(self.dropped_triangles, "useless triangle") + " dropped")
        if self.turned_triangles:
            done.append(_count(self.turned_triangles, "triangle") + " turned")
        if self.loops:
            done.append(
                f"{_count(self.loops, 'hole')} closed ({_count(self.open_edges, 'open edge')}, "
                f"{self.filled_share:.1%} of the area)"
            )
        if self.branching_edges:
            done.append(_count(self.branching_edges, "branching edge"))
        if self.overlapping:
            done.append(f"{self.bodies} crossing shells united")
        elif self.bodies > 1:
            voids = f", {self.voids} of them around a void" if self.voids else ""
            done.append(_count(self.bodies, "shell") + voids)
        state = "watertight" if self.watertight else "mended"
        return ": ".join(filter(None, [state, ", ".join(done)]))


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")


def weld(mesh: Mesh, tolerance: float = WELD_TOLERANCE) -> Mesh:
    """Return the mesh with close points merged, degenerate and doubled triangles dropped.

    Points nearer than half a ``tolerance`` (mm) along each axis are merged for sure, farther than eight times that
    never. The answer does not depend on the order of points, triangles or their corners.
    """
    points, triangles = mesh.points, mesh.triangles
    order = np.lexsort(points.T[::-1])
    place = np.empty(len(points), np.int64)
    place[order] = np.arange(len(points))
    points, triangles = points[order], place[triangles]
    for shift in np.ndindex(
        2, 2, 2
    ):  # on grids shifted by half a cell, so that one of them parts no close pair
        cells = np.floor(points / tolerance + 0.5 * (1 + np.array(shift))).astype(np.int64)
        _, first, number = np.unique(_one_number(cells), return_index=True, return_inverse=True)
        lowest = np.sort(first)
        rank = np.empty(len(first), np.int64)
        rank[np.argsort(first)] = np.arange(len(first))
        points, triangles = points[lowest], rank[number.reshape(-1)][triangles]
    a, b, c = triangles.T
    triangles = triangles[(a != b) & (b != c) & (c != a)]
    lowest_corner = np.argmin(triangles, axis=1) if len(triangles) else np.zeros(0, np.int64)
    turned = (lowest_corner[:, None] + np.arange(3)) % 3
    triangles = np.take_along_axis(triangles, turned, axis=1)
    _, keep = np.unique(np.sort(triangles, axis=1), axis=0, return_index=True)
    used, compact = np.unique(triangles[keep], return_inverse=True)
    return Mesh(mesh.name, points[used], compact.reshape(-1, 3))


def _one_number(cells: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return (p,) a number for each cell (p, 3), the same for the same cell."""
    cells = cells - cells.min(axis=0, initial=0)
    size = [int(count) + 1 for count in cells.max(axis=0, initial=0)]
    if size[0] * size[1] * size[2] >= 2**62:
        return np.unique(cells, axis=0, return_inverse=True)[1].reshape(-1)
    return np.asarray((cells[:, 0] * size[1] + cells[:, 1]) * size[2] + cells[:, 2])


def mend(mesh: Mesh) -> tuple[tuple[Mesh, ...], Mending]:
    """Return closed surfaces whose union (each filled by even-odd) is the part's solid, and what was done.

    The part must have finite points. One surface comes back unless its shells cross each other.
    """
    welded, tolerance = _weld_seams(mesh)
    if len(welded.triangles) == 0:
        return (welded,), Mending()
    turned, flips = turn_alike(welded)
    edges = Edges.of(turned.triangles)
    closed, loops, share = close(turned, edges)
    mending = Mending(
        merged_points=len(np.unique(mesh.triangles)) - len(welded.points),
        dropped_triangles=len(mesh.triangles) - len(welded.triangles),
        weld_tolerance=tolerance,
        turned_triangles=flips,
        open_edges=int(np.count_nonzero(edges.count == 1)),
        branching_edges=int(np.count_nonzero(edges.count > 2)),
        loops=loops,
        filled_share=share,
        consistent=edges.consistent(),
    )
    solids, bodies, voids, volume = arrange(closed)
    return solids, replace(
        mending,
        bodies=bodies,
        voids=voids,
        overlapping=len(solids) > 1,
        volume=volume if mending.consistent else None,
    )


def _weld_seams(mesh: Mesh) -> tuple[Mesh, float]:
    """Return the part welded with the smallest tolerance that leaves no seam open, else with 1 um."""
    welded = weld(mesh)
    if len(welded.triangles) == 0:
        return welded, WELD_TOLERANCE
    open_edges = np.count_nonzero(Edges.of(welded.triangles).open)
    if open_edges:
        longest = float((welded.upper - welded.lower).max())
        for share in _WIDER_WELDS:
            tolerance = share * longest
            if tolerance <= WELD_TOLERANCE:
                continue
            wider = weld(mesh, tolerance)
            if len(wider.triangles) and not Edges.of(wider.triangles).open.any():
                return wider, tolerance
    return welded, WELD_TOLERANCE


def turn_alike(mesh: Mesh) -> tuple[Mesh, int]:
    """Return the mesh with neighbors wound alike across every edge of two triangles, and how many were turned.

    Each triangle stands twice in a graph, as it is and turned; edges link the states that fit. Of the two
    answers of a connected patch the one that turns fewer triangles is taken.
    """
    edges, count = Edges.of(mesh.triangles), len(mesh.triangles)
    order = np.argsort(edges.of_triangle.reshape(-1), kind="stable")
    start = np.cumsum(edges.count) - edges.count
    pair = order[start[edges.count == 2][:, None] + np.arange(2)]  # (k, 2) places in of_triangle
    owner, forward = pair // 3, edges.forward.reshape(-1)[pair]
    alike = np.where(forward[:, 0] != forward[:, 1], 0, count)  # neighbors wound alike run the edge both ways
    links = [np.stack([owner[:, 0], owner[:, 1] + alike], 1)]
    links.append(np.stack([owner[:, 0] + count, owner[:, 1] + count - alike], 1))
    label = connected(np.concatenate(links), 2 * count)
    keep, other = label[:count], label[count:]
    turned = keep > other  # equal where a patch has one side only, as a Moebius strip: left as it is
    patch = np.minimum(keep, other)
    share = np.bincount(patch, turned, count) / np.maximum(np.bincount(patch, minlength=count), 1)
    turned ^= (share > 0.5)[patch] & (keep != other)
    triangles = mesh.triangles.copy()
    triangles[turned] = triangles[turned][:, [0, 2, 1]]
    return Mesh(mesh.name, mesh.points, triangles), int(np.count_nonzero(turned))


def close(mesh: Mesh, edges: Edges | None = None) -> tuple[Mesh, int, float]:
    """Return the mesh with every open border closed by a fan to its center, how many, and their share of the area.

    Edges used by an odd number of triangles form closed borders; a cone over each border makes every edge
    even, which is all that even-odd rasterization needs. A flat border gets its flat fill.
    """
    edges = Edges.of(mesh.triangles) if edges is None else edges
    if not edges.open.any():
        return mesh, 0, 0.0
    ends = edges.ends[edges.open]
    upward = edges.balance()[edges.open] > 0
    border = np.where(upward[:, None], ends, ends[:, ::-1])
    loop = connected(ends, len(mesh.points))[ends[:, 0]]
    names, number = np.unique(loop, return_inverse=True)
    middle = mesh.points[ends].mean(axis=1)
    members = np.bincount(number).astype(np.float64)
    centers = np.stack([np.bincount(number, middle[:, k]) / members for k in range(3)], axis=1)
    fan = np.stack([border[:, 1], border[:, 0], len(mesh.points) + number.reshape(-1)], axis=1)
    points = np.concatenate([mesh.points, centers])
    closed = Mesh(mesh.name, points, np.concatenate([mesh.triangles, fan]))
    return closed, len(names), area(closed, fan) / max(area(closed), 1e-300)


def is_flat(mesh: Mesh) -> bool:
    """Return whether the part is thinner than a thousandth of its size in some direction, or has no area."""
    used = mesh.points[np.unique(mesh.triangles)]
    spread = np.linalg.svd(used - used.mean(axis=0), compute_uv=False)
    return bool(spread[-1] <= 1e-3 * spread[0] or area(mesh) <= 0)


def border_lines(mesh: Mesh) -> NDArray[np.float64]:
    """Return (k, 2, 3) the ends of all open and branching edges of a welded part: where it is no closed surface."""
    edges = Edges.of(mesh.triangles)
    return np.asarray(mesh.points[edges.ends[edges.open | (edges.count > 2)]])


__all__ = ["Mending", "border_lines", "close", "is_flat", "mend", "signed_volume", "turn_alike", "weld"]
