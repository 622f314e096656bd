"""How far the regions of an organ are moved apart so that each is seen whole: plain geometry, no graphics."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from .view import View, frame_view

if TYPE_CHECKING:
    from .frames import Pictures

GAP = 0.05  # of the height of the picture, between two parts of a row
NAME, LETTER = 0.1, 0.0135  # of the height of the picture: room for a name below a part, width of a letter
WANTED = 1.2  # width over height
SMALLEST = 4  # voxels of a part that is drawn
LEFT = 0.3  # of a part: what at least lies behind the cut if it is cut open
AROUND = 0.75  # of a part's extent on each axis: one that reaches so far around another is cut open
TURN, TILT = np.deg2rad(-24.0), np.deg2rad(12.0)
Vector = NDArray[np.float64]


@dataclass(frozen=True)
class Exploded:
    """Regions (k,) that are drawn, how far each is moved (k, 3) in mm, and which are cut open in front."""

    labels: NDArray[np.int64]
    moves: Vector
    cut_open: NDArray[np.bool_]
    boxes: Vector  # (k, 4): left, right, lower, upper end of each moved part in the plane of the picture, mm
    cut: View  # holds the cut plane

    def moved(self, dots: Vector, pictures: Pictures) -> Vector:
        """Return the ``dots`` (n, 3) moved with the regions they lie in; those of no drawn region are left out."""
        index = np.floor((dots - pictures.origin) / pictures.spacing).astype(np.int64)[:, ::-1]
        index = np.clip(index, 0, np.array(pictures.region.shape) - 1)
        region = pictures.region[tuple(index.T)]
        kept, moved = [], []
        before = (dots - self.cut.center) @ self.cut.front > 0.0
        for label, move, cut in zip(self.labels, self.moves, self.cut_open, strict=True):
            own = (region == label) & ~(before & cut)
            kept.append(np.flatnonzero(own))
            moved.append(dots[own] + move)
        order = np.argsort(np.concatenate(kept), kind="stable")
        return np.asarray(np.concatenate(moved)[order])


def explode(pictures: Pictures, height: int) -> tuple[Exploded, View]:
    """Return how the organ of ``pictures`` comes apart, and the view of its parts; ``height`` in pixels.

    The parts stand in rows, with room for their names below: what lay higher is never in a lower row, and within a
    row what lay left is left.
    """
    points = pictures.points()
    front, up = pictures.stance()
    whole = frame_view(points, front, up, (TURN, TILT), height)
    region = pictures.region[pictures.fraction > 0.0]
    labels = np.array([label for label in np.unique(region) if np.sum(region == label) >= SMALLEST])
    parts = [points[region == label] for label in labels]
    plane = np.stack([whole.screen_right, whole.screen_up], axis=1)
    behind = [float(np.mean((part - whole.center) @ front <= 0.0)) for part in parts]
    cut_open = np.array(
        [_surrounds(part, parts) and share > LEFT for part, share in zip(parts, behind, strict=True)]
    )
    seen = [
        part[(part - whole.center) @ front <= 0.0] if cut else part
        for part, cut in zip(parts, cut_open, strict=True)
    ]
    half = 0.5 * pictures.spacing
    low = np.array([(part @ plane).min(axis=0) - half for part in seen])
    high = np.array([(part @ plane).max(axis=0) + half for part in seen])
    letters = [len(pictures.region_names[label]) for label in labels]
    shift = in_rows((low + high) / 2, (high - low) / 2, np.array(letters))
    moves = shift @ plane.T
    boxes = np.stack(
        [(low + shift)[:, 0], (high + shift)[:, 0], (low + shift)[:, 1], (high + shift)[:, 1]], axis=1
    )
    apart = np.concatenate([part + move for part, move in zip(seen, moves, strict=True)])
    lowest = apart[np.argmin(apart @ whole.screen_up)]
    below = lowest - NAME * float(np.ptp(apart @ whole.screen_up)) * whole.screen_up
    apart = np.concatenate([apart, below[None]])
    view = frame_view(apart, front, up, (TURN, TILT), height)
    return Exploded(labels.astype(np.int64), moves, cut_open, boxes, whole), view


def in_rows(middle: Vector, half: Vector, letters: NDArray[np.int64]) -> Vector:
    """Return shifts (k, 2) that bring boxes of ``middle`` and ``half`` size (k, 2) into rows without overlap.

    ``letters`` (k,) are the lengths of their names; the number of rows is that whose width is nearest to `WANTED`
    times the height.
    """
    layouts = [_rows(middle, half, letters, rows) for rows in range(1, len(middle) + 1)]
    return min(layouts, key=lambda layout: layout[1])[0] - middle


def _rows(middle: Vector, half: Vector, letters: NDArray[np.int64], count: int) -> tuple[Vector, float]:
    """Return the middles of the boxes in ``count`` rows, and how far their shape is from the wanted one."""
    downwards = np.argsort(-middle[:, 1], kind="stable")
    rows = [row[np.argsort(middle[row, 0], kind="stable")] for row in np.array_split(downwards, count)]
    heights = [2.0 * half[row, 1].max() for row in rows]
    height = sum(heights) / (1.0 - min(NAME * count, 0.6))
    name, gap = NAME * height, GAP * height
    widths = np.maximum(2.0 * half[:, 0], LETTER * letters * height) + gap
    widest = max(float(widths[row].sum()) for row in rows)
    placed, top = np.empty_like(middle), 0.0
    for row, tall in zip(rows, heights, strict=True):
        left = -0.5 * float(widths[row].sum())
        for part in row:
            placed[part] = left + 0.5 * widths[part], top - tall + half[part, 1]
            left += float(widths[part])
        top -= tall + name
    return placed, abs(float(np.log(widest / (height * WANTED))))


def _surrounds(part: Vector, parts: list[Vector]) -> bool:
    """Return whether ``part`` lies around another one: its box holds most of that one's box on every axis."""
    low, high = part.min(axis=0), part.max(axis=0)
    for other in parts:
        if other is part:
            continue
        shared = np.minimum(high, other.max(axis=0)) - np.maximum(low, other.min(axis=0))
        size = np.maximum(other.max(axis=0) - other.min(axis=0), 1e-9)
        larger = np.all(high - low >= other.max(axis=0) - other.min(axis=0))
        if larger and np.all(shared / size > AROUND):
            return True
    return False
