"""Cells taken from, and handed out to, the labels of clones, compiled; the text of ``backends/numpy/labels.py``."""

from __future__ import annotations

import math
from typing import Any, TypeAlias

import numpy as np
from numba import njit

from tissuesim.backends.numba.random import INVERSION_MEAN, SMALLEST_TERM, binomial, normal, philox, uniform
from tissuesim.backends.numba.random import survival_power as survive

Integer: TypeAlias = Any
Number: TypeAlias = Any
Array: TypeAlias = Any

LAST_TERM = np.int64(200)
LONGEST_PRODUCT, BLOCKS = np.int64(512), np.int64(32)


@njit(cache=True, error_model="numpy")
def none_marked(total: Integer, few: Integer, many: Integer) -> Number:
    """P(0) = prod over i < few of (total - many - i) / (total - i)."""
    result = 1.0
    if few <= LONGEST_PRODUCT:
        for i in range(few):
            result *= np.float64(total - many - i) / np.float64(total - i)
        return result
    start = np.int64(0)
    for block in range(BLOCKS):
        stop = few * (block + 1) // BLOCKS
        middle = np.float64(total) - 0.5 * np.float64(start + stop - 1)
        result *= survive(np.float64(many) / middle, stop - start)
        start = stop
    return result


@njit(cache=True, error_model="numpy")
def reduced(
    total: Integer, few: Integer, many: Integer, w0: Integer, w1: Integer, w2: Integer, w3: Integer
) -> Integer:
    """The hypergeometric number where both ``few`` and ``many`` are at most half of ``total``."""
    mean = np.float64(few) * np.float64(many) / np.float64(total)
    if mean > INVERSION_MEAN:
        z = normal(w0, w1, w2, w3)
        rest = np.float64(total - few) * np.float64(total - many)
        deviation = math.sqrt(mean * rest / (np.float64(total) * np.float64(total - 1)))
        skew = np.float64(total - 2 * few) * np.float64(total - 2 * many)
        skew = skew / (np.float64(total) * np.float64(total - 2))
        value = math.floor(mean + deviation * z + skew * (z * z - 1.0) / 6.0 + 0.5)
        return min(max(np.int64(value), np.int64(0)), few)
    u = uniform(w0, w1)
    if u < 1.0 - mean:
        return np.int64(0)
    term = none_marked(total, few, many)
    cumulated = term
    count, last = np.int64(0), min(few, LAST_TERM)
    while u >= cumulated and count < last and (count == 0 or term > SMALLEST_TERM):
        up = np.float64(few - count) * np.float64(many - count)
        down = (np.float64(count) + 1.0) * np.float64(total - few - many + count + 1)
        term = term * (up / down)
        cumulated += term
        count += 1
    return count


@njit(cache=True, error_model="numpy")
def hypergeometric(
    total: Integer,
    marked: Integer,
    drawn: Integer,
    w0: Integer,
    w1: Integer,
    w2: Integer,
    w3: Integer,
) -> Integer:
    """How many of ``drawn`` cells, taken without putting back from ``total``, are among the ``marked``."""
    if marked >= total:
        return drawn
    if drawn >= total:
        return marked
    mirror_marked = 2 * marked > total
    if mirror_marked:
        marked = total - marked
    mirror_drawn = 2 * drawn > total
    taken = total - drawn if mirror_drawn else drawn
    count = np.int64(0)
    if marked > 0 and taken > 0:
        count = reduced(total, min(taken, marked), max(taken, marked), w0, w1, w2, w3)
    if mirror_drawn:
        count = marked - count
    return drawn - count if mirror_marked else count


@njit(cache=True, error_model="numpy")
def take(
    counts: Array,
    drawn: Integer,
    purpose: Integer,
    tick: Integer,
    draw: Integer,
    key0: Integer,
    key1: Integer,
) -> Array:
    """How many of each label are among ``drawn`` cells taken at random, without putting back."""
    parts = np.zeros(counts.size, np.int64)
    rest, left = counts.sum(), np.int64(drawn)
    if left < 0 or left > rest:
        raise ValueError("more cells cannot be taken than there are")
    for index in range(counts.size):
        if left == 0:
            break
        count = counts[index]
        if count > 0:
            w0, w1, w2, w3 = philox(index, purpose, tick, draw, key0, key1)
            parts[index] = hypergeometric(rest, count, left, w0, w1, w2, w3)
        rest -= count
        left -= parts[index]
    return parts


@njit(cache=True, error_model="numpy")
def share(
    weights: Array,
    number: Integer,
    purpose: Integer,
    tick: Integer,
    draw: Integer,
    key0: Integer,
    key1: Integer,
) -> Array:
    """``number`` cells handed out in proportion to weights (L,), each by itself."""
    parts = np.zeros(weights.size, np.int64)
    last, rest, left = -1, 0.0, np.int64(number)
    for index in range(weights.size):
        rest += weights[index]
        if weights[index] > 0.0:
            last = index
    if last < 0:
        raise ValueError("no weight is above zero")
    for index in range(weights.size):
        if left == 0:
            break
        if weights[index] > 0.0:
            chance = 1.0 if index == last else weights[index] / rest
            parts[index] = binomial(left, chance, index, purpose, tick, draw, key0, key1)
            left -= parts[index]
        rest -= weights[index]
    return parts
