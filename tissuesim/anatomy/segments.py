"""Tubes as straight segments with a radius: distances to them, and plexuses that are made of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .lattice import Lattice
from .noise import uniform_numbers

Points = NDArray[np.float64]  # (n, 3): x, y, z in mm


@dataclass(frozen=True)
class Segments:
    """n straight tubes from ``start`` to ``end`` (n, 3), of ``radius`` (n, 2) at their two ends, in mm."""

    start: Points
    end: Points
    radius: NDArray[np.float64]

    @classmethod
    def along(cls, path: list[tuple[float, float, float]], radius: float | list[float]) -> Segments:
        """Return the tubes along a path; ``radius`` one number or one per point."""
        points = np.asarray(path, dtype=np.float64)
        wide = np.broadcast_to(np.asarray(radius, dtype=np.float64), len(points))
        return cls(points[:-1], points[1:], np.stack([wide[:-1], wide[1:]], axis=1))

    @classmethod
    def joined(cls, parts: list[Segments]) -> Segments:
        """Return all tubes of several sets."""
        return cls(*(np.concatenate([getattr(part, key) for part in parts]) for key in cls.__annotations__))


def distance_to_segments(lattice: Lattice, tubes: Segments, reach: float) -> NDArray[np.float64]:
    """Return the signed distance (mm) of cell centers to the surface of the tubes, at most ``reach``.

    |p - (a + s (b - a))| - (r_a + s (r_b - r_a)) with s = clip((p - a).(b - a) / |b - a|^2, 0, 1), the least over
    the tubes; exact for tubes of even radius.
    """
    result = np.full(lattice.shape, reach)
    axes = [axis.ravel() for axis in lattice.axes()]
    for start, end, (first, last) in zip(tubes.start, tubes.end, tubes.radius, strict=True):
        beyond = reach + max(first, last)
        low, high = np.minimum(start, end) - beyond, np.maximum(start, end) + beyond
        window = tuple(
            slice(*np.searchsorted(axis, (low[2 - k], high[2 - k]))) for k, axis in enumerate(axes)
        )
        if any(part.start == part.stop for part in window):
            continue
        z, y, x = (
            axis[part].reshape([-1 if k == j else 1 for j in range(3)])
            for k, (axis, part) in enumerate(zip(axes, window, strict=True))
        )
        from_start = (x - start[0], y - start[1], z - start[2])
        along = end - start
        squared = float(along[0] ** 2 + along[1] ** 2 + along[2] ** 2)
        if squared:
            share = np.clip(
                sum(value * step for value, step in zip(from_start, along, strict=True)) / squared, 0, 1
            )
        else:
            share = np.zeros((1, 1, 1))  # a ball
        across = sum(np.square(value - share * step) for value, step in zip(from_start, along, strict=True))
        distance = np.sqrt(across) - (first + share * (last - first))
        np.minimum(result[window], distance, out=result[window])
    return result


def near_vessels(distance: NDArray[np.float64], length: float, reach: float) -> NDArray[np.float64]:
    """Return exp(-distance / length), 1 in a lumen and 0 from ``reach`` on; lengths in mm."""
    return np.where(distance < reach, np.exp(-np.maximum(distance, 0.0) / length), 0.0)


def scattered_sites(half: float, apart: float, seed: int, stream: int) -> NDArray[np.float64]:
    """Return sites (n, 2) x, y in a square of half side ``half``: a hexagonal pattern, each moved at random.

    Neighbors are about ``apart`` mm away, never nearer than half of it.
    """
    rows = int(half / (apart * 0.866)) + 1
    columns = int(half / apart) + 1
    row, column = np.mgrid[-rows : rows + 1, -columns : columns + 1].reshape(2, -1)
    moved = (uniform_numbers(seed, stream, 2 * row.size).reshape(-1, 2) - 0.5) * 0.4 * apart
    sites = np.stack([(column + 0.5 * (row % 2) - 0.25) * apart, row * 0.866 * apart], axis=1) + moved
    return np.asarray(sites[(np.abs(sites) <= half).all(axis=1)])


def plexus(
    half: float, apart: float, height: float, radius: float, seed: int, stream: int, wander: float = 0.0
) -> Segments:
    """Return a horizontal net of vessels at ``height`` (z) with nodes about ``apart`` mm from each other.

    It covers a square of half side ``half`` and a node more on all sides, so that vessels end beyond it. One in five of
    the possible vessels is left out; nodes lie up to ``wander`` mm above or below.
    """
    sites = scattered_sites(half + apart, apart, seed, stream)
    lift = (uniform_numbers(seed, stream + 1, len(sites)) - 0.5) * 2 * wander
    nodes = np.column_stack([sites, height + lift])
    gap = np.square(sites[:, None] - sites[None]).sum(axis=2)
    first, second = np.nonzero(np.triu(gap < (1.35 * apart) ** 2, 1))
    kept = uniform_numbers(seed, stream + 2, len(first)) > 0.2
    first, second = first[kept], second[kept]
    return Segments(nodes[first], nodes[second], np.full((len(first), 2), radius))
