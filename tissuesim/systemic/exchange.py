"""How many cells leave a blood pool in a step, and for which organ."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tissuesim.backends.numpy.exits import exit_probability
from tissuesim.backends.numpy.random import binomial
from tissuesim.backends.organ_step import SYSTEMIC

LEAVING, SHARING = 200, 216
"""Channels of the draws of this file in the second counter word (one per influx process, beside the pools')."""


def leaving_blood(
    amount: float,
    hazards: NDArray[np.float64],
    dt: float,
    index: int,
    tick: int,
    key: tuple[int, int],
    stochastic: bool,
) -> float:
    """Number that leaves a pool into all organs: Binomial(amount, exit probability), or its expected value."""
    hazard = float(np.add.accumulate(hazards)[-1]) if hazards.size else 0.0
    _, leave, _, _ = exit_probability(np.float64(hazard * dt))
    if not stochastic:
        return float(amount * leave)
    return float(_draw(int(amount), float(leave), index << 16 | LEAVING, tick, key))


def shares(
    amount: float, hazards: NDArray[np.float64], index: int, tick: int, key: tuple[int, int], stochastic: bool
) -> list[float]:
    """The same number divided among the organs in proportion to their hazards, by conditional binomials."""
    parts: list[float] = []
    rest, rest_hazard = amount, float(np.add.accumulate(hazards)[-1]) if hazards.size else 0.0
    for organ, hazard in enumerate(hazards):
        if organ == len(hazards) - 1:
            part = rest
        elif rest_hazard <= 0:
            part = 0.0
        elif stochastic:
            stream = index << 16 | SHARING + organ
            part = float(_draw(int(rest), float(min(hazard / rest_hazard, 1.0)), stream, tick, key))
        else:
            part = rest * float(hazard) / rest_hazard
        parts.append(part)
        rest, rest_hazard = rest - part, rest_hazard - float(hazard)
    return parts


def _draw(count: int, probability: float, stream: int, tick: int, key: tuple[int, int]) -> Any:
    """One binomial number; its counter words name the blood, the process and the tick."""
    drawn = binomial(np.array([count]), np.array([probability]), np.array([0]), SYSTEMIC << 24 | stream, tick, 0, *key)
    return int(drawn[0])
