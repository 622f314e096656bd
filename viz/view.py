"""Where the camera stands and which quarter of the organ is cut away: plain geometry, no graphics."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]
AXES = np.eye(3)
TURN, TILT = np.deg2rad(-24.0), np.deg2rad(17.0)
MARGIN = 1.06
PICTURE_HEIGHT = 1300  # pixels
WIDEST, NARROWEST = 1.6, 0.62  # width over height
CUT_DEPTH = 0.03  # of the length of an organ, rounded: how far from a cut face cells are drawn
CUT_HEIGHT = -0.22  # of the half length: where the lower, uncut part begins


@dataclass(frozen=True)
class View:
    """A parallel projection and two cut planes.

    ``front``, ``across``, ``up`` are the organ's own directions: the shortest side of its box looks at the
    reader, the longest stands upright. What lies before ``center`` and above ``shelf`` is cut away.
    """

    front: Vector
    up: Vector
    center: Vector
    shelf: Vector
    toward_camera: Vector
    screen_right: Vector
    screen_up: Vector
    focus: Vector
    half_height: float  # mm of half the picture's height
    width: int  # pixels
    height: int
    depth: float  # mm from a cut face within which cells are drawn

    @property
    def mm_per_pixel(self) -> float:
        """Length of one pixel in the plane of the picture, mm."""
        return 2.0 * self.half_height / self.height

    def cut_away(self, points: Vector) -> NDArray[np.bool_]:
        """Return which ``points`` (n, 3) lie in the quarter that is cut away."""
        before = (points - self.center) @ self.front > 0.0
        return np.asarray(before & ((points - self.shelf) @ self.up > 0.0))

    def near_cut(self, points: Vector) -> NDArray[np.bool_]:
        """Return which ``points`` (n, 3) lie in the cut-away quarter, within ``depth`` of a cut face.

        Cells farther from it would seem to lie in tissue that they only stand before.
        """
        to_front = (points - self.center) @ self.front
        to_shelf = (points - self.shelf) @ self.up
        return np.asarray(self.cut_away(points) & (np.minimum(to_front, to_shelf) < self.depth))


def organ_view(
    points: Vector,
    *,
    tilted: bool = True,
    height: int = PICTURE_HEIGHT,
    stance: tuple[Vector, Vector] | None = None,
) -> View:
    """Return the view of an organ with tissue at ``points`` (n, 3) in mm; straight on if not tilted.

    ``stance`` is (front, up) of the organ; without it they follow from its box.
    """
    front, up = stance if stance is not None else organ_frame(points)
    return frame_view(points, front, up, (TURN, TILT) if tilted else (0.0, 0.0), height)


def organ_frame(points: Vector) -> tuple[Vector, Vector]:
    """Return (front, up) of an organ: the shortest side of its box looks at the reader, the longest stands up."""
    size = points.max(axis=0) - points.min(axis=0)
    shortest = int(np.argmin(size))
    longest = max((axis for axis in range(3) if axis != shortest), key=lambda axis: (size[axis], axis))
    # a flat organ lies on the ground and is seen from above
    return AXES[2] if shortest == 2 else -AXES[shortest], AXES[longest]


def frame_view(
    points: Vector, front: Vector, up: Vector, turn_tilt: tuple[float, float], height: int = PICTURE_HEIGHT
) -> View:
    """Return the view of ``points`` (n, 3) from the direction ``front``, turned and tilted by angles in rad."""
    turn, tilt = turn_tilt
    low, high = points.min(axis=0), points.max(axis=0)
    size, center = high - low, (low + high) / 2
    across = np.cross(up, front)
    toward = np.cos(tilt) * (np.cos(turn) * front + np.sin(turn) * across) + np.sin(tilt) * up
    right = np.cross(up, toward)
    right /= np.linalg.norm(right)
    screen_up = np.cross(toward, right)
    flat = points @ np.stack([right, screen_up]).T
    middle, half = (flat.max(axis=0) + flat.min(axis=0)) / 2, (flat.max(axis=0) - flat.min(axis=0)) / 2
    half = half * MARGIN + 1e-3
    aspect = float(np.clip(half[0] / half[1], NARROWEST, WIDEST))
    return View(
        front=front,
        up=up,
        center=center,
        shelf=center + CUT_HEIGHT * (size @ np.abs(up)) / 2 * up,
        toward_camera=toward,
        screen_right=right,
        screen_up=screen_up,
        focus=middle[0] * right + middle[1] * screen_up + (center @ toward) * toward,
        half_height=float(max(half[1], half[0] / aspect)),
        width=2 * round(height * aspect / 2),
        height=height,
        depth=nice_near(CUT_DEPTH * float(size.max())),
    )


def swung(points: Vector, still: View, turns: Vector) -> list[View]:
    """Return ``still`` turned about its up axis by each of ``turns`` (rad); all of ``points`` stay in each picture.

    The cut planes stay where they are in the organ, and the scale is the same in all.
    """
    views = [frame_view(points, still.front, still.up, (float(turn), TILT), still.height) for turn in turns]
    aspect = still.width / still.height
    half = max(max(view.half_height, view.half_height * view.width / view.height / aspect) for view in views)
    return [replace(view, half_height=half, width=still.width, height=still.height) for view in views]


def nice_near(value: float) -> float:
    """Return 1, 2, 3 or 5 times a power of ten, whichever is nearest to ``value``."""
    power = 10.0 ** np.floor(np.log10(value))
    return float(
        min((step * power for step in (1.0, 2.0, 3.0, 5.0, 10.0)), key=lambda step: abs(step - value))
    )
