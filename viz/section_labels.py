"""Where the name of a region fits into a section: on its widest part or beside it, once per picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .region_box import NOTHING

STEP = 3  # pixels; places are looked for on every third
CHARACTER, HEIGHT, ROOM = 6.6, 12.0, 10.0  # pixels of a letter, of a line, to either side
FARTHEST = 150.0  # pixels from a region to its name on empty ground


@dataclass(frozen=True)
class Place:
    """A name to be written in section ``section`` at (column, row) pixels from its upper left corner.

    ``text`` is the name, in up to two lines. A name beside its region has a line to ``anchor`` (column, row) in it.
    """

    section: int
    label: int
    column: float
    row: float
    text: str
    anchor: tuple[float, float] | None = None

    def leader(self) -> tuple[tuple[float, float], tuple[float, float]]:
        """Return the ends (column, row) of the line from the rim of the text to the anchor."""
        assert self.anchor is not None
        across, upward = (
            length - margin for length, margin in zip(_half_size(self.text), (ROOM - 2, 0), strict=True)
        )
        way = self.anchor[0] - self.column, self.anchor[1] - self.row
        share = min(across / max(abs(way[0]), 1e-9), upward / max(abs(way[1]), 1e-9), 1.0)
        return (self.column + share * way[0], self.row + share * way[1]), self.anchor


def label_places(sections: Sequence[NDArray[np.uint8]], names: Mapping[int, str]) -> list[Place]:
    """Return at most one place per region: in the section, given as region numbers per pixel, with most room.

    A name stands on its region, in one line or two; where that is too thin, on empty ground near by.
    """
    found = {label: _on_region(sections, label, name) for label, name in names.items()}
    places = [place for place in found.values() if place is not None]
    for label, name in names.items():
        if found[label] is None:
            beside = _beside_region(sections, label, name, places)
            places += [] if beside is None else [beside]
    return places


def _on_region(sections: Sequence[NDArray[np.uint8]], label: int, name: str) -> Place | None:
    for text in _broken(name):
        best, most = None, 0.0
        for number, section in enumerate(sections):
            row, column, radius = _widest(section[::STEP, ::STEP] == label)
            if radius * STEP > most and _fits(section, label, row * STEP, column * STEP, text):
                best, most = Place(number, label, column * STEP, row * STEP, text), radius * STEP
        if best is not None:
            return best
    return None


def _beside_region(
    sections: Sequence[NDArray[np.uint8]], label: int, name: str, taken: Sequence[Place]
) -> Place | None:
    """Return the place on empty ground nearest to the widest part of a region, clear of other names; None if far."""
    best, least = None, FARTHEST
    for number, section in enumerate(sections):
        row, column, radius = _widest(section[::STEP, ::STEP] == label)
        if radius == 0:
            continue
        for text in _broken(name):
            half = _half_size(text)
            free = (section[::STEP, ::STEP] == NOTHING) & ~_covered(section.shape, number, taken)
            rows, columns = np.nonzero(_room_for(free, half))
            if not len(rows):
                continue
            far = np.hypot(rows - row, columns - column) * STEP
            near = int(np.argmin(far))
            if far[near] < least:
                least = float(far[near])
                anchor = (float(column * STEP), float(row * STEP))
                best = Place(
                    number, label, float(columns[near] * STEP), float(rows[near] * STEP), text, anchor
                )
    return best


def _broken(name: str) -> list[str]:
    """Return the name in one line, and in two of about equal length if it has several words."""
    words = name.split()
    twos = [" ".join(words[:k]) + "\n" + " ".join(words[k:]) for k in range(1, len(words))]
    return [name, *sorted(twos, key=lambda text: max(map(len, text.split("\n"))))[:1]]


def _half_size(text: str) -> tuple[float, float]:
    """Return half the width and height of a text with its margin, in pixels."""
    lines = text.split("\n")
    return CHARACTER * max(map(len, lines)) / 2 + ROOM, HEIGHT * len(lines) / 2 + 2


def _covered(shape: tuple[int, ...], section: int, taken: Sequence[Place]) -> NDArray[np.bool_]:
    """Return which of every third pixel of a section lie under a name."""
    covered = np.zeros(shape, dtype=np.bool_)
    for place in taken:
        if place.section == section:
            across, upward = _half_size(place.text)
            top, left = max(int(place.row - upward), 0), max(int(place.column - across), 0)
            covered[top : int(place.row + upward) + 1, left : int(place.column + across) + 1] = True
    return covered[::STEP, ::STEP]


def _room_for(free: NDArray[np.bool_], half: tuple[float, float]) -> NDArray[np.bool_]:
    """Return the middles of free boxes of half size (across, upward) pixels, by sums over boxes."""
    across, upward = (int(np.ceil(length / STEP)) for length in half)
    sums = np.pad(np.cumsum(np.cumsum(free, axis=0, dtype=np.int64), axis=1), ((1, 0), (1, 0)))
    room = np.zeros(free.shape, dtype=np.bool_)
    high, wide = 2 * upward + 1, 2 * across + 1
    if high > free.shape[0] or wide > free.shape[1]:
        return room
    count = sums[high:, wide:] - sums[:-high, wide:] - sums[high:, :-wide] + sums[:-high, :-wide]
    room[upward : upward + count.shape[0], across : across + count.shape[1]] = count == high * wide
    return room


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
    half = _half_size(name)
    left, right = int(column - half[0]), int(column + half[0])
    top, bottom = int(row - half[1]), int(row + half[1])
    if left < 0 or top < 0 or right >= section.shape[1] or bottom >= section.shape[0] or label == NOTHING:
        return False
    return bool(np.mean(section[top : bottom + 1, left : right + 1] == label) > 0.97)


def ink_on(color: NDArray[np.uint8]) -> str:
    """Return the color of letters that reads best on a color: nearly black, or white on dark grounds."""
    bright = float(np.array([0.299, 0.587, 0.114]) @ color)
    return "#16181D" if bright > 115 else "#FFFFFF"
