"""One triangle surface: welding, closing of open borders, signed volume. NumPy only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

WELD_TOLERANCE = 1e-3  # mm: points closer than this are one


@dataclass(frozen=True)
class Mesh:
    """A named part: points (p, 3) in mm and triangles (t, 3)."""

    name: str
    points: NDArray[np.float64]
    triangles: NDArray[np.int64]

    @property
    def lower(self) -> NDArray[np.float64]:
        """Lower corner of the bounding box, mm."""
        return np.asarray(self.points.min(axis=0))

    @property
    def upper(self) -> NDArray[np.float64]:
        """Upper corner of the bounding box, mm."""
        return np.asarray(self.points.max(axis=0))


@dataclass(frozen=True)
class Closing:
    """What had to be done to close a part: open edges, their loops, area of the fill as share of all area."""

    open_edges: int
    loops: int
    filled_share: float
    consistent: bool  # every edge is run through once each way, so a signed volume means something


def weld(mesh: Mesh) -> Mesh:
    """Return the mesh with points within 1 um merged and degenerate and doubled triangles dropped."""
    cells = np.round(mesh.points / WELD_TOLERANCE).astype(np.int64)
    _, first, number = np.unique(cells, axis=0, return_index=True, return_inverse=True)
    triangles = number.reshape(-1)[mesh.triangles]
    a, b, c = triangles.T
    triangles = triangles[(a != b) & (b != c) & (c != a)]
    _, keep = np.unique(np.sort(triangles, axis=1), axis=0, return_index=True)
    return Mesh(mesh.name, mesh.points[first], triangles[np.sort(keep)])


def signed_volume(mesh: Mesh) -> float:
    """Return sum(a . (b x c)) / 6 in mm^3: the volume of a closed surface, positive if it faces out."""
    a, b, c = (mesh.points[mesh.triangles[:, k]] - mesh.points.mean(axis=0) for k in range(3))
    return float(np.einsum("ij,ij->", a, np.cross(b, c)) / 6)


def area(mesh: Mesh, triangles: NDArray[np.int64] | None = None) -> float:
    """Return the surface area in mm^2 of the mesh or of the given triangles."""
    corners = mesh.points[mesh.triangles if triangles is None else triangles]
    normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    return float(np.linalg.norm(normal, axis=1).sum() / 2)


def close(mesh: Mesh) -> tuple[Mesh, Closing]:
    """Return the mesh with every open border closed by a fan to its center, and what was done.

    Edges used by an odd number of triangles form closed borders; a cone over each border makes every edge
    even, which is all that even-odd rasterization needs. A flat border gets its flat fill.
    """
    edges = mesh.triangles[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2)
    key, first, number, count = np.unique(
        np.sort(edges, axis=1), axis=0, return_index=True, return_inverse=True, return_counts=True
    )
    forward = np.where(edges[:, 0] < edges[:, 1], 1, -1)
    balance = np.bincount(number.reshape(-1), weights=forward, minlength=len(key))
    odd = count % 2 == 1
    border = edges[first[odd]]
    consistent = bool((np.abs(balance) == odd).all())
    if border.size == 0:
        return mesh, Closing(0, 0, 0.0, consistent)
    loop = _loops(border, len(mesh.points))
    names, loop_number = np.unique(loop, return_inverse=True)
    members = np.bincount(loop_number).astype(np.float64)
    middle = mesh.points[border].mean(axis=1)
    centers = np.stack([np.bincount(loop_number, weights=middle[:, k]) / members for k in range(3)], axis=1)
    apex = len(mesh.points) + loop_number.reshape(-1)
    fan = np.stack([border[:, 1], border[:, 0], apex], axis=1)
    closed = Mesh(mesh.name, np.concatenate([mesh.points, centers]), np.concatenate([mesh.triangles, fan]))
    share = area(closed, fan) / max(area(closed), 1e-300)
    return closed, Closing(len(border), len(names), share, consistent)


def _loops(border: NDArray[np.int64], points: int) -> NDArray[np.int64]:
    """Return for each border edge the smallest point number of its connected border."""
    label = np.arange(points)
    while True:
        lower = label.copy()
        np.minimum.at(lower, border[:, 0], label[border[:, 1]])
        np.minimum.at(lower, border[:, 1], label[border[:, 0]])
        lower = lower[lower]
        if np.array_equal(lower, label):
            return np.asarray(label[border[:, 0]])
        label = lower
