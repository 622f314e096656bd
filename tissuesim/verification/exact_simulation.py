"""Gillespie's direct method for many replicates side by side: the law that tau-leaping is held to."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.int64]


def direct_method(
    first: tuple[int, ...],
    changes: tuple[tuple[int, ...], ...],
    propensities: Callable[[Counts], NDArray[np.float64]],
    end: float,
    replicates: int,
    seed: int,
) -> Counts:
    """Return the counts (replicates, species) at time ``end``.

    ``propensities`` maps counts (m, species) to rates (m, channels); ``changes`` are the channels' jumps.
    Source: D. T. Gillespie, J. Phys. Chem. 81 (1977) 2340-2361.
    """
    generator = np.random.default_rng(seed)
    result = np.tile(np.array(first, np.int64), (replicates, 1))
    jumps = np.array(changes, np.int64)
    running = np.arange(replicates)
    clock = np.zeros(replicates)
    while running.size:
        rates = np.cumsum(propensities(result[running]), axis=1)
        total = rates[:, -1]
        with np.errstate(divide="ignore"):
            clock = clock + generator.exponential(size=running.size) / total
        going = (clock <= end) & (total > 0.0)
        running, clock, rates = running[going], clock[going], rates[going]
        chosen = (generator.random(running.size)[:, None] * rates[:, -1:] >= rates).sum(axis=1)
        result[running] += jumps[chosen]
    return result
