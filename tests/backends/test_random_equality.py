"""The random functions in three languages give the same bits."""

from __future__ import annotations

import numpy as np
import pytest
from numba import njit

from tissuesim.backends.numba import exits as numba_exits
from tissuesim.backends.numba import random as compiled
from tissuesim.backends.numpy import exits, random

HARNESS = """
#include "random.cuh"
#include "exits.cuh"
KERNEL words(int64 n, const uint32 *c, uint32 *out) {
    FOR_EACH(i, n) {
        const Words w = philox(c[6*i], c[6*i+1], c[6*i+2], c[6*i+3], c[6*i+4], c[6*i+5]);
        out[4*i] = w.w0; out[4*i+1] = w.w1; out[4*i+2] = w.w2; out[4*i+3] = w.w3;
    }
}
KERNEL numbers(int64 n, const uint32 *w, const double *x, double *out) {
    FOR_EACH(i, n) {
        out[3*i] = uniform(w[4*i], w[4*i+1]);
        out[3*i+1] = normal(w[4*i], w[4*i+1], w[4*i+2], w[4*i+3]);
        out[3*i+2] = exp_neg(x[i]);
    }
}
KERNEL draws(int64 n, const int64 *m, const double *p, const double *mean, const uint32 *c, int64 *out) {
    FOR_EACH(i, n) {
        out[2*i] = binomial(m[i], p[i], c[6*i], c[6*i+1], c[6*i+2], c[6*i+3], c[6*i+4], c[6*i+5]);
        out[2*i+1] = poisson(mean[i], c[6*i], c[6*i+1], c[6*i+2], c[6*i+3], c[6*i+4], c[6*i+5]);
    }
}
KERNEL leave(int64 n, const real *x, real *out) {
    FOR_EACH(i, n) {
        const Exit e = exit_probability(x[i]);
        out[4*i] = e.survivors; out[4*i+1] = e.g; out[4*i+2] = e.phi; out[4*i+3] = e.psi;
    }
}
"""

N = 60_000


def on_device(name: str, real: type, out: np.ndarray, *arguments: np.ndarray) -> np.ndarray:
    """Run a kernel of the harness over N items; returns what it wrote."""
    from tissuesim.backends.cuda import launch

    there = launch.upload(out)
    function = launch.load_text(HARNESS, np.dtype(real)).get_function(name)
    launch.launch(function, (launch.blocks(N),), N, *(launch.upload(item) for item in arguments), there)
    return launch.fetch(there)


@pytest.fixture(scope="module")
def counters() -> np.ndarray:
    """Random counters and keys with the extreme words among them."""
    c = np.random.default_rng(5).integers(0, 2**32, (N, 6), dtype=np.uint32)
    c[:6], c[6:12] = 0, 2**32 - 1
    return c


@pytest.fixture(scope="module")
def trials() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Numbers of trials, probabilities and means over every branch of the samplers."""
    generator = np.random.default_rng(6)
    n = (10.0 ** generator.uniform(0, 17, N)).astype(np.int64)
    p = np.clip(10.0 ** generator.uniform(-1, 2.5, N) / n, 0, 1)
    p = np.where(generator.random(N) < 0.3, 1 - p, p)
    p[::7] = generator.random(p[::7].size)
    mean = 10.0 ** generator.uniform(-12, 12, N)
    n[:12] = [0, -3, 1, 1, 5, 5, 2**61, 10, 10**10, 40, 61, 60]
    p[:12] = [0.5, 0.5, 0, 1, 1.5, -1, 0.5, np.nan, 1e-9, 1 - 2**-53, 0.5, 0.5]
    mean[:4] = [0, -1, np.nan, 30]
    return n, p, mean


@njit
def _words(c, out):
    for i in range(c.shape[0]):
        for k, w in enumerate(compiled.philox(c[i, 0], c[i, 1], c[i, 2], c[i, 3], c[i, 4], c[i, 5])):
            out[i, k] = w


@njit
def _numbers(w, x, out):
    for i in range(w.shape[0]):
        out[i, 0] = compiled.uniform(w[i, 0], w[i, 1])
        out[i, 1] = compiled.normal(w[i, 0], w[i, 1], w[i, 2], w[i, 3])
        out[i, 2] = compiled.exp_neg(x[i])


@njit
def _draws(m, p, mean, c, out):
    for i in range(m.size):
        out[i, 0] = compiled.binomial(m[i], p[i], c[i, 0], c[i, 1], c[i, 2], c[i, 3], c[i, 4], c[i, 5])
        out[i, 1] = compiled.poisson(mean[i], c[i, 0], c[i, 1], c[i, 2], c[i, 3], c[i, 4], c[i, 5])


@njit
def _leave(x, out):
    for i in range(x.size):
        out[i, 0], out[i, 1], out[i, 2], out[i, 3] = numba_exits.exit_probability(x[i])


def test_philox_words_agree(counters: np.ndarray, cuda: str) -> None:
    """Claim: NumPy, Numba and the CUDA text make the same words."""
    reference = np.stack(random.philox(*counters.T), axis=1)
    numba_words, device_words = np.zeros((N, 4), np.uint32), np.zeros((N, 4), np.uint32)
    _words(counters, numba_words)
    device_words = on_device("words", np.float32, device_words, counters)
    assert np.array_equal(reference, numba_words)
    assert np.array_equal(reference, device_words)


def test_uniform_normal_exponential_agree(counters: np.ndarray, cuda: str) -> None:
    """Claim: the numbers made of words, and exp_neg, agree in every bit."""
    words = np.ascontiguousarray(counters[:, :4])
    x = np.concatenate([np.linspace(0, 40, N // 2), 10.0 ** np.linspace(-15, 3, N - N // 2)])
    reference = np.stack([random.uniform(*words.T[:2]), random.normal(*words.T), random.exp_neg(x)], axis=1)
    numba_numbers, device_numbers = np.zeros((N, 3)), np.zeros((N, 3))
    _numbers(words, x, numba_numbers)
    device_numbers = on_device("numbers", np.float32, device_numbers, words, x)
    assert np.array_equal(reference, numba_numbers)
    assert np.array_equal(reference, device_numbers)


def test_samplers_agree(
    counters: np.ndarray, trials: tuple[np.ndarray, np.ndarray, np.ndarray], cuda: str
) -> None:
    """Claim: binomial and Poisson draws are the same integers in every branch and at the extremes."""
    n, p, mean = trials
    reference = np.stack(
        [random.binomial(n, p, *counters.T), random.poisson(mean, *counters.T)],
        axis=1,
    )
    numba_draws, device_draws = np.zeros((N, 2), np.int64), np.zeros((N, 2), np.int64)
    _draws(n, p, mean, counters, numba_draws)
    device_draws = on_device("draws", np.float32, device_draws, n, p, mean, counters)
    assert np.array_equal(reference, numba_draws)
    assert np.array_equal(reference, device_draws)
    assert reference[:4, 0].tolist() == [0, 0, 0, 1]
    assert (reference[4, 0], reference[5, 0], reference[7, 0]) == (5, 0, 0)


def test_scalars_broadcast_and_negative_ticks_wrap() -> None:
    """Claim: scalar words broadcast, and a negative tick is its two's complement in NumPy and in Numba."""
    boxes = np.arange(50)
    wrapped = random.binomial(100, 0.3, boxes, 7, -5, 0, 1, 2)
    assert np.array_equal(wrapped, random.binomial(100, 0.3, boxes, 7, 2**32 - 5, 0, 1, 2))
    assert [compiled.binomial(100, 0.3, int(box), 7, -5, 0, 1, 2) for box in boxes] == wrapped.tolist()
    assert random.binomial(100, 0.3, 0, 7, -5, 0, 1, 2).shape == ()


@pytest.mark.parametrize("real", [np.float32, np.float64])
def test_exit_probability_agrees(real: type, cuda: str) -> None:
    """Claim: the exit probability agrees in every bit, and float32 stays float32."""
    x = np.concatenate([[0.0], 10.0 ** np.linspace(-12, 3, N - 1)]).astype(real)
    reference = exits.exit_probability(x)
    assert all(part.dtype == real for part in reference)
    assert all(type(part) is real for part in exits.exit_probability(x[3]))
    numba_exit, device_exit = np.zeros((N, 4), real), np.zeros((N, 4), real)
    _leave(x, numba_exit)
    device_exit = on_device("leave", real, device_exit, x)
    assert np.array_equal(np.stack(reference, axis=1), numba_exit)
    assert np.array_equal(np.stack(reference, axis=1), device_exit)


def test_exit_probability_is_right() -> None:
    """Claim: the hazard is right to 0.1 % up to x = 1, the parts add up, and small x keeps its digits."""
    x = np.concatenate([10.0 ** np.linspace(-12, 0, 100)])
    survivors, g, phi, psi = exits.exit_probability(x)
    assert np.allclose(g, -np.expm1(-x), rtol=1e-3, atol=0)
    assert np.allclose(survivors + g, 1, atol=4e-15, rtol=0)
    assert np.allclose(phi * x, g, rtol=1e-3, atol=0)
    assert np.allclose(phi + psi, 1, atol=4e-15, rtol=0)
    small = np.float32(1e-7)
    assert np.allclose(exits.exit_probability(small)[1], small, rtol=1e-6)
    assert np.allclose(exits.exit_probability(small)[3], small / 2, rtol=1e-6)
