"""Movement of cells as a jump process between neighboring control volumes: the version written to be read.

A cell in voxel i leaves through face k with the hazard [1/day] ``q_ik = geometry_ik (D_ij + max(chi (u_j -
u_i) / (1 + u)^2, 0))``, ``u = c / half_saturation`` of the attractant and ``u`` in the denominator the mean
of both voxels: random motility D and upwind chemotaxis up a saturating gradient. A pair of regions whose D is
below zero is closed: nothing crawls through that face. Outflow per face first, then every voxel gathers: cells are
conserved exactly.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tissuesim.backends.numpy.random import binomial

Reals = NDArray[np.floating[Any]]
Amounts = NDArray[Any]
Neighbors = NDArray[np.int32]
Regions = NDArray[np.uint8]


def _hazards(
    motility: Reals,
    chemotaxis: float,
    signals: Reals,
    attractant: int,
    half_saturation: float,
    region: Regions,
    neighbors: Neighbors,
    geometry: Reals,
) -> list[Reals]:
    """Return the hazard [1/day] of leaving through each of the six faces, six arrays ``(n,)``."""
    real = geometry.dtype.type
    hazards: list[Reals] = []
    for k in range(6):
        speed = motility[region, region[neighbors[:, k]]]
        if chemotaxis != 0.0:
            u = signals[:, attractant] / real(half_saturation)
            behind = u[neighbors[:, k]]
            mean = 1.0 + (u + behind) * 0.5
            drift = real(chemotaxis) * (behind - u) / (mean * mean)
            speed = np.where(speed < 0.0, speed, speed + np.where(drift > 0.0, drift, real(0.0)))
        hazards.append(geometry[:, k] * np.where(speed < 0.0, real(0.0), speed))
    return hazards


def _left_to_right(terms: list[Reals]) -> Reals:
    total = terms[0]
    for term in terms[1:]:
        total = total + term
    return total


def movement_outflow_deterministic(
    outflow: Reals,
    cells: Reals,
    column: int,
    dt: float,
    motility: Reals,
    chemotaxis: float,
    signals: Reals,
    attractant: int,
    half_saturation: float,
    region: Regions,
    neighbors: Neighbors,
    geometry: Reals,
) -> None:
    """Write the cells of ``cells[:, column]`` that leave through each face in a step, ``(n, 6)``.

    ``motility (R, R)`` [mm^2/day] per pair of regions, ``chemotaxis`` [mm^2/day], ``attractant`` the column
    of ``signals`` it follows (unread without chemotaxis). The caller keeps ``dt`` x largest_movement_hazard
    at 0.5 or below.
    """
    hazards = _hazards(
        motility, chemotaxis, signals, attractant, half_saturation, region, neighbors, geometry
    )
    for k, hazard in enumerate(hazards):
        outflow[:, k] = geometry.dtype.type(dt) * hazard * cells[:, column]


def movement_outflow_stochastic(
    outflow: NDArray[np.int32],
    cells: Amounts,
    column: int,
    dt: float,
    motility: Reals,
    chemotaxis: float,
    signals: Reals,
    attractant: int,
    half_saturation: float,
    region: Regions,
    neighbors: Neighbors,
    geometry: Reals,
    box_index: NDArray[np.int64],
    operator: int,
    species: int,
    tick: int,
    substep: int,
    k0: int,
    k1: int,
) -> None:
    """Write the whole number of cells that leave through each face, ``(n, 6)`` int32.

    Leavers are Binomial(m, dt sum_k q_k), channel 0, the share that leaves in the deterministic reading: mean square
    displacement and drift then have no error of the step. They are split over the faces by conditional
    binomials with ``q_k / (q_k + ... + q_5)``, channel k + 1. The last open face has probability 1 and
    takes the rest.
    """
    hazards = _hazards(
        motility, chemotaxis, signals, attractant, half_saturation, region, neighbors, geometry
    )
    leave = (geometry.dtype.type(dt) * _left_to_right(hazards)).astype(np.float64)
    word = operator << 24 | species << 16
    count = cells[:, column].astype(np.int64)
    left = binomial(count, leave, box_index, word, tick, substep << 8, k0, k1)

    rest = [hazards[5]]
    for k in (4, 3, 2, 1, 0):
        rest.insert(0, hazards[k] + rest[0])
    for k in range(6):
        open_face = hazards[k] > 0.0
        share = np.zeros(left.shape)
        np.divide(hazards[k], rest[k], out=share, where=open_face, dtype=np.float64)
        through = binomial(left, share, box_index, word | k + 1, tick, substep << 8, k0, k1)
        outflow[:, k] = through
        left = left - through


def movement_gather(cells: Amounts, column: int, outflow: Amounts, neighbors: Neighbors) -> None:
    """Set ``m_i = m_i - sum_k outflow_ik + sum_k outflow[j_k, opposite face]`` in ``cells[:, column]``.

    Whole outflow is added as int64, exactly; real outflow left to right.
    """
    whole = np.issubdtype(outflow.dtype, np.integer)
    total = cells[:, column].astype(np.int64) if whole else cells[:, column]
    itself = np.arange(len(neighbors))
    for k in range(6):
        total = total - outflow[:, k]
    for k in range(6):
        total = np.where(neighbors[:, k] == itself, total, total + outflow[neighbors[:, k], k ^ 1])
    cells[:, column] = total


def largest_movement_hazard(
    motility: Reals,
    chemotaxis: float,
    signals: Reals,
    attractant: int,
    half_saturation: float,
    region: Regions,
    neighbors: Neighbors,
    geometry: Reals,
) -> float:
    """Return the largest hazard of leaving a voxel, ``max_i sum_k q_ik`` [1/day], for the step limit."""
    hazards = _hazards(
        motility, chemotaxis, signals, attractant, half_saturation, region, neighbors, geometry
    )
    return float(np.max(_left_to_right(hazards)))
