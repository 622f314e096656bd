"""The samplers of ``random.py`` for several voxels side by side: the same numbers, made by the same operations.

A lane is a voxel. Loops over lanes have a fixed length, so that the compiler makes vector instructions of them: the
branches of the scalar samplers become choices, and their loops go on until the last lane is done. Lanes lie in flat
arrays of whole numbers and of float64, each argument at its own place there.
"""

from __future__ import annotations

import math
from typing import Any, TypeAlias

import numpy as np
from numba import njit

from tissuesim.backends.numba.random import (
    INVERSION_MEAN,
    INVERSION_TERMS,
    SMALLEST_TERM,
    binomial,
    normal,
    philox,
    poisson,
    uniform,
)
from tissuesim.codegen.print_lanes import LANES

Array: TypeAlias = Any
Word: TypeAlias = Any
Number: TypeAlias = Any

FEW = 8
"""Draws per group of lanes up to which the scalar sampler is faster."""

ROWS = 9
WORK, WORDS = ROWS * LANES, 4 * LANES
"""Float64 numbers and random words that a sampler needs for itself."""

CHANCE, MEAN, UNIFORM, NORMAL, TERM, CUMULATED, VALUE, GONE, LEFT = (row * LANES for row in range(ROWS))
ODDS, HELD, LAST = GONE, LEFT, NORMAL  # not needed at the same time

DONE = -1.0
"""A uniform number below all cumulated terms: the lane does not search, or no longer."""


@njit(cache=True, error_model="numpy", inline="always")
def _draw(work: Array, words: Array, boxes: Array, c1: Word, c2: Word, c3: Word, k0: Word, k1: Word) -> None:
    """Four random words and a uniform number per lane."""
    for k in range(work.size // ROWS):
        w0, w1, w2, w3 = philox(boxes[k], c1, c2, c3, k0, k1)
        words[k], words[LANES + k], words[2 * LANES + k], words[3 * LANES + k] = w0, w1, w2, w3
        work[UNIFORM + k] = uniform(w0, w1)


@njit(cache=True, error_model="numpy", inline="always")
def _draw_normal(work: Array, words: Array) -> None:
    """A normal number per lane from its words: a loop of its own, or the one above is not vectorised."""
    for k in range(work.size // ROWS):
        work[NORMAL + k] = normal(words[k], words[LANES + k], words[2 * LANES + k], words[3 * LANES + k])


@njit(cache=True, error_model="numpy", inline="always")
def _double_time(work: Array) -> None:
    """One squaring of ``survival_power``: what is left after twice the time, by its complement while near 1."""
    for k in range(work.size // ROWS):
        gone, left = work[GONE + k], work[LEFT + k]
        near = gone <= 0.5
        later = gone * (2.0 - gone)
        work[GONE + k] = later if near else gone
        work[LEFT + k] = 1.0 - later if near else left * left


@njit(cache=True, error_model="numpy")
def _survive(work: Array, trials: Array, greatest: int) -> None:
    """TERM = (1 - CHANCE)^trials of every lane; none has more trials than ``greatest``."""
    for k in range(work.size // ROWS):
        work[GONE + k] = work[CHANCE + k]
        work[LEFT + k] = 1.0 - work[CHANCE + k]
        work[TERM + k] = 1.0
    bit = 0
    while (greatest >> bit) > 0:
        for k in range(work.size // ROWS):
            odd = ((trials[k] >> bit) & 1) == 1
            work[TERM + k] = work[TERM + k] * (work[LEFT + k] if odd else 1.0)
        _double_time(work)
        bit += 1


@njit(cache=True, error_model="numpy", inline="always")
def _search_on(work: Array, k: int, goes: bool, count: Number, term: Number) -> Any:
    """Take the term of ``count + 1`` in a lane that goes on; whether it goes on after that."""
    on = goes & (term > SMALLEST_TERM)
    work[CUMULATED + k] = work[CUMULATED + k] + term if goes else work[CUMULATED + k]
    work[VALUE + k] = count + 1.0 if goes else work[VALUE + k]
    work[TERM + k] = term
    work[UNIFORM + k] = work[UNIFORM + k] if on else DONE
    return on


@njit(cache=True, error_model="numpy")
def _search_binomial(work: Array, trials: Array) -> None:
    """Inversion: VALUE is the first number at which the cumulated terms pass the uniform one."""
    for k in range(work.size // ROWS):
        held = np.float64(trials[k])
        work[CUMULATED + k] = work[TERM + k]
        work[ODDS + k] = work[CHANCE + k] / (1.0 - work[CHANCE + k])
        work[HELD + k] = held
        work[LAST + k] = held if held < INVERSION_TERMS else np.float64(INVERSION_TERMS)
    count = 0.0
    living = 1
    while living > 0:
        inverse = 1.0 / (count + 1.0)
        living = 0
        for k in range(work.size // ROWS):
            goes = (work[UNIFORM + k] >= work[CUMULATED + k]) & (count < work[LAST + k])
            term = work[TERM + k] * (work[ODDS + k] * ((work[HELD + k] - count) * inverse))
            living += 1 if _search_on(work, k, goes, count, term) else 0
        count += 1.0


@njit(cache=True, error_model="numpy")
def _search_poisson(work: Array) -> None:
    """The same for a Poisson number."""
    for k in range(work.size // ROWS):
        work[CUMULATED + k] = work[TERM + k]
    count = 0.0
    living = 1
    while living > 0:
        inverse = 1.0 / (count + 1.0)
        living = 0
        for k in range(work.size // ROWS):
            goes = (work[UNIFORM + k] >= work[CUMULATED + k]) & (count < INVERSION_TERMS)
            term = work[TERM + k] * (work[MEAN + k] * inverse)
            living += 1 if _search_on(work, k, goes, count, term) else 0
        count += 1.0


@njit(cache=True, error_model="numpy")
def _binomial_lanes(
    wanted: int, result: Array, trials: Array, chance: Array, work: Array, words: Array, boxes: Array,
    c1: Word, c2: Word, c3: Word, k0: Word, k1: Word,
) -> None:  # fmt: skip
    """``result = Binomial(trials, chance)`` in every lane, of which ``wanted`` draw."""
    if wanted <= FEW:
        for k in range(work.size // ROWS):
            drawn = np.int64(0)
            if trials[k] > 0 and chance[k] > 0.0:
                drawn = binomial(trials[k], chance[k], boxes[k], c1, c2, c3, k0, k1)
            result[k] = drawn
        return
    _draw(work, words, boxes, c1, c2, c3, k0, k1)
    large, searching = 0, 0
    for k in range(work.size // ROWS):
        held, given = trials[k], chance[k]
        less = 1.0 - given if given > 0.5 else given
        mean = np.float64(held) * less
        open_lane = (held > 0) & (given > 0.0) & (given < 1.0)
        small = mean <= INVERSION_MEAN
        # most small means give 0 at once: (1 - p)^n >= 1 - n p
        searches = open_lane & small & (work[UNIFORM + k] >= 1.0 - mean)
        work[CHANCE + k] = less
        work[MEAN + k] = mean
        work[UNIFORM + k] = work[UNIFORM + k] if searches else DONE
        work[VALUE + k] = 0.0
        searching += 1 if searches else 0
        large += 1 if open_lane & (not small) else 0
    if searching > 0:
        greatest: Any = np.int64(0)
        for k in range(work.size // ROWS):
            held = trials[k]
            greatest = max(greatest, held if work[UNIFORM + k] >= 0.0 else 0)
        _survive(work, trials, greatest)
        _search_binomial(work, trials)
    if large > 0:
        _draw_normal(work, words)
        for k in range(work.size // ROWS):
            less, mean, z = work[CHANCE + k], work[MEAN + k], work[NORMAL + k]
            skew = (1.0 - 2.0 * less) * (z * z - 1.0) / 6.0
            value = np.floor(mean + math.sqrt(mean * (1.0 - less)) * z + skew + 0.5)
            value = value if value > 0.0 else 0.0
            work[VALUE + k] = value if mean > INVERSION_MEAN else work[VALUE + k]
    for k in range(work.size // ROWS):
        held, given = trials[k], chance[k]
        value = work[VALUE + k]
        inside = value < np.float64(held)
        drawn = np.int64(value if inside else 0.0)
        drawn = drawn if inside else held
        drawn = held - drawn if given > 0.5 else drawn
        drawn = held if given >= 1.0 else drawn
        result[k] = drawn if (held > 0) & (given > 0.0) else 0


@njit(cache=True, error_model="numpy")
def _poisson_lanes(
    wanted: int, result: Array, mean: Array, work: Array, words: Array, boxes: Array,
    c1: Word, c2: Word, c3: Word, k0: Word, k1: Word,
) -> None:  # fmt: skip
    """``result = Poisson(mean)`` in every lane, of which ``wanted`` draw."""
    if wanted <= FEW:
        for k in range(work.size // ROWS):
            drawn = np.int64(0)
            if mean[k] > 0.0:
                drawn = poisson(mean[k], boxes[k], c1, c2, c3, k0, k1)
            result[k] = drawn
        return
    _draw(work, words, boxes, c1, c2, c3, k0, k1)
    large, searching = 0, 0
    for k in range(work.size // ROWS):
        middle = mean[k]
        small = middle <= INVERSION_MEAN
        searches = (middle > 0.0) & small & (work[UNIFORM + k] >= 1.0 - middle)  # exp(-mean) >= 1 - mean
        work[MEAN + k] = middle
        work[UNIFORM + k] = work[UNIFORM + k] if searches else DONE
        work[VALUE + k] = 0.0
        searching += 1 if searches else 0
        large += 1 if not small else 0
    if searching > 0:
        for k in range(work.size // ROWS):
            y = work[MEAN + k] * 0.0009765625
            series = 1.0 + y / 8.0
            series = 1.0 + y / 7.0 * series
            series = 1.0 + y / 6.0 * series
            series = 1.0 + y / 5.0 * series
            series = 1.0 + y / 4.0 * series
            series = 1.0 + y / 3.0 * series
            series = 1.0 + y / 2.0 * series
            s = y * series
            gone = s / (1.0 + s)
            work[GONE + k] = gone
            work[LEFT + k] = 1.0 - gone
        for _ in range(10):
            _double_time(work)
        for k in range(work.size // ROWS):
            work[TERM + k] = work[LEFT + k]
        _search_poisson(work)
    if large > 0:
        _draw_normal(work, words)
        for k in range(work.size // ROWS):
            middle, z = work[MEAN + k], work[NORMAL + k]
            value = np.floor(middle + math.sqrt(middle) * z + (z * z - 1.0) / 6.0 + 0.5)
            value = value if value > 0.0 else 0.0
            work[VALUE + k] = value if middle > INVERSION_MEAN else work[VALUE + k]
    for k in range(work.size // ROWS):
        result[k] = np.int64(work[VALUE + k])


@njit(cache=True, error_model="numpy")
def binomial_lanes(
    result: Array, trials: Array, chance: Array, work: Array, words: Array, boxes: Array,
    c1: Word, c2: Word, c3: Word, k0: Word, k1: Word,
) -> None:  # fmt: skip
    """``result = Binomial(trials, chance)`` in every lane; most groups of most channels have nothing to draw."""
    wanted = 0
    for k in range(result.size):
        wanted += 1 if (trials[k] > 0) & (chance[k] > 0.0) else 0
    if wanted > 0:
        _binomial_lanes(wanted, result, trials, chance, work, words, boxes, c1, c2, c3, k0, k1)
    else:
        for k in range(result.size):
            result[k] = 0


@njit(cache=True, error_model="numpy")
def poisson_lanes(
    result: Array, mean: Array, work: Array, words: Array, boxes: Array,
    c1: Word, c2: Word, c3: Word, k0: Word, k1: Word,
) -> None:  # fmt: skip
    """``result = Poisson(mean)`` in every lane."""
    wanted = 0
    for k in range(result.size):
        wanted += 1 if mean[k] > 0.0 else 0
    if wanted > 0:
        _poisson_lanes(wanted, result, mean, work, words, boxes, c1, c2, c3, k0, k1)
    else:
        for k in range(result.size):
            result[k] = 0
