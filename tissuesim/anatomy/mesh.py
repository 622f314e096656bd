"""One triangle surface: edges, borders, signed volume, area. NumPy only."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray


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

    @cached_property
    def heights(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Lowest and highest z of each triangle (t,), mm."""
        z = self.points[:, 2][self.triangles]
        return z.min(axis=1), z.max(axis=1)


@dataclass(frozen=True)
class Edges:
    """The edges of a mesh, each once: ends (e, 2) in rising order, and the triangles that use them."""

    ends: NDArray[np.int64]
    of_triangle: NDArray[np.int64]  # (t, 3): the edges 0-1, 1-2, 2-0
    forward: NDArray[np.bool_]  # (t, 3): whether the triangle runs from the lower to the higher point
    count: NDArray[np.int64]  # (e,): how many triangles use it

    @classmethod
    def of(cls, triangles: NDArray[np.int64]) -> Edges:
        """Return the edges of triangles (t, 3)."""
        runs = triangles[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2)
        ends, number, count = np.unique(
            np.sort(runs, axis=1), axis=0, return_inverse=True, return_counts=True
        )
        return cls(ends, number.reshape(-1, 3), (runs[:, 0] < runs[:, 1]).reshape(-1, 3), count)

    @property
    def open(self) -> NDArray[np.bool_]:
        """Edges where the surface ends or branches oddly: used by an odd number of triangles."""
        return np.asarray(self.count % 2 == 1)

    def balance(self) -> NDArray[np.int64]:
        """Return (e,) how often an edge is run upwards minus downwards; 0 where neighbors are wound alike."""
        signs = np.where(self.forward, 1.0, -1.0).reshape(-1)
        return np.bincount(self.of_triangle.reshape(-1), signs, len(self.ends)).astype(np.int64)

    def consistent(self) -> bool:
        """Return whether every closed edge is run through as often one way as the other, every open one once."""
        return bool((np.abs(self.balance()) == self.open).all())


def signed_volume(mesh: Mesh) -> float:
    """Return sum(a . (b x c)) / 6 in mm^3: the volume of a closed surface, positive if it faces out."""
    a, b, c = (mesh.points[mesh.triangles[:, k]] - mesh.points.mean(axis=0) for k in range(3))
    return float(np.einsum("ij,ij->", a, np.cross(b, c)) / 6)


def area(mesh: Mesh, triangles: NDArray[np.int64] | None = None) -> float:
    """Return the surface area in mm^2 of the mesh or of the given triangles."""
    corners = mesh.points[mesh.triangles if triangles is None else triangles]
    normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    return float(np.linalg.norm(normal, axis=1).sum() / 2)


def connected(pairs: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """Return (count,) the smallest number of each one's connected set; ``pairs`` (k, 2) are the links.

    Labels sink to the lowest linked label and then to their label's label until nothing changes.
    """
    label = np.arange(count)
    while True:
        lower = label.copy()
        low = np.minimum(label[pairs[:, 0]], label[pairs[:, 1]])
        for side in (0, 1):
            np.minimum.at(lower, label[pairs[:, side]], low)
            np.minimum.at(lower, pairs[:, side], low)
        while not np.array_equal(lower, jumped := lower[lower]):
            lower = jumped
        if np.array_equal(lower, label):
            return label
        label = lower
