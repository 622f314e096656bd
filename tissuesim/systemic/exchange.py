"""How many cells leave a blood pool in a step, and for which organ."""

from __future__ import annotations

from types import ModuleType

import numpy as np
from numpy.typing import NDArray

from tissuesim.backends.numpy.exits import exit_probability
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
    exchange: ModuleType | None,
) -> float:
    """Number that leaves a pool into all organs: Binomial(amount, exit probability), or its expected value.

    ``exchange`` is the module of the backend that draws; without it the expected value is taken.
    """
    hazard = float(np.add.accumulate(hazards)[-1]) if hazards.size else 0.0
    _, leave, _, _ = exit_probability(np.float64(hazard * dt))
    if exchange is None:
        return float(amount * leave)
    stream = SYSTEMIC << 24 | index << 16 | LEAVING
    return float(exchange.draw_binomial(int(amount), float(leave), 0, stream, tick, *key))


def shares(
    amount: float,
    hazards: NDArray[np.float64],
    index: int,
    tick: int,
    key: tuple[int, int],
    exchange: ModuleType | None,
) -> list[float]:
    """The same number divided among the organs in proportion to their hazards, by conditional binomials."""
    parts: list[float] = []
    rest, rest_hazard = amount, float(np.add.accumulate(hazards)[-1]) if hazards.size else 0.0
    for organ, hazard in enumerate(hazards):
        if organ == len(hazards) - 1:
            part = rest
        elif rest_hazard <= 0:
            part = 0.0
        elif exchange is not None:
            stream = SYSTEMIC << 24 | index << 16 | SHARING + organ
            share = float(min(hazard / rest_hazard, 1.0))
            part = float(exchange.draw_binomial(int(rest), share, 0, stream, tick, *key))
        else:
            part = rest * float(hazard) / rest_hazard
        parts.append(part)
        rest, rest_hazard = rest - part, rest_hazard - float(hazard)
    return parts
