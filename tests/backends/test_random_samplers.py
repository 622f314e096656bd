"""The generator is the published one, and the samplers have the distributions they claim."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from tissuesim.backends.numpy import random

DRAWS = 200_000
SITES = np.arange(DRAWS)
SMALLEST_P = 1e-3  # every claim below uses a fixed seed, so a pass today is a pass tomorrow


@pytest.mark.parametrize(
    ("counter", "key", "words"),
    [
        ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
        (
            (0xFFFFFFFF,) * 4,
            (0xFFFFFFFF,) * 2,
            (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD),
        ),
        (
            (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
            (0xA4093822, 0x299F31D0),
            (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
        ),
    ],
)
def test_philox_known_answers(counter: tuple[int, ...], key: tuple[int, int], words: tuple[int, ...]) -> None:
    """Claim: the words are those published with Random123 for philox4x32-10."""
    found = random.philox(*counter, *key)  # type: ignore[call-arg]
    assert tuple(int(word) for word in found) == words


def test_uniform_spans_the_unit_interval() -> None:
    """Claim: uniform numbers start at 0, end at 1 - 2^-53 and are even (Kolmogorov-Smirnov)."""
    zero, ones = np.uint32(0), np.uint32(2**32 - 1)
    assert random.uniform(zero, zero) == 0.0
    assert random.uniform(ones, ones) == 1.0 - 2.0**-53
    words = random.philox(SITES, 1, 2, 3, 4, 5)
    assert stats.kstest(random.uniform(words[0], words[1]), "uniform").pvalue > SMALLEST_P


def test_normal_is_normal() -> None:
    """Claim: mean 0, variance 1, no skew, and the shape of the normal within the accuracy of 96 coins."""
    z = random.normal(*random.philox(SITES, 7, 0, 0, 8, 9))
    assert abs(z.mean()) < 4 / np.sqrt(DRAWS)
    assert abs(z.var() - 1) < 4 * np.sqrt(2 / DRAWS)
    assert abs(stats.skew(z)) < 4 * np.sqrt(6 / DRAWS)
    assert stats.kstest(z, "norm").statistic < 0.005
    ones, zero = np.uint32(2**32 - 1), np.uint32(0)
    assert random.normal(ones, ones, ones, ones) == pytest.approx(9.88, abs=0.01)
    assert random.normal(zero, zero, zero, zero) == pytest.approx(-9.88, abs=0.01)


def test_powers_and_exponential_are_accurate() -> None:
    """Claim: (1-p)^n and exp(-x) are right to 1e-12, and their complements too for tiny arguments."""
    p = 10.0 ** np.linspace(-16, -0.31, 2000)
    n = np.maximum(1, (np.linspace(0.01, 60, 2000) / p).astype(np.int64))
    assert np.allclose(random.survival_power(p, n), np.exp(n * np.log1p(-p)), rtol=1e-12, atol=0)
    x = np.concatenate([np.linspace(0, 40, 4001), 10.0 ** np.linspace(-16, 0, 100)])
    assert np.allclose(random.exp_neg(x), np.exp(-x), rtol=1e-13, atol=0)
    small = x < 0.01
    assert np.allclose((1 - random.exp_neg(x))[small], -np.expm1(-x[small]), rtol=0, atol=2e-16)
    assert random.exp_neg(1e9) == 0.0
    assert random.exp_neg(0.0) == 1.0


def chi_square(draws: np.ndarray, distribution: stats.rv_discrete) -> float:
    """Return the p-value of a chi-square test with at least 10 expected draws in every bin."""
    low, high = int(distribution.ppf(1e-6)), int(distribution.ppf(1 - 1e-6))
    edges = [low - 1]
    for value in range(low, high + 1):
        mass = distribution.cdf(value) - (distribution.cdf(edges[-1]) if len(edges) > 1 else 0.0)
        if mass * draws.size >= 10 and distribution.sf(value) * draws.size >= 10:
            edges.append(value)
    cumulated = np.concatenate([[0.0], distribution.cdf(edges[1:]), [1.0]])
    expected = np.diff(cumulated) * draws.size
    bounds = np.concatenate([[-np.inf], np.array(edges[1:]) + 0.5, [np.inf]])
    observed = np.histogram(draws, bounds)[0]
    return float(stats.chisquare(observed, expected).pvalue)


@pytest.mark.parametrize(
    ("n", "p"),
    [
        (1, 0.3),
        (5, 0.5),
        (60, 0.5),
        (40, 0.97),
        (1000, 0.003),
        (100_000, 2e-4),
        (10**10, 1e-9),
        (10**15, 2.5e-14),
        (10**10, 1 - 1e-9),
    ],
)
def test_binomial_by_inversion_is_exact(n: int, p: float) -> None:
    """Claim: up to a mean of 30 the binomial passes chi-square, rare events and p near 1 included."""
    draws = random.binomial(n, p, SITES, 11, 12, 13, 14, 15)
    small = n - draws if p > 0.5 else draws
    assert chi_square(small, stats.binom(n, min(p, 1 - p))) > SMALLEST_P


@pytest.mark.parametrize(("n", "p"), [(62, 0.5), (100, 0.6), (2000, 0.02), (10**5, 0.3), (10**12, 1e-9)])
def test_binomial_beyond_inversion_has_the_moments(n: int, p: float) -> None:
    """Claim: beyond a mean of 30, mean, variance, skewness and distribution function of the binomial hold."""
    draws = random.binomial(n, p, SITES, 21, 22, 23, 24, 25)
    truth = stats.binom(n, p)
    mean, variance, skew = (float(value) for value in truth.stats("mvs"))
    assert abs(draws.mean() - mean) < 4 * np.sqrt(variance / DRAWS)
    # rounding to whole numbers adds 1/12, the skew term (1-2p)^2/18 to the variance
    extra = 1 / 12 + (1 - 2 * p) ** 2 / 18
    assert abs(draws.var() - variance - extra) < 5 * variance * np.sqrt(2 / DRAWS)
    assert abs(stats.skew(draws) - skew) < 0.03
    values = np.unique(np.linspace(truth.ppf(1e-3), truth.ppf(1 - 1e-3), 50).astype(np.int64))
    empirical = np.searchsorted(np.sort(draws), values, side="right") / DRAWS
    assert np.max(np.abs(empirical - truth.cdf(values))) < 0.006


def test_rare_events_happen_as_often_as_they_should() -> None:
    """Claim: p = 1e-9 over many voxels gives the Poisson number of events; the mirror image does too."""
    count, p = 10**6, 1e-9
    expected = count * p * DRAWS
    for chance, events in ((p, lambda d: d.sum()), (1 - p, lambda d: (count - d).sum())):
        total = sum(
            int(events(random.binomial(count, chance, SITES, 31, tick, 0, 1, 2))) for tick in range(10)
        )
        assert abs(total - 10 * expected) < 4 * np.sqrt(10 * expected)


def test_binomial_limits() -> None:
    """Claim: nothing from nothing, all at p >= 1, never outside [0, n], whatever the words."""
    n = np.array([0, -4, 7, 7, 7, 7, 2**61, 2**61, 2**61, 31, 10**9])
    p = np.array([0.5, 0.5, 0.0, -0.1, 1.0, np.nan, 0.5, 1 - 1e-16, 1e-300, 1 - 2**-53, 0.999999999])
    sites = np.arange(1000)[:, None]
    draws = random.binomial(n, p, sites, 0, 0, 0, 3, 4)
    assert np.all(draws[:, [0, 1, 2, 3, 5]] == 0)
    assert np.all(draws[:, 4] == 7)
    assert np.all((draws >= 0) & (draws <= np.maximum(n, 0)))
    assert np.all(draws[:, 8] == 0)
    assert draws.dtype == np.int64


@pytest.mark.parametrize("mean", [1e-3, 0.1, 1.0, 7.5, 29.9])
def test_poisson_by_inversion_is_exact(mean: float) -> None:
    """Claim: up to a mean of 30 the Poisson draws pass chi-square."""
    assert chi_square(random.poisson(mean, SITES, 41, 42, 43, 44, 45), stats.poisson(mean)) > SMALLEST_P


@pytest.mark.parametrize("mean", [30.1, 100.0, 1e4, 1e12])
def test_poisson_beyond_inversion_has_the_moments(mean: float) -> None:
    """Claim: beyond a mean of 30, mean, variance and skewness of the Poisson distribution hold."""
    draws = random.poisson(mean, SITES, 51, 52, 53, 54, 55)
    assert abs(draws.mean() - mean) < 4 * np.sqrt(mean / DRAWS)
    assert abs(draws.var() - mean - 1 / 12 - 1 / 18) < 5 * mean * np.sqrt(2 / DRAWS)
    assert abs(stats.skew(draws) - mean**-0.5) < 0.03


def test_poisson_limits() -> None:
    """Claim: no mean, no draw; tiny means give their few events; the inversion ends for every word."""
    assert random.poisson(np.array([0.0, -1.0, np.nan]), 0, 0, 0, 0, 0, 0).tolist() == [0, 0, 0]
    total = random.poisson(1e-4, np.arange(10**6), 61, 0, 0, 1, 1).sum()
    assert abs(total - 100) < 40
    u = np.array([1.0 - 2.0**-53])
    worst = random._invert(u, np.array([1.0 - 1e-12]), np.array([1e-12]), None)
    assert worst[0] <= 3


def test_channels_are_independent() -> None:
    """Claim: draws of neighboring voxels, channels, ticks, sub-steps and keys are uncorrelated."""
    base = [SITES, 0x01020003, 1000, 0x100, 77, 88]
    reference = random.binomial(20, 0.4, *base)
    for place, change in enumerate((1, 1, 1, 1, 1, 1)):
        words = list(base)
        words[place] = words[place] + change
        other = random.binomial(20, 0.4, *words)
        assert abs(np.corrcoef(reference, other)[0, 1]) < 4 / np.sqrt(DRAWS)
