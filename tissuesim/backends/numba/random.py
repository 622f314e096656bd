"""Counter-based random numbers and samplers compiled; formulas in ``backends/numpy/random.py``.

Words travel as uint64 holding 32 bits: Numba turns uint32 + int64 into float64, which would lose them.
"""

from __future__ import annotations

import math
from typing import Any, TypeAlias

import numpy as np
from numba import njit

Word: TypeAlias = Any  # any integer type on entry, uint64 below 2^32 inside
Integer: TypeAlias = Any
Number: TypeAlias = Any

LOW_WORD = np.uint64(0xFFFFFFFF)
WORD_BITS = np.uint64(32)
MULTIPLIER_0, MULTIPLIER_1 = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
WEYL_0, WEYL_1 = np.uint64(0x9E3779B9), np.uint64(0xBB67AE85)
FIVE, SIX = np.uint64(5), np.uint64(6)

INVERSION_MEAN = 30.0
INVERSION_TERMS = np.int64(200)
SMALLEST_TERM = 2.0**-64
POPCOUNT_DEVIATION = 4.907477288111819  # sqrt(96/4 + 1/12)


@njit(cache=True, error_model="numpy", inline="always")
def _round(x0: Word, x1: Word, x2: Word, x3: Word, key0: Word, key1: Word) -> tuple[Word, ...]:
    """One round, and the keys of the next."""
    product0 = MULTIPLIER_0 * x0
    product1 = MULTIPLIER_1 * x2
    return (
        (product1 >> WORD_BITS) ^ x1 ^ key0, product1 & LOW_WORD,
        (product0 >> WORD_BITS) ^ x3 ^ key1, product0 & LOW_WORD,
        (key0 + WEYL_0) & LOW_WORD, (key1 + WEYL_1) & LOW_WORD,
    )  # fmt: skip


@njit(cache=True, error_model="numpy", inline="always")
def philox(c0: Word, c1: Word, c2: Word, c3: Word, k0: Word, k1: Word) -> tuple[Word, Word, Word, Word]:
    """Return the four words of Philox4x32-10, uint64 below 2^32; counter and key are any integers."""
    x0, x1 = np.uint64(c0) & LOW_WORD, np.uint64(c1) & LOW_WORD
    x2, x3 = np.uint64(c2) & LOW_WORD, np.uint64(c3) & LOW_WORD
    key0, key1 = np.uint64(k0) & LOW_WORD, np.uint64(k1) & LOW_WORD
    # ten rounds by name: a loop inside would keep a loop around from being vectorised
    x0, x1, x2, x3, key0, key1 = _round(x0, x1, x2, x3, key0, key1)
    x0, x1, x2, x3, key0, key1 = _round(x0, x1, x2, x3, key0, key1)
    x0, x1, x2, x3, key0, key1 = _round(x0, x1, x2, x3, key0, key1)
    x0, x1, x2, x3, key0, key1 = _round(x0, x1, x2, x3, key0, key1)
    x0, x1, x2, x3, key0, key1 = _round(x0, x1, x2, x3, key0, key1)
    x0, x1, x2, x3, key0, key1 = _round(x0, x1, x2, x3, key0, key1)
    x0, x1, x2, x3, key0, key1 = _round(x0, x1, x2, x3, key0, key1)
    x0, x1, x2, x3, key0, key1 = _round(x0, x1, x2, x3, key0, key1)
    x0, x1, x2, x3, key0, key1 = _round(x0, x1, x2, x3, key0, key1)
    x0, x1, x2, x3, key0, key1 = _round(x0, x1, x2, x3, key0, key1)
    return x0, x1, x2, x3


@njit(cache=True, error_model="numpy", inline="always")
def uniform(w0: Word, w1: Word) -> Number:
    """Return a number in [0, 1) with 53 random bits."""
    high = np.float64(np.uint64(w0) >> FIVE)
    low = np.float64(np.uint64(w1) >> SIX)
    return (high * 67108864.0 + low) * 2.0**-53


@njit(cache=True, error_model="numpy", inline="always")
def popcount(word: Word) -> Integer:
    """Return the number of ones among 32 bits, as int64."""
    x = np.uint64(word)
    x = x - ((x >> np.uint64(1)) & np.uint64(0x55555555))
    x = (x & np.uint64(0x33333333)) + ((x >> np.uint64(2)) & np.uint64(0x33333333))
    x = (x + (x >> np.uint64(4))) & np.uint64(0x0F0F0F0F)
    return np.int64(((x * np.uint64(0x01010101)) & LOW_WORD) >> np.uint64(24))


@njit(cache=True, error_model="numpy", inline="always")
def normal(w0: Word, w1: Word, w2: Word, w3: Word) -> Number:
    """Return a standard normal number of 96 coin flips and a dither."""
    heads = popcount(w0) + popcount(w1) + popcount(w2)
    dither = (np.float64(np.uint64(w3)) + 0.5) * 2.0**-32 - 0.5
    return (np.float64(heads - 48) + dither) / POPCOUNT_DEVIATION


@njit(cache=True, error_model="numpy")
def survival_power(p: Number, n: Integer) -> Number:
    """Return (1 - p)^n by repeated squaring, of the complement while the base is near 1."""
    left = np.int64(n)
    g = np.float64(p)
    survivors = 1.0 - g
    result = 1.0
    while left > 0:
        if (left & 1) == 1:
            result = result * survivors
        left = left >> 1
        if g <= 0.5:
            g = g * (2.0 - g)
            survivors = 1.0 - g
        else:
            survivors = survivors * survivors
    return result


@njit(cache=True, error_model="numpy")
def exp_neg(x: Number) -> Number:
    """Return exp(-x) for x >= 0 by arithmetic only."""
    y = np.float64(x) * 0.0009765625
    series = 1.0 + y / 8.0
    for k in (7.0, 6.0, 5.0, 4.0, 3.0, 2.0):
        series = 1.0 + y / k * series
    s = y * series
    return survival_power(s / (1.0 + s), 1024)


@njit(cache=True, error_model="numpy")
def binomial(n: Integer, p: Number, c0: Word, c1: Word, c2: Word, c3: Word, k0: Word, k1: Word) -> Integer:
    """Return one Binomial(n, p) draw as int64."""
    trials = np.int64(n)
    chance = np.float64(p)
    if trials <= 0 or not chance > 0.0:
        return np.int64(0)
    if chance >= 1.0:
        return trials
    w0, w1, w2, w3 = philox(c0, c1, c2, c3, k0, k1)
    mirrored = chance > 0.5
    if mirrored:
        chance = 1.0 - chance
    mean = np.float64(trials) * chance
    count = np.int64(0)
    if mean <= INVERSION_MEAN:
        u = uniform(w0, w1)
        if u < 1.0 - mean:  # (1-p)^n >= 1 - n p
            return trials if mirrored else count
        last = min(trials, INVERSION_TERMS)
        odds = chance / (1.0 - chance)
        term = survival_power(chance, trials)
        cumulated = term
        while u >= cumulated and count < last:
            term = term * (odds * (np.float64(trials - count) * (1.0 / (np.float64(count) + 1.0))))
            cumulated = cumulated + term
            count += 1
            if not term > SMALLEST_TERM:
                break
    else:
        z = normal(w0, w1, w2, w3)
        skew = (1.0 - 2.0 * chance) * (z * z - 1.0) / 6.0
        value = np.floor(mean + math.sqrt(mean * (1.0 - chance)) * z + skew + 0.5)
        if not value > 0.0:
            count = np.int64(0)
        elif value < np.float64(trials):
            count = np.int64(value)
        else:
            count = trials
    return trials - count if mirrored else count


@njit(cache=True, error_model="numpy")
def poisson(mean: Number, c0: Word, c1: Word, c2: Word, c3: Word, k0: Word, k1: Word) -> Integer:
    """Return one Poisson(mean) draw as int64."""
    middle = np.float64(mean)
    count = np.int64(0)
    if not middle > 0.0:
        return count
    w0, w1, w2, w3 = philox(c0, c1, c2, c3, k0, k1)
    if middle <= INVERSION_MEAN:
        u = uniform(w0, w1)
        if u < 1.0 - middle:  # exp(-mean) >= 1 - mean
            return count
        term = exp_neg(middle)
        cumulated = term
        while u >= cumulated and count < INVERSION_TERMS:
            term = term * (middle * (1.0 / (np.float64(count) + 1.0)))
            cumulated = cumulated + term
            count += 1
            if not term > SMALLEST_TERM:
                break
    else:
        z = normal(w0, w1, w2, w3)
        value = np.floor(middle + math.sqrt(middle) * z + (z * z - 1.0) / 6.0 + 0.5)
        if value > 0.0:
            count = np.int64(value)
    return count
