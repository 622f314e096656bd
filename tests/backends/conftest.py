"""Graphs of control volumes for the transport tests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from numpy.typing import DTypeLike, NDArray

STEPS = ((0, 0, -1), (0, 0, 1), (0, -1, 0), (0, 1, 0), (-1, 0, 0), (1, 0, 0))


@dataclass(frozen=True)
class Graph:
    """Voxels in random order with partial volumes and three regions, as arrays."""

    box_index: NDArray[np.int64]
    neighbors: NDArray[np.int32]
    conductance: NDArray[np.float64]
    volume: NDArray[np.float64]
    region: NDArray[np.uint8]

    @property
    def n(self) -> int:
        """The number of voxels."""
        return self.box_index.size

    def geometry(self, real: DTypeLike) -> NDArray[Any]:
        """Conductance / volume."""
        return (self.conductance / self.volume[:, None]).astype(real)


def build_graph(inside: NDArray[np.bool_], seed: int, shuffled: bool = True) -> Graph:
    """Return the graph of the voxels where the box ``inside`` is true, spacing 1 mm."""
    generator = np.random.default_rng(seed)
    box_index = np.flatnonzero(inside.ravel())
    if shuffled:
        box_index = generator.permutation(box_index)
    n = box_index.size
    place = np.full(inside.size, -1)
    place[box_index] = np.arange(n)
    place = np.pad(place.reshape(inside.shape), 1, constant_values=-1)
    position = np.stack(np.unravel_index(box_index, inside.shape), axis=1) + 1
    fraction = generator.uniform(0.05, 1.0, n)
    neighbors, conductance = np.zeros((n, 6), np.int32), np.zeros((n, 6))
    for k, step in enumerate(STEPS):
        found = place[tuple((position + step).T)]
        there = found >= 0
        neighbors[:, k] = np.where(there, found, np.arange(n))
        conductance[:, k] = np.where(there, np.minimum(fraction, fraction[neighbors[:, k]]), 0.0)
    region = generator.integers(0, 3, n).astype(np.uint8)
    return Graph(box_index.astype(np.int64), neighbors, conductance, fraction, region)


@pytest.fixture(scope="session")
def graph_of() -> Callable[..., Graph]:
    """The builder of graphs: ``graph_of(inside, seed, shuffled)``."""
    return build_graph


@pytest.fixture(scope="session")
def irregular_graph() -> Graph:
    """A random subset of a 12^3 box: walls, holes and lone voxels everywhere."""
    inside = np.random.default_rng(1).random((12, 12, 12)) < 0.6
    return build_graph(inside, 2)
