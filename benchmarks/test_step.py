"""A whole step of the shipped model under pytest-benchmark, on the cases of ``tissuesim bench``.

pytest benchmarks --benchmark-only
"""

from __future__ import annotations

from typing import Any

import pytest

from tissuesim.bench.measure import Effort
from tissuesim.bench.model_step import passes, prepare, whole_step


@pytest.mark.parametrize("stochastic", [True, False], ids=["stochastic", "deterministic"])
@pytest.mark.parametrize("spacing", ["2 mm", "4 mm"])
def test_whole_step(benchmark: Any, spacing: str, stochastic: bool) -> None:
    """Time of one step at the height of killing."""
    prepared = prepare("auto", spacing, stochastic=stochastic)
    row = whole_step(prepared, Effort(1.0))
    benchmark.extra_info.update(row.facts())
    benchmark.pedantic(prepared.simulation.step, setup=prepared.rewind, rounds=10, warmup_rounds=1)
    assert row.fraction_of_copy is not None and row.fraction_of_copy > 0


@pytest.mark.parametrize("stochastic", [True, False], ids=["stochastic", "deterministic"])
def test_processes(benchmark: Any, stochastic: bool) -> None:
    """The process pass costs less where few voxels hold cells, and never more."""
    prepared = prepare("auto", "2 mm", stochastic=stochastic)
    few, all_, summaries = benchmark.pedantic(lambda: list(passes(prepared, Effort(0.5))), rounds=1)
    for row in (few, all_, summaries):
        benchmark.extra_info[row.name] = row.facts()
    assert few.seconds <= 1.3 * all_.seconds


def test_numpy_over_numba(benchmark: Any) -> None:
    """The NumPy backend is at most 30 times slower than Numba on the same steps."""
    slow, fast = (
        whole_step(prepare(name, "4 mm", stochastic=True), Effort(0.5)) for name in ("numpy", "numba")
    )
    assert slow.seconds is not None and fast.seconds is not None
    ratio = benchmark.pedantic(lambda: slow.seconds / fast.seconds, rounds=1)
    benchmark.extra_info["numpy_over_numba"] = ratio
    assert ratio < 30
