"""The statistics of the scorecard agree with SciPy's, and the exact simulation with closed forms."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.special
import scipy.stats

from tissuesim.verification.exact_simulation import Counts, direct_method
from tissuesim.verification.statistics import (
    chi_square_p,
    kolmogorov_p,
    mean_error,
    poisson_p,
    poisson_probabilities,
    steps_distance,
    upper_gamma,
)
from tissuesim.verification.stochastic import extinct_by


@pytest.mark.parametrize("a", [0.5, 3.0, 20.0, 400.0])
@pytest.mark.parametrize("ratio", [0.0, 0.2, 0.9, 1.1, 3.0])
def test_upper_gamma(a: float, ratio: float) -> None:
    """The incomplete gamma function behind chi-square has ten good digits."""
    assert upper_gamma(a, a * ratio) == pytest.approx(
        scipy.special.gammaincc(a, a * ratio), rel=1e-10, abs=1e-14
    )


@pytest.mark.parametrize("count", [20, 1000])
@pytest.mark.parametrize("scaled", [0.1, 0.5, 1.0, 1.5, 2.0])
def test_kolmogorov(count: int, scaled: float) -> None:
    """The p value of Kolmogorov and Smirnov is right to 0.015 for 20 draws and to 0.003 for 1,000."""
    distance = scaled / math.sqrt(count)
    exact = scipy.stats.kstwo.sf(distance, count)
    assert kolmogorov_p(distance, count) == pytest.approx(exact, abs=0.015 if count == 20 else 0.003)


def test_chi_square_joins_sparse_cells() -> None:
    """Cells that expect too little are joined with their neighbors before the statistic is formed."""
    observed, expected = np.array([12, 9, 2, 1, 4, 0, 12]), np.array([10.0, 10.0, 2.0, 2.0, 2.0, 1.0, 13.0])
    joined = scipy.stats.chisquare([12, 9, 7, 12], [10.0, 10.0, 6.0, 14.0]).pvalue
    assert chi_square_p(observed, expected) == pytest.approx(joined)
    with pytest.raises(ValueError, match="two cells"):
        chi_square_p(np.array([3, 4]), np.array([3.5, 3.5]))


@pytest.mark.parametrize("mean", [0.1, 7.0, 3000.0])
def test_poisson(mean: float) -> None:
    """Probabilities are right; draws of that mean pass, draws of a mean two percent higher do not."""
    largest = int(mean + 20 + 12 * math.sqrt(mean))
    exact = scipy.stats.poisson.pmf(np.arange(largest + 1), mean)
    np.testing.assert_allclose(poisson_probabilities(mean, largest), exact, rtol=1e-9, atol=1e-300)
    generator = np.random.default_rng(4)
    assert poisson_p(generator.poisson(mean, 100_000), mean) > 0.01
    assert poisson_p(generator.poisson(mean * 1.1, 100_000), mean) < 0.01


def test_distance_of_steps() -> None:
    """The distance is the one of the empirical distribution, with late draws only at the end."""
    steps = np.array([0, 0, 1, 2, 5, 9])
    cumulative = np.array([0.2, 0.5, 0.6, 0.7])
    assert steps_distance(steps, cumulative) == pytest.approx(max(2 / 6 - 0.2, 0, 4 / 6 - 0.6, 0.7 - 4 / 6))


def test_mean_error_in_standard_errors() -> None:
    """A mean that is two standard errors off is told so."""
    draws = np.array([1.0, 3.0] * 50)
    error = draws.std(ddof=1) / 10.0
    assert mean_error(draws, 2.0 + 2.0 * error) == pytest.approx(2.0)


def test_exact_simulation_of_birth_and_death() -> None:
    """The direct method has the extinction probability, mean and variance of the linear birth-death process."""
    birth, death, end, replicates = 1.5, 1.0, 1.2, 20_000

    def propensities(counts: Counts) -> np.ndarray:
        return np.stack([birth * counts[:, 0], death * counts[:, 0]], axis=1)

    draws = direct_method((2,), ((1,), (-1,)), propensities, end, replicates, seed=8)[:, 0]
    growth = math.exp((birth - death) * end)
    variance = 2 * (birth + death) / (birth - death) * growth * (growth - 1.0)
    extinct = float(extinct_by(birth, death, np.array(end), 2))
    assert mean_error(draws, 2 * growth) < 3.0
    assert draws.var() == pytest.approx(variance, rel=0.05)
    assert (draws == 0).mean() == pytest.approx(
        extinct, abs=3 * math.sqrt(extinct * (1 - extinct) / replicates)
    )
