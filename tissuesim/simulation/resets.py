"""The reset: when and where the last cell of each compartment and clone was lost, and the killing it took."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tissuesim.systemic.clones import ALIVE, summed
from tissuesim.ticks import days

if TYPE_CHECKING:
    from tissuesim.scenario import Scenario
    from tissuesim.simulation.engine import Engine
    from tissuesim.simulation.state import State
    from tissuesim.tissue import Tissue

KILLING, SHELTER = "killing_integral", "reset_integral"
"""The tissue state that adds up the killing hazard, and the parameter it must reach."""

TARGET, PLACE = "target_region", "susceptibility"
"""The parameter and the map that say which tissue is under attack."""


def resets(engine: Engine, state: State) -> dict[str, Any]:
    """What ``resets.json`` says of a stochastic run with clones.

    ``last_day`` is the end of the step in which the last cell was lost, for the last time; null where cells are left
    (or never were). ``last_in`` is the compartment that lost its last cell last.
    """
    rules, labels = engine.clones, state.clones
    assert rules is not None and labels is not None
    now = summed(labels.counts)
    rows = [_fate(labels.gone[row, -1], now[row, -1]) for row in range(len(rules.compartments) + 1)]
    clones = {
        label: {
            "cells_at_start": int(labels.first[column]),
            **_fate(labels.gone[-1, column], now[-1, column]),
            "last_in": _last_in(rules.compartments, labels.gone[:-1, column], now[-1, column]),
        }
        for column, label in enumerate(rules.labels)
    }
    found: dict[str, Any] = {
        "body": rows[-1] | {"last_in": _last_in(rules.compartments, labels.gone[:-1, -1], now[-1, -1])},
        "compartments": dict(zip(rules.compartments, rows[:-1], strict=True)),
        "clones": clones,
        "founders_after_extinction": [
            {"day": days(tick), "compartment": rules.compartments[place], "cells": cells}
            for tick, place, cells in labels.founders
        ],
    }
    if (killing := killing_integral(engine, state)) is not None:
        found["killing_integral"] = killing
    return found


def _fate(gone: int, left: int) -> dict[str, Any]:
    return {"last_day": None if gone == ALIVE else days(int(gone)), "cells_left": int(left)}


def _last_in(compartments: tuple[str, ...], gone: NDArray[np.int64], left: int) -> str | None:
    if left or not (gone != ALIVE).any():
        return None
    return compartments[int(np.argmax(gone))]


def killing_integral(engine: Engine, state: State) -> dict[str, Any] | None:
    """Per organ the killing integral of the tissue under attack; None where the model does not keep it.

    The least, the place of its voxel [mm], the median and the share of the volume below the integral of a reset.
    """
    plan, scenario = engine.plan, engine.scenario
    if KILLING not in plan.organ.states or SHELTER not in plan.model.parameters:
        return None
    column = plan.organ.states.index(KILLING)
    limit = float(plan.model.parameter_values()[SHELTER])
    rows = engine.snapshot(state).organs()
    return {
        name: killing_facts(rows[name]["states"][:, column], tissue, _attacked(scenario, tissue), limit)
        for name, tissue in scenario.tissues.items()
    }


def _attacked(scenario: Scenario, tissue: Tissue) -> NDArray[np.bool_]:
    """Voxels in a region under attack, and where the tissue has a map of it, where the disease lives."""
    attacked = np.asarray(tissue.maps.get(PLACE, np.ones(tissue.n)) > 0.0)
    if TARGET in scenario.plan.organ.parameters:
        column = scenario.plan.organ.parameters.index(TARGET)
        attacked &= scenario.parameters(tissue)[tissue.region, column] > 0.0
    return attacked


def killing_facts(
    integral: NDArray[Any], tissue: Tissue, attacked: NDArray[np.bool_], limit: float
) -> dict[str, Any]:
    """The numbers of one organ; ``integral`` and ``attacked`` (n,) in the order of its voxels."""
    if not attacked.any():
        return {"least": None, "place_mm": None, "median": None, "share_below": None, "limit": limit}
    values, volume = np.asarray(integral, np.float64)[attacked], tissue.volume[attacked]
    order = np.argsort(values, kind="stable")
    half = int(np.searchsorted(np.cumsum(volume[order]), 0.5 * float(volume.sum())))
    return {
        "least": float(values[order[0]]),
        "place_mm": [round(float(x), 3) for x in tissue.centers()[attacked][order[0]]],
        "median": float(values[order[min(half, order.size - 1)]]),
        "share_below": float(volume[values < limit].sum() / volume.sum()),
        "limit": limit,
    }
