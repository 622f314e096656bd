"""Where organs lie in the body: which way each stands, its place in the trunk, and the outline of the trunk.

Body axes in mm: x to the patient's right, y forwards, z upwards from the bases of the lungs; the reader looks at the
front, so that the patient's right is at the left of the picture.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from .frames import Frame, Pictures

Vector = NDArray[np.float64]
KINDS = {  # kind of organ: words in names by which it is known
    "kidney": ("kidney", "renal"),
    "lungs": ("lung",),
    "heart": ("heart", "cardiac"),
    "skin": ("skin", "dermis"),
    "joint": ("joint", "knee"),
}
STANDING = {"lungs", "heart", "joint"}  # their own axes are those of the body
FRONT, UP = np.array([0.0, 1.0, 0.0]), np.array([0.0, 0.0, 1.0])

# Middles of the organs' boxes. The kidneys lie behind the peritoneum beside the spine, from the twelfth thoracic to
# the third lumbar vertebra, the right one lower by half a vertebra; the heart where it shares least room with the
# lungs, two thirds of it left of the midline. Drawn places, not measured ones.
MIDDLES = {
    "lungs": np.array([0.0, -4.5, 125.0]),
    "heart": np.array([-14.0, 43.0, 76.0]),
    "left kidney": np.array([-66.0, -40.0, -62.0]),
    "right kidney": np.array([66.0, -40.0, -76.0]),
}
TRUNK = (-205.0, 205.0, -190.0, 300.0)  # lowest and highest x and z that the picture of a body shows
BEHIND = -250.0  # y of the outline
# Right half of the outline (x, z): from the neck over shoulder and arm down, back up to the armpit, down the trunk.
HALF_OUTLINE = (
    (54, 360), (55, 300), (62, 276), (104, 256), (168, 240), (204, 214), (219, 160), (227, 80), (234, -20),
    (240, -140), (244, -300), (200, -300), (192, -150), (184, -30), (176, 50), (166, 112), (160, 62), (148, -10),
    (139, -80), (148, -140), (162, -200), (168, -300),
)  # fmt: skip
SMOOTH = 10  # points of the curve per point of the outline


@dataclass(frozen=True)
class Place:
    """Where an organ lies: a proper rotation by signed axes (3, 3) and the middle of its box, in body axes."""

    turn: Vector
    middle: Vector

    def points(self, points: Vector, own_middle: Vector) -> Vector:
        """Return points (n, 3) of the organ in body axes."""
        return np.asarray((points - own_middle) @ self.turn.T + self.middle)

    def box(self, values: NDArray[Any]) -> NDArray[Any]:
        """Return values (z, y, x) of the organ as a box along the body axes."""
        source = np.argmax(np.abs(self.turn), axis=1)
        turned = values.transpose(2, 1, 0).transpose(source)
        backwards = tuple(axis for axis in range(3) if self.turn[axis, source[axis]] < 0)
        return np.ascontiguousarray(np.flip(turned, backwards).transpose(2, 1, 0))


def organ_kind(name: str, settings: Mapping[str, Any]) -> str:
    """Return the kind of an organ (`KINDS`) from its ``kind``, its anatomy or its name, "" if none tells it."""
    told = (settings.get("kind"), settings.get("anatomy"), name)
    for text in (str(value).lower() for value in told if value):
        for kind, words in KINDS.items():
            if text == kind or any(word in text for word in words):
                return kind
    return ""


def place_in_body(pictures: Pictures) -> Place | None:
    """Return where the organ lies in the trunk, or None for one that is shown beside it."""
    kind = pictures.body_part
    if kind in ("lungs", "heart"):
        return Place(np.eye(3), MIDDLES[kind])
    if kind != "kidney":
        return None
    front, up = pictures.stance()
    medial = np.cross(up, front)
    right = "right" in pictures.organ.lower()
    if right:  # medial is to the reader's right, which is -x of the body
        return Place(np.stack([-medial, front, up]), MIDDLES["right kidney"])
    return Place(np.stack([medial, -front, up]), MIDDLES["left kidney"])


def placed(pictures: Pictures, place: Place) -> Pictures:
    """Return the organ in body axes: its arrays turned, its cells moved."""
    size = np.array(pictures.fraction.shape[::-1]) * pictures.spacing
    own_middle = pictures.origin + size / 2
    new_size = np.abs(place.turn) @ size

    def moved(frame: Frame) -> Frame:
        layers = tuple(
            replace(layer, positions=place.points(layer.positions, own_middle)) for layer in frame.layers
        )
        return replace(frame, values=place.box(frame.values), layers=layers)

    return replace(
        pictures,
        fraction=place.box(pictures.fraction),
        region=place.box(pictures.region),
        origin=place.middle - new_size / 2,
        frames=tuple(moved(frame) for frame in pictures.frames),
    )


def outline() -> Vector:
    """Return the outline (k, 3) of the trunk: a closed smooth curve behind the organs."""
    half = np.array(HALF_OUTLINE, dtype=np.float64)
    curve = _smooth(half)
    both = np.concatenate([curve, (curve * [-1.0, 1.0])[::-1]])
    return np.stack([both[:, 0], np.full(len(both), BEHIND), both[:, 1]], axis=1)


def _smooth(corners: Vector) -> Vector:
    """Return a curve (k, 2) through ``corners`` with continuous direction (Catmull-Rom)."""
    before, after = 2 * corners[0] - corners[1], 2 * corners[-1] - corners[-2]
    points = np.concatenate([[before], corners, [after]])
    t = np.linspace(0.0, 1.0, SMOOTH, endpoint=False)[:, None]
    pieces = [
        0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)
        for a, b, c, d in zip(points, points[1:], points[2:], points[3:], strict=False)
    ]
    return np.concatenate([*pieces, corners[-1:]])
