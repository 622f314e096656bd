"""Cells taken from, and handed out to, the labels of clones: a dozen numbers that depend on one another.

They are drawn one by one, here in plain Python with the generator and the samplers of ``random.py`` bit for bit;
``backends/numba/labels.py`` is the same text compiled. Arithmetic and ``sqrt`` only, so that every machine agrees.
"""

from __future__ import annotations

from math import floor, sqrt

import numpy as np
from numpy.typing import NDArray

from tissuesim.backends.numpy.random import (
    INVERSION_MEAN,
    INVERSION_TERMS,
    POPCOUNT_DEVIATION,
    ROUNDS,
    SMALLEST_TERM,
)

Words = tuple[int, int, int, int]

WORD = 0xFFFFFFFF
MULTIPLIER_0, MULTIPLIER_1 = 0xD2511F53, 0xCD9E8D57
WEYL_0, WEYL_1 = 0x9E3779B9, 0xBB67AE85

LONGEST_PRODUCT, BLOCKS = 512, 32
"""Factors of P(0) that are multiplied one by one; beyond, blocks of equal factors (relative error below 1e-5)."""


class Stream:
    """The numbers of one purpose at one moment: draw ``index`` is a pure function of the words and the key."""

    def __init__(self, purpose: int, tick: int, draw: int, key: tuple[int, int]) -> None:
        """``purpose`` is the second, ``tick`` the third, ``draw`` the fourth counter word."""
        self.rest = (purpose & WORD, tick & WORD, draw & WORD)
        self.key = key

    def words(self, index: int) -> Words:
        """Four words of 32 bits (Philox4x32-10)."""
        x0, (x1, x2, x3), (key0, key1) = index & WORD, self.rest, self.key
        for _ in range(ROUNDS):
            product0, product1 = MULTIPLIER_0 * x0, MULTIPLIER_1 * x2
            x0, x1, x2, x3 = (
                (product1 >> 32) ^ x1 ^ key0,
                product1 & WORD,
                (product0 >> 32) ^ x3 ^ key1,
                product0 & WORD,
            )
            key0, key1 = (key0 + WEYL_0) & WORD, (key1 + WEYL_1) & WORD
        return x0, x1, x2, x3


def uniform(words: Words) -> float:
    """A number in [0, 1) with 53 random bits."""
    return (float(words[0] >> 5) * 67108864.0 + float(words[1] >> 6)) * 2.0**-53


def normal(words: Words) -> float:
    """A standard normal number, as in the backends: coin flips, smoothed."""
    heads = words[0].bit_count() + words[1].bit_count() + words[2].bit_count()
    dither = (float(words[3]) + 0.5) * 2.0**-32 - 0.5
    return (float(heads - 48) + dither) / POPCOUNT_DEVIATION


def survival_power(p: float, n: int) -> float:
    """(1 - p)^n for 0 <= p < 1 by squaring, exact to a few ulp also for tiny p."""
    result, survivors, g = 1.0, 1.0 - p, p
    while n > 0:
        if n & 1:
            result = result * survivors
        n >>= 1
        if g <= 0.5:
            g = g * (2.0 - g)
            survivors = 1.0 - g
        else:
            survivors = survivors * survivors
    return result


def binomial(n: int, p: float, words: Words) -> int:
    """Binomial(n, p): inversion up to a mean of 30, beyond it a skewed normal, rounded."""
    if n <= 0 or not p > 0.0:
        return 0
    if p >= 1.0:
        return n
    mirrored = p > 0.5
    chance = 1.0 - p if mirrored else p
    mean = float(n) * chance
    if mean > INVERSION_MEAN:
        z = normal(words)
        skew = (1.0 - 2.0 * chance) * (z * z - 1.0) / 6.0
        count = _whole(mean + sqrt(mean * (1.0 - chance)) * z + skew, n)
    else:
        count, u = 0, uniform(words)
        if u >= 1.0 - mean:
            odds = chance / (1.0 - chance)
            term = cumulated = survival_power(chance, n)
            last = min(n, INVERSION_TERMS)
            while u >= cumulated and count < last and (count == 0 or term > SMALLEST_TERM):
                term = term * (odds * (float(n - count) / (count + 1.0)))
                cumulated += term
                count += 1
    return n - count if mirrored else count


def hypergeometric(total: int, marked: int, drawn: int, words: Words) -> int:
    """How many of ``drawn`` cells, taken without putting back from ``total``, are among the ``marked``.

    Exact bounds always. Inversion up to a mean of 30 (after both mirrors), beyond it a normal with the skew of the
    distribution, rounded, as for the binomial.
    """
    if 2 * marked > total:
        return drawn - hypergeometric(total, total - marked, drawn, words) if marked < total else drawn
    if 2 * drawn > total:
        return marked - hypergeometric(total, marked, total - drawn, words) if drawn < total else marked
    if marked <= 0 or drawn <= 0:
        return 0
    few, many = (drawn, marked) if drawn < marked else (marked, drawn)
    mean = float(few) * float(many) / float(total)
    if mean > INVERSION_MEAN:
        z, rest = normal(words), float(total - few) * float(total - many)
        deviation = sqrt(mean * rest / (float(total) * float(total - 1)))
        skew = float(total - 2 * few) * float(total - 2 * many) / (float(total) * float(total - 2))
        return _whole(mean + deviation * z + skew * (z * z - 1.0) / 6.0, few)
    u = uniform(words)
    if u < 1.0 - mean:  # P(0) >= 1 - mean
        return 0
    term = cumulated = _none_marked(total, few, many)
    count, last = 0, min(few, INVERSION_TERMS)
    while u >= cumulated and count < last and (count == 0 or term > SMALLEST_TERM):
        up = float(few - count) * float(many - count)
        down = (count + 1.0) * float(total - few - many + count + 1)
        term = term * (up / down)
        cumulated += term
        count += 1
    return count


def _none_marked(total: int, few: int, many: int) -> float:
    """P(0) = prod over i < few of (total - many - i) / (total - i)."""
    result = 1.0
    if few <= LONGEST_PRODUCT:
        for i in range(few):
            result *= float(total - many - i) / float(total - i)
        return result
    start = 0
    for block in range(BLOCKS):
        stop = few * (block + 1) // BLOCKS
        middle = float(total) - 0.5 * float(start + stop - 1)
        result *= survival_power(float(many) / middle, stop - start)
        start = stop
    return result


def _whole(value: float, largest: int) -> int:
    return min(max(floor(value + 0.5), 0), largest)


def take(
    counts: NDArray[np.int64], drawn: int, purpose: int, tick: int, draw: int, key0: int, key1: int
) -> NDArray[np.int64]:
    """How many of each label are among ``drawn`` cells taken at random, without putting back; adds up to ``drawn``.

    ``counts`` (L,); ``purpose``, ``tick`` and ``draw`` are the counter words after that of the label.
    """
    stream = Stream(purpose, tick, draw, (key0, key1))
    present = counts.tolist()
    parts, rest = [0] * len(present), sum(present)
    if not 0 <= drawn <= rest:
        raise ValueError(f"{drawn} cells cannot be taken from {rest}")
    for index, count in enumerate(present):
        if drawn == 0:
            break
        part = hypergeometric(rest, count, drawn, stream.words(index)) if count else 0
        parts[index] = part
        rest, drawn = rest - count, drawn - part
    return np.array(parts, np.int64)


def share(
    weights: NDArray[np.float64], number: int, purpose: int, tick: int, draw: int, key0: int, key1: int
) -> NDArray[np.int64]:
    """``number`` cells handed out in proportion to weights (L,), each by itself; adds up to ``number``."""
    stream = Stream(purpose, tick, draw, (key0, key1))
    given = weights.tolist()
    parts, last, rest = [0] * len(given), -1, 0.0
    for index, weight in enumerate(given):
        rest += weight
        last = index if weight > 0.0 else last
    if last < 0:
        raise ValueError("no weight is above zero")
    for index, weight in enumerate(given):
        if number == 0:
            break
        if weight > 0.0:
            chance = 1.0 if index == last else weight / rest
            parts[index] = binomial(number, chance, stream.words(index))
            number -= parts[index]
        rest -= weight
    return np.array(parts, np.int64)
