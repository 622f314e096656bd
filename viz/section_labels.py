"""Where the name of a region fits into a section: in the middle of its widest part, once per picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .region_box import NOTHING

STEP = 3  # pixels; places are looked for on every third
CHARACTER, HEIGHT, ROOM = 6.6, 12.0, 10.0  # pixels of a letter, of a line, to either side


@dataclass(frozen=True)
class Place:
    """A name to be written in section ``section`` at (column, row) pixels from its upper left corner."""

    section: int
    label: int
    column: float
    row: float


def label_places(sections: Sequence[NDArray[np.uint8]], names: Mapping[int, str]) -> list[Place]:
    """Return at most one place per region: in the section, given as region numbers per pixel, with most room."""
    places = []
    for label, name in names.items():
        best, most = None, 0.0
        for number, section in enumerate(sections):
            row, column, radius = _widest(section[::STEP, ::STEP] == label)
            if radius * STEP > most and _fits(section, label, row * STEP, column * STEP, name):
                best, most = Place(number, label, column * STEP, row * STEP), radius * STEP
        if best is not None:
            places.append(best)
    return places


def _widest(mask: NDArray[np.bool_]) -> tuple[int, int, int]:
    """Return (row, column, rounds): the place that survives most rounds of wearing the mask off at its border.

    Rounds take four and eight neighbors in turn, so that what is left is nearly a disc; of the last places the one
    nearest to their mean.
    """
    left, rounds = np.pad(mask, 1), 0
    while left.any():
        last, rounds = left, rounds + 1
        left = last[:, :] & np.roll(last, 1, 0) & np.roll(last, -1, 0)
        if rounds % 2:
            left &= np.roll(last, 1, 1) & np.roll(last, -1, 1)
        else:
            left &= np.roll(left, 1, 1) & np.roll(left, -1, 1)
    if rounds == 0:
        return 0, 0, 0
    places = np.argwhere(last) - 1
    row, column = places[np.argmin(np.square(places - places.mean(axis=0)).sum(axis=1))]
    return int(row), int(column), rounds


def _fits(section: NDArray[np.uint8], label: int, row: int, column: int, name: str) -> bool:
    """Whether a name in the middle of (row, column) lies on its region alone."""
    half = (CHARACTER * len(name) / 2 + ROOM, HEIGHT / 2 + 2)
    left, right = int(column - half[0]), int(column + half[0])
    top, bottom = int(row - half[1]), int(row + half[1])
    if left < 0 or top < 0 or right >= section.shape[1] or bottom >= section.shape[0] or label == NOTHING:
        return False
    return bool(np.mean(section[top : bottom + 1, left : right + 1] == label) > 0.97)


def ink_on(color: NDArray[np.uint8]) -> str:
    """Return the color of letters that reads best on a color: nearly black, or white on dark grounds."""
    bright = float(np.array([0.299, 0.587, 0.114]) @ color)
    return "#16181D" if bright > 115 else "#FFFFFF"
