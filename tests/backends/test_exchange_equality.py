"""Arrivals from the blood: the tree of a GPU, eight levels at a time, is the tree of the CPU."""

from __future__ import annotations

import numpy as np
import pytest

from tissuesim.backends.base import BACKENDS, load_backend

KEY = (0xDEADBEEF, 0x12345678)
STREAM = 3 << 24 | 1 << 16


def weights_of(n: int) -> np.ndarray:
    """Two influxes over many decades, with voxels nobody enters, in canonical order."""
    generator = np.random.default_rng(n)
    weights = 10.0 ** generator.uniform(-6, 2, (n, 2))
    weights[generator.random((n, 2)) < 0.4] = 0.0
    weights[n // 2] = 1.0
    return weights


@pytest.mark.parametrize("n", [1, 2, 255, 256, 257, 5000, 70_000])
def test_arrivals_agree(n: int, cuda: str) -> None:
    """Claim: hazards, whole arrivals and shared amounts are the same bits for trees of one, two and three levels."""
    weights, arriving = weights_of(n), 3 * n + 5
    hazards, counts, amounts = [], [], []
    for name in BACKENDS:
        backend = load_backend(name)
        arrays, exchange, order = backend.arrays, backend.exchange, np.arange(n)
        trees, roots = exchange.weight_trees(arrays.put_rows(weights))
        hazards.append(np.asarray(roots, np.float64))
        cells = arrays.put_rows(np.full((n, 3), 7, np.int32))
        exchange.enter_counts(cells, 2, trees, 1, arriving, STREAM, -77, *KEY, order)
        exchange.enter_counts(cells, 0, trees, 0, 1, STREAM, -76, *KEY, order)
        counts.append(arrays.get_rows(cells))
        expected = arrays.put_rows(np.full((n, 3), 0.5))
        exchange.enter_amounts(expected, 1, trees, 1, 12.5, order)
        amounts.append(arrays.get_rows(expected))
    for other in range(1, len(BACKENDS)):
        assert np.array_equal(hazards[0], hazards[other])
        assert np.array_equal(counts[0], counts[other])
        assert np.array_equal(amounts[0], amounts[other])
    assert counts[0][:, 2].sum() == 7 * n + arriving and counts[0][:, 0].sum() == 7 * n + 1
    assert np.all(counts[0][weights[:, 1] == 0.0, 2] == 7), "nobody enters where the weight is zero"
    assert amounts[0][:, 1].sum() == pytest.approx(0.5 * n + 12.5, rel=1e-12)
    assert hazards[0] == pytest.approx(weights.sum(axis=0), rel=1e-12)


@pytest.mark.parametrize("name", BACKENDS)
def test_nobody_enters_through_nothing(name: str, cuda: str) -> None:
    """Claim: where all weights are zero the hazard is zero and an amount of zero changes nothing."""
    backend = load_backend(name)
    arrays, exchange = backend.arrays, backend.exchange
    trees, roots = exchange.weight_trees(arrays.put_rows(np.zeros((300, 1))))
    assert np.asarray(roots, np.float64).tolist() == [0.0]
    cells = arrays.put_rows(np.full((300, 1), 2.0))
    exchange.enter_amounts(cells, 0, trees, 0, 0.0, np.arange(300))
    assert np.all(arrays.get_rows(cells) == 2.0)
