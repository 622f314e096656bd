"""The draws of clone labels: the bits of the backends, and the distributions they are named after."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from tissuesim.backends.numba import labels as compiled
from tissuesim.backends.numpy import random as vectorised
from tissuesim.backends.numpy.labels import Stream, binomial, hypergeometric, normal, share, take, uniform

KEY = (0x1234ABCD, 0xFEDC4321)
WORDS = (6 << 24 | 3 << 16 | 256, 7, 2 << 8, *KEY)


def stream(tick: int = 7, purpose: int = 6 << 24 | 3 << 16 | 256) -> Stream:
    """A stream of the clones at some tick, also a negative one."""
    return Stream(purpose, tick, 2 << 8, KEY)


def test_words_and_numbers_are_those_of_the_backends() -> None:
    """Philox words, uniform and normal numbers have the same bits as the vectorised version."""
    index = np.arange(500)
    for tick in (0, 7, -737280, 2**31 - 1):
        words = vectorised.philox(index, 6 << 24 | 3 << 16 | 256, tick, 2 << 8, *KEY)
        own = [stream(tick).words(int(i)) for i in index]
        assert np.array_equal(np.stack(words, axis=1).astype(np.int64), np.array(own))
        assert [uniform(w) for w in own] == vectorised.uniform(words[0], words[1]).tolist()
        assert [normal(w) for w in own] == vectorised.normal(*words).tolist()


@pytest.mark.parametrize("n", [1, 7, 400, 10**5, 10**9])
@pytest.mark.parametrize("p", [1e-9, 0.003, 0.2, 0.5, 0.77, 1.0 - 1e-7])
def test_binomial_numbers_are_those_of_the_backends(n: int, p: float) -> None:
    """Inverted, mirrored and normal branches alike."""
    index = np.arange(300)
    expected = vectorised.binomial(n, p, index, 6 << 24 | 3 << 16 | 256, 7, 2 << 8, *KEY)
    assert [binomial(n, p, stream().words(int(i))) for i in index] == expected.tolist()


CASES = [
    (10, 3, 4),
    (10, 7, 8),
    (50, 25, 25),
    (1000, 30, 400),
    (4000, 300, 350),
    (10**6, 1200, 20_000),
    (10**7, 3 * 10**5, 10**4),
    (10**7, 6 * 10**6, 9 * 10**6),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_hypergeometric_has_its_distribution(case: tuple[int, int, int]) -> None:
    """Mean and variance within 4.5 standard errors, and the shape by a chi-square where few values carry it all."""
    total, marked, drawn = case
    exact = stats.hypergeom(total, marked, drawn)
    numbers = np.array([hypergeometric(total, marked, drawn, stream().words(i)) for i in range(4000)])
    same = [compiled.hypergeometric(total, marked, drawn, *stream().words(i)) for i in range(4000)]
    assert numbers.tolist() == same
    assert numbers.min() >= max(0, drawn + marked - total) and numbers.max() <= min(drawn, marked)
    sd = exact.std()
    assert abs(numbers.mean() - exact.mean()) < 4.5 * sd / np.sqrt(numbers.size)
    assert abs(numbers.var() / exact.var() - 1.0) < 4.5 * np.sqrt(2.0 / numbers.size) * 1.2
    edges = np.unique(exact.ppf(np.linspace(0.0, 1.0, 13)[1:-1]).astype(int))
    inside = np.diff([0.0, *exact.cdf(edges), 1.0])
    seen = np.histogram(numbers, [-np.inf, *(edges + 0.5), np.inf])[0]
    kept = inside > 1e-3
    statistic = float(np.sum((seen - numbers.size * inside)[kept] ** 2 / (numbers.size * inside[kept])))
    assert stats.chi2.sf(statistic, int(kept.sum()) - 1) > 1e-4


def test_hypergeometric_at_its_bounds() -> None:
    """Nothing marked, nothing drawn, all marked, all drawn: no chance is left."""
    words = stream().words(0)
    for total in (1, 2, 17, 10**8):
        half = total // 2
        assert hypergeometric(total, 0, half, words) == 0
        assert hypergeometric(total, half, 0, words) == 0
        assert hypergeometric(total, total, half, words) == half
        assert hypergeometric(total, half, total, words) == half


def test_taken_and_shared_cells_add_up() -> None:
    """Parts add up, no label gives more than it has, none without weight gets any; compiled text gives the same."""
    random = np.random.default_rng(3)
    for trial in range(600):
        counts = random.integers(0, 3, 13) * 10 ** random.integers(0, 7, 13)
        drawn = int(random.integers(0, counts.sum() + 1) * 10.0 ** random.choice([0, 0, -2, -4]))
        words = (WORDS[0], trial, *WORDS[2:])
        parts = take(counts, drawn, *words)
        assert parts.sum() == drawn
        assert (parts >= 0).all() and (parts <= counts).all()
        assert np.array_equal(compiled.take(counts, drawn, *words), parts)
        if counts.any():
            born = share(counts.astype(float), drawn, *words)
            assert born.sum() == drawn and not born[counts == 0].any()
            assert np.array_equal(compiled.share(counts.astype(float), drawn, *words), born)
    few = np.array([3, 0, 5])
    for module in (take, compiled.take):
        assert module(few, 8, *WORDS).tolist() == [3, 0, 5]
        with pytest.raises(ValueError, match="cannot be taken"):
            module(few, 9, *WORDS)


def test_taking_prefers_no_label() -> None:
    """The mean number taken of each label is its share, wherever it stands in the row."""
    counts = np.array([5, 40, 1, 0, 54])
    taken = np.array([compiled.take(counts, 30, WORDS[0], tick, *WORDS[2:]) for tick in range(4000)])
    exact = 0.3 * counts
    error = np.sqrt(0.3 * 0.7 * counts / 4000) + 1e-12
    assert (np.abs(taken.mean(axis=0) - exact) < 4.5 * error).all()
