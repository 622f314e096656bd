"""Counter-based random numbers and exact samplers, vectorised: the version written to be read.

A draw is a pure function of where, when and what for: counter words ``c0`` box voxel index, ``c1``
operator, species and channel, ``c2`` tick, ``c3`` sub-step and draw; key words ``k0, k1`` from seed and
patient. The Numba and CUDA texts hold the same functions in the same order of operations and give the same
bits. Samplers use float64, ``+ - * /``, ``sqrt`` and comparisons only, and call the generator exactly once.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Words = tuple[NDArray[np.uint32], NDArray[np.uint32], NDArray[np.uint32], NDArray[np.uint32]]
Counter = tuple[ArrayLike, ArrayLike, ArrayLike, ArrayLike, ArrayLike, ArrayLike]

LOW_WORD = np.uint64(0xFFFFFFFF)
WORD_BITS = np.uint64(32)
MULTIPLIER_0, MULTIPLIER_1 = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
WEYL_0, WEYL_1 = np.uint64(0x9E3779B9), np.uint64(0xBB67AE85)
ROUNDS = 10

INVERSION_MEAN = 30.0  # up to this mean a sampler inverts the distribution, beyond it uses a skewed normal
INVERSION_TERMS = 200  # a mean of 30 passes 200 with a probability below 1e-80
SMALLEST_TERM = 2.0**-64  # terms below this no longer move a 53-bit sum: stop there
POPCOUNT_DEVIATION = 4.907477288111819  # sqrt(96/4 + 1/12)


def _word(value: ArrayLike) -> NDArray[np.uint64]:
    """Return ``value`` modulo 2^32 (two's complement for negative ones) in a 64-bit container."""
    return np.asarray(value).astype(np.uint32).astype(np.uint64)


def philox(c0: ArrayLike, c1: ArrayLike, c2: ArrayLike, c3: ArrayLike, k0: ArrayLike, k1: ArrayLike) -> Words:
    """Return the four uint32 words of Philox4x32-10 for a counter and a key (arrays broadcast).

    Source: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC11 (2011).
    """
    x0, x1, x2, x3, key0, key1 = np.broadcast_arrays(*(_word(value) for value in (c0, c1, c2, c3, k0, k1)))
    for _ in range(ROUNDS):
        product0 = MULTIPLIER_0 * x0
        product1 = MULTIPLIER_1 * x2
        x0, x1, x2, x3 = (
            (product1 >> WORD_BITS) ^ x1 ^ key0,
            product1 & LOW_WORD,
            (product0 >> WORD_BITS) ^ x3 ^ key1,
            product0 & LOW_WORD,
        )
        key0 = (key0 + WEYL_0) & LOW_WORD
        key1 = (key1 + WEYL_1) & LOW_WORD
    return x0.astype(np.uint32), x1.astype(np.uint32), x2.astype(np.uint32), x3.astype(np.uint32)


def uniform(w0: NDArray[np.uint32], w1: NDArray[np.uint32]) -> NDArray[np.float64]:
    """Return numbers in [0, 1) with 53 random bits made of two words."""
    high = np.asarray(w0 >> np.uint32(5)).astype(np.float64)
    low = np.asarray(w1 >> np.uint32(6)).astype(np.float64)
    return (high * 67108864.0 + low) * 2.0**-53


def normal(
    w0: NDArray[np.uint32], w1: NDArray[np.uint32], w2: NDArray[np.uint32], w3: NDArray[np.uint32]
) -> NDArray[np.float64]:
    """Return standard normal numbers: 96 coin flips, smoothed by a uniform dither of the fourth word.

    ``z = (popcount(w0 w1 w2) - 48 + u - 1/2) / sqrt(24 + 1/12)``, within 10 standard deviations, no
    logarithm.
    """
    heads = (
        np.bitwise_count(w0).astype(np.int64)
        + np.bitwise_count(w1).astype(np.int64)
        + np.bitwise_count(w2).astype(np.int64)
    )
    dither = (np.asarray(w3).astype(np.float64) + 0.5) * 2.0**-32 - 0.5
    return ((heads - 48).astype(np.float64) + dither) / POPCOUNT_DEVIATION


def survival_power(p: ArrayLike, n: ArrayLike) -> NDArray[np.float64]:
    """Return (1 - p)^n for 0 <= p < 1 and whole n >= 0, to a few ulp even for p = 1e-15.

    Repeated squaring; while the base is near 1 its complement ``g`` is squared instead, ``g <- g (2 - g)``,
    because ``1 - p`` has already lost the low digits of a small p.
    """
    left, g = np.broadcast_arrays(np.asarray(n, np.int64), np.asarray(p, np.float64))
    survivors = 1.0 - g
    result = np.ones(g.shape)
    while np.any(left > 0):
        result = np.where((left & 1) == 1, result * survivors, result)
        left = left >> 1
        near_one = g <= 0.5
        g = np.where(near_one, g * (2.0 - g), g)
        survivors = np.where(near_one, 1.0 - g, survivors * survivors)
    return result


def exp_neg(x: ArrayLike) -> NDArray[np.float64]:
    """Return exp(-x) for x >= 0 by arithmetic only: ``s = exp(x/1024) - 1`` from Taylor, then ten squarings.

    Relative error below 1e-13 for x <= 40; exact complement for small x, so ``1 - exp_neg(1e-12)`` is good.
    """
    y = np.asarray(x, np.float64) * 0.0009765625
    series = 1.0 + y / 8.0
    for k in (7.0, 6.0, 5.0, 4.0, 3.0, 2.0):
        series = 1.0 + y / k * series
    s = y * series
    return survival_power(s / (1.0 + s), 1024)


def _invert(
    u: NDArray[np.float64],
    first: NDArray[np.float64],
    odds: NDArray[np.float64],
    trials: NDArray[np.int64] | None,
) -> NDArray[np.int64]:
    """Return the smallest k whose cumulative probability exceeds ``u``.

    ``P(k+1) = P(k) odds (n-k)/(k+1)`` for a binomial of ``trials`` n, ``P(k) odds/(k+1)`` for Poisson
    (trials None).
    """
    count = np.zeros(u.shape, np.int64)
    term, cumulated = first.copy(), first.copy()
    last = np.full(u.shape, INVERSION_TERMS) if trials is None else np.minimum(trials, INVERSION_TERMS)
    active = np.flatnonzero((u >= cumulated) & (count < last))
    k = 0
    while active.size:
        ratio = (
            1.0 / (k + 1.0) if trials is None else (trials[active] - k).astype(np.float64) * (1.0 / (k + 1.0))
        )
        term[active] = term[active] * (odds[active] * ratio)
        cumulated[active] = cumulated[active] + term[active]
        k += 1
        count[active] = k
        go_on = (u[active] >= cumulated[active]) & (k < last[active]) & (term[active] > SMALLEST_TERM)
        active = active[go_on]
    return count


def binomial(
    n: ArrayLike,
    p: ArrayLike,
    c0: ArrayLike,
    c1: ArrayLike,
    c2: ArrayLike,
    c3: ArrayLike,
    k0: ArrayLike,
    k1: ArrayLike,
) -> NDArray[np.int64]:
    """Return Binomial(n, p) draws as int64; n counts (below 2^62), p probabilities (NaN counts as 0).

    With p' = min(p, 1-p): inversion for n p' <= 30, exact for p = 1e-9 as for p = 0.5; beyond, the normal
    with the skew term, ``n p' + sqrt(n p' (1-p')) z + (1 - 2p')(z^2 - 1)/6``, rounded and clipped to [0,
    n].
    """
    arrays = np.broadcast_arrays(np.asarray(n, np.int64), np.asarray(p, np.float64), c0, c1, c2, c3, k0, k1)
    all_trials, all_chances = arrays[0], arrays[1]
    result = np.where((all_trials > 0) & (all_chances >= 1.0), all_trials, np.int64(0))
    drawn = (all_trials > 0) & (all_chances > 0.0) & (all_chances < 1.0)
    trials, chance = all_trials[drawn], all_chances[drawn]
    words = philox(*(word[drawn] for word in arrays[2:]))

    mirrored = chance > 0.5
    chance = np.where(mirrored, 1.0 - chance, chance)
    mean = trials.astype(np.float64) * chance
    count = np.zeros(trials.shape, np.int64)

    u = uniform(words[0], words[1])
    small = (mean <= INVERSION_MEAN) & (u >= 1.0 - mean)  # (1-p)^n >= 1 - n p: below that the draw is 0
    few, rare = trials[small], chance[small]
    count[small] = _invert(u[small], survival_power(rare, few), rare / (1.0 - rare), few)

    large = mean > INVERSION_MEAN
    z = normal(*(word[large] for word in words))
    many, often, middle = trials[large], chance[large], mean[large]
    skew = (1.0 - 2.0 * often) * (z * z - 1.0) / 6.0
    value = np.floor(middle + np.sqrt(middle * (1.0 - often)) * z + skew + 0.5)
    value = np.where(value > 0.0, value, 0.0)
    inside = value < many.astype(np.float64)
    count[large] = np.where(inside, np.where(inside, value, 0.0).astype(np.int64), many)

    result[drawn] = np.where(mirrored, trials - count, count)
    return result


def poisson(
    mean: ArrayLike,
    c0: ArrayLike,
    c1: ArrayLike,
    c2: ArrayLike,
    c3: ArrayLike,
    k0: ArrayLike,
    k1: ArrayLike,
) -> NDArray[np.int64]:
    """Return Poisson(mean) draws as int64; mean below 2^62 (zero, negative and NaN give 0).

    Inversion for means up to 30; beyond, ``mean + sqrt(mean) z + (z^2 - 1)/6``, rounded and clipped at 0.
    """
    arrays = np.broadcast_arrays(np.asarray(mean, np.float64), c0, c1, c2, c3, k0, k1)
    result = np.zeros(arrays[0].shape, np.int64)
    drawn = arrays[0] > 0.0
    middle = arrays[0][drawn]
    words = philox(*(word[drawn] for word in arrays[1:]))
    count = np.zeros(middle.shape, np.int64)

    u = uniform(words[0], words[1])
    small = (middle <= INVERSION_MEAN) & (
        u >= 1.0 - middle
    )  # exp(-mean) >= 1 - mean: below that the draw is 0
    count[small] = _invert(u[small], exp_neg(middle[small]), middle[small], None)

    large = middle > INVERSION_MEAN
    z = normal(*(word[large] for word in words))
    value = np.floor(middle[large] + np.sqrt(middle[large]) * z + (z * z - 1.0) / 6.0 + 0.5)
    count[large] = np.where(value > 0.0, value, 0.0).astype(np.int64)

    result[drawn] = count
    return result
