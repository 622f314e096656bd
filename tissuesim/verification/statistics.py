"""Tests of samples against distributions, with NumPy alone."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

SMALLEST_EXPECTED = 5.0
"""Cells of a chi-square test are joined until each expects at least this many."""

Reals = NDArray[np.float64]


def kolmogorov_p(distance: float, count: int) -> float:
    """Return P(D > distance) for ``count`` draws: Kolmogorov's series with the correction for finite samples.

    Source: M. A. Stephens, "Use of the Kolmogorov-Smirnov, Cramer-von Mises and related statistics without
    extensive tables", J. R. Stat. Soc. B 32 (1970) 115-122. Conservative for discrete distributions.
    """
    root = math.sqrt(count)
    z = (root + 0.12 + 0.11 / root) * distance
    if z < 0.2:
        return 1.0  # the series converges slowly here, and its value is 1 to 20 digits
    series = sum(math.copysign(math.exp(-2.0 * (k * z) ** 2), k % 2 - 0.5) for k in range(1, 101))
    return min(max(2.0 * series, 0.0), 1.0)


def steps_distance(steps: NDArray[np.int64], cumulative: Reals) -> float:
    """Return the largest |empirical - exact| cumulative probability of draws from 0, 1, ... K - 1.

    ``cumulative[k]`` is P(draw <= k) up to the last step that was watched; draws of K or more count as later.
    """
    counts = np.bincount(np.minimum(steps, cumulative.size), minlength=cumulative.size + 1)
    empirical = np.cumsum(counts[:-1]) / steps.size
    return float(np.max(np.abs(empirical - cumulative)))


def chi_square_p(observed: NDArray[np.int64], expected: Reals) -> float:
    """Return the p value of counts against expected counts (of equal total); sparse neighbors are joined."""
    joined: list[tuple[float, float]] = []
    seen, due = 0.0, 0.0
    for count, mean in zip(observed.tolist(), expected.tolist(), strict=True):
        seen, due = seen + count, due + mean
        if due >= SMALLEST_EXPECTED:
            joined.append((seen, due))
            seen, due = 0.0, 0.0
    if joined and due > 0.0:
        joined[-1] = (joined[-1][0] + seen, joined[-1][1] + due)
    if len(joined) < 2:
        raise ValueError("a chi-square test needs two cells that expect at least 5 counts each")
    statistic = sum((count - mean) ** 2 / mean for count, mean in joined)
    return upper_gamma((len(joined) - 1) / 2.0, statistic / 2.0)


def upper_gamma(a: float, x: float) -> float:
    """Return the regularized upper incomplete gamma function Q(a, x): series below a + 1, fraction above.

    Source: NIST Digital Library of Mathematical Functions, 8.11.4 and 8.9.2 (modified Lentz).
    """
    if x <= 0.0:
        return 1.0
    front = math.exp(a * math.log(x) - x - math.lgamma(a))
    if x < a + 1.0:
        term = total = 1.0 / a
        k = a
        while term > total * 1e-16:
            k += 1.0
            term *= x / k
            total += term
        return 1.0 - front * total
    b = x + 1.0 - a
    c, d = 1e300, 1.0 / b
    value = d
    for k in range(1, 10_000):
        factor = -k * (k - a)
        b += 2.0
        d = 1.0 / (factor * d + b)
        c = b + factor / c
        value *= c * d
        if abs(c * d - 1.0) < 1e-15:
            break
    return front * value


def poisson_probabilities(mean: float, largest: int) -> Reals:
    """Return P(k) for k = 0 ... largest of a Poisson distribution."""
    k = np.arange(largest + 1)
    return np.exp(k * math.log(mean) - mean - log_factorials(largest))


def log_factorials(largest: int) -> Reals:
    """Return log k! for k = 0 ... largest."""
    return np.concatenate([[0.0], np.cumsum(np.log(np.arange(1.0, largest + 1.0)))])


def poisson_p(draws: NDArray[Any], mean: float) -> float:
    """Return the chi-square p value of draws against a Poisson distribution."""
    largest = int(max(draws.max(), mean + 12.0 * math.sqrt(mean) + 12.0))
    expected = poisson_probabilities(mean, largest) * draws.size
    expected[-1] += draws.size - expected.sum()
    return chi_square_p(np.bincount(draws, minlength=largest + 1), expected)


def mean_error(draws: NDArray[Any], mean: float) -> float:
    """Return how many standard errors the mean of the draws is away from ``mean``."""
    return float(abs(draws.mean() - mean) / (draws.std(ddof=1) / math.sqrt(draws.size)))
