"""The stumps of the great vessels of the built-in heart: open tubes that connect the chambers to the outside."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .lattice import Point
from .primitives import Coordinates, Values, tube

_CLEARANCE = 12.0  # mm by which a lumen goes on beyond its stump, so that the end is open


@dataclass(frozen=True)
class Stump:
    """A straight piece of vessel in the heart's axes p, q, w (mm), cut flat at ``end`` if ``open``."""

    start: Point
    end: Point
    radius: float  # of the lumen
    wall: float
    open: bool = True

    @property
    def length(self) -> float:
        """Length in mm."""
        return float(sum((b - a) ** 2 for a, b in zip(self.start, self.end, strict=True)) ** 0.5)


# Directions of the body in the heart's axes: up (-0.32, 0.79, 0.53), left (-0.74, 0.15, -0.66),
# back (-0.60, -0.60, 0.53).
AORTIC_ROOT = Stump((8.0, 13.0, 18.0), (7.0, 19.0, 38.0), 12.0, 2.0, open=False)
GREAT_VESSELS = (
    AORTIC_ROOT,
    Stump((7.0, 19.0, 38.0), (2.0, 45.0, 60.0), 12.0, 2.0),  # ascending aorta, up
    Stump((14.0, 41.0, 20.0), (-17.0, 54.0, 31.0), 11.0, 1.8),  # pulmonary trunk, left, back and up
    Stump((46.0, 6.0, 44.0), (35.0, 33.0, 62.0), 9.0, 1.5),  # superior vena cava
    Stump((46.0, -16.0, 42.0), (54.0, -42.0, 30.0), 11.0, 1.5),  # inferior vena cava
    Stump((-16.0, -9.0, 46.0), (-42.0, -15.0, 46.0), 6.0, 1.5),  # left upper pulmonary vein
    Stump((-16.0, -18.0, 38.0), (-38.0, -32.0, 33.0), 6.0, 1.5),  # left lower pulmonary vein
    Stump((0.0, -10.0, 50.0), (4.0, -16.0, 72.0), 6.0, 1.5),  # right upper pulmonary vein
    Stump((-4.0, -18.0, 44.0), (4.0, -38.0, 60.0), 6.0, 1.5),  # right lower pulmonary vein
)


def vessel_forms(at: Coordinates) -> tuple[list[Values], list[Values]]:
    """Return the signed distances (mm) of the lumens and of the outer forms of all stumps.

    Of a stump that is far from all points only a lower bound of the distance is returned: the sign is right.
    """
    lowest = [float(values.min()) for values in at]
    highest = [float(values.max()) for values in at]
    lumens, outers = [], []
    for stump in GREAT_VESSELS:
        further = 1.0 + (_CLEARANCE / stump.length if stump.open else 0.0)
        x, y, z = (a + further * (b - a) for a, b in zip(stump.start, stump.end, strict=True))
        gap = _gap(stump, (x, y, z), lowest, highest)
        if gap > 0:
            lumens.append(np.full((), gap + stump.wall))
            outers.append(np.full((), gap))
            continue
        distance, along = tube(at, stump.start, (x, y, z))
        outer = distance - (stump.radius + stump.wall)
        lumens.append(distance - stump.radius)
        outers.append(np.maximum(outer, along - stump.length) if stump.open else outer)
    return lumens, outers


def _gap(stump: Stump, end: Point, lowest: list[float], highest: list[float]) -> float:
    """Return the distance (mm) between two boxes: the points' and the stump's, 0 or less if they meet."""
    thick = stump.radius + stump.wall
    return max(
        max(low - (max(a, b) + thick), (min(a, b) - thick) - high)
        for low, high, a, b in zip(lowest, highest, stump.start, end, strict=True)
    )
