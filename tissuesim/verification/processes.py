"""The process operator, read as expected change: order in time, exact equilibria, positive for any step."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from tissuesim.model.model import Model
from tissuesim.ticks import TICKS_PER_DAY
from tissuesim.tissue.graph import box_tissue
from tissuesim.verification.check import Check, at_most, has_order
from tissuesim.verification.specimen import Specimen, build_model

STEPS = (16, 32, 64)
"""Numbers of steps in a day of the convergence studies."""


def cell_types(*names: str) -> dict[str, dict[str, str]]:
    """Cell types that only react."""
    return {name: {"label": name} for name in names}


def order_of(
    name: str, model: Model, first: dict[str, float], exact: dict[str, float], steps: Sequence[int] = STEPS
) -> Check:
    """Order of the process operator over one day, from the largest error over the cell types and states."""
    errors = []
    for count in steps:
        specimen = Specimen.of(model, box_tissue((1, 1, 2), 1.0), first, backend="numpy")
        specimen.react(TICKS_PER_DAY // count, count)
        found = _first_voxel(specimen)
        errors.append(max(abs(found[key] - value) for key, value in exact.items()))
    return has_order(f"processes: order in time, {name}", 2.0, errors)


def _first_voxel(specimen: Specimen) -> dict[str, float]:
    organ, state = specimen.step.plan.organ, specimen.state
    values = np.concatenate([state.cells[0], state.states[0]])
    return {name: float(value) for name, value in zip((*organ.cells, *organ.states), values, strict=True)}


def logistic_birth(quick: bool) -> list[Check]:
    """Births that slow down with density: n' = r n (1 - n/K)."""
    model = build_model(
        "logistic_birth",
        {"growth": "3 1/day", "capacity": "1000 cell/mm^3"},
        cells=cell_types("cells_a"),
        processes={
            "birth": {
                "rate": "growth * cells_a * max(1 - cells_a / capacity, 0)",
                "change": {"cells_a": 1},
                "conserves": False,
            }
        },
    )
    exact = 1000.0 / (1.0 + 9.0 * math.exp(-3.0))
    return [order_of("logistic birth", model, {"cells_a": 100.0}, {"cells_a": exact})]


def chain(quick: bool) -> list[Check]:
    """Conversions a -> b -> c with a source: what arrives within a step may leave in the same step.

    a' = s - p a, b' = p a - q b, c' = q b.
    """
    p, q, made, first = 4.0, 7.0, 30.0, 100.0
    model = build_model(
        "chain",
        {"first_exit": f"{p} 1/day", "second_exit": f"{q} 1/day", "supply": f"{made} cell/mm^3/day"},
        cells=cell_types("cells_a", "cells_b", "cells_c"),
        processes={
            "arrive": {"rate": "supply", "change": {"cells_a": 1}, "conserves": False},
            "mature": {"rate": "first_exit * cells_a", "change": {"cells_a": -1, "cells_b": 1}},
            "leave": {"rate": "second_exit * cells_b", "change": {"cells_b": -1, "cells_c": 1}},
        },
    )
    excess = first - made / p
    a = made / p + excess * math.exp(-p)
    b = made / q * (1.0 - math.exp(-q)) + excess * p / (q - p) * (math.exp(-p) - math.exp(-q))
    exact = {"cells_a": a, "cells_b": b, "cells_c": first + made - a - b}
    return [order_of("conversions a -> b -> c", model, {"cells_a": first}, exact)]


def competing_model(to_b: float, to_c: float, death: float, fading: float) -> Model:
    """Three exits of one cell type, two of them conversions; a tissue state that fades scales the first."""
    return build_model(
        "competing_exits",
        {
            "to_b": f"{to_b!r} 1/day",
            "to_c": f"{to_c!r} 1/day",
            "death": f"{death!r} 1/day",
            "fading": f"{fading!r} 1/day",
        },
        cells=cell_types("cells_a", "cells_b", "cells_c"),
        states={"level": {"label": "Level", "unit": "1"}},
        processes={
            "fade": {"rate": "fading * level", "change": {"level": -1}, "conserves": False},
            "turn_b": {"rate": "to_b * level * cells_a", "change": {"cells_a": -1, "cells_b": 1}},
            "turn_c": {"rate": "to_c * cells_a", "change": {"cells_a": -1, "cells_c": 1}},
            "die": {"rate": "death * cells_a", "change": {"cells_a": -1}, "conserves": False},
        },
    )


def competing_exits(quick: bool) -> list[Check]:
    """Competing exits whose hazards change: a' = -(p w + q + r) a with w = exp(-v t)."""
    p, q, r, v = 3.0, 1.5, 0.8, 2.0

    def survivors(time: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(100.0 * np.exp(-(q + r) * time - p / v * (1.0 - np.exp(-v * time))))

    nodes, weights = np.polynomial.legendre.leggauss(40)
    time, weight = (nodes + 1.0) / 2.0, weights / 2.0
    exact = {
        "cells_a": float(survivors(np.array(1.0))),
        "cells_b": float(weight @ (p * np.exp(-v * time) * survivors(time))),
        "cells_c": float(weight @ (q * survivors(time))),
    }
    model = competing_model(p, q, r, v)
    return [order_of("competing exits", model, {"cells_a": 100.0, "level": 1.0}, exact)]


def mutual_killing(quick: bool) -> list[Check]:
    """Killers are used up by what they kill: a' = b' = -k a b, so a - b stays and a is logistic."""
    k, a, b = 0.03, 100.0, 60.0
    model = build_model(
        "mutual_killing",
        {"kill": f"{k} mm^3/cell/day"},
        cells=cell_types("cells_a", "cells_b"),
        processes={
            "kill_a": {"rate": "kill * cells_a * cells_b", "change": {"cells_a": -1}, "conserves": False},
            "use_b": {"rate": "kill * cells_a * cells_b", "change": {"cells_b": -1}, "conserves": False},
        },
    )
    rest = (a - b) / (1.0 - b / a * math.exp(-k * (a - b)))
    return [
        order_of(
            "mutual killing", model, {"cells_a": a, "cells_b": b}, {"cells_a": rest, "cells_b": rest - a + b}
        )
    ]


def doubling(quick: bool) -> list[Check]:
    """A cell that turns into two of another type, a' = -p a and b' = 2 p a; crowding of a third, c' = -k c^2."""
    p, first = 2.5, 80.0
    model = build_model(
        "doubling",
        {"wake": f"{p} 1/day", "crowding": "0.02 mm^3/cell/day"},
        cells=cell_types("cells_a", "cells_b", "cells_c"),
        processes={
            "wake_up": {
                "rate": "wake * cells_a",
                "change": {"cells_a": -1, "cells_b": 2},
                "conserves": False,
            },
            "crowd": {"rate": "crowding * cells_c * cells_c", "change": {"cells_c": -1}, "conserves": False},
        },
    )
    left = first * math.exp(-p)
    exact = {"cells_a": left, "cells_b": 2.0 * (first - left), "cells_c": 90.0 / (1.0 + 0.02 * 90.0)}
    return [order_of("doubling and crowding", model, {"cells_a": first, "cells_c": 90.0}, exact)]


# ---- any step
def turnover_model(supply: float, loss: float) -> Model:
    """Cells that arrive at a constant rate and leave with a constant hazard."""
    return build_model(
        "turnover",
        {"supply": f"{supply!r} cell/mm^3/day", "loss": f"{loss!r} 1/day"},
        cells=cell_types("cells_a"),
        processes={
            "arrive": {"rate": "supply", "change": {"cells_a": 1}, "conserves": False},
            "leave": {"rate": "loss * cells_a", "change": {"cells_a": -1}, "conserves": False},
        },
    )


def equilibrium(quick: bool) -> list[Check]:
    """The equilibrium supply / loss is kept, however long the step (hazard x step 0.05, 1 and 100)."""
    worst = 0.0
    for x in (0.05, 1.0, 100.0):
        model = turnover_model(40.0 * x, x)
        specimen = Specimen.of(model, box_tissue((1, 1, 1), 1.0), {"cells_a": 40.0}, backend="numpy")
        specimen.react(TICKS_PER_DAY, 20)
        worst = max(worst, abs(float(specimen.cells("cells_a")[0]) / 40.0 - 1.0))
    return [at_most("processes: drift from an exact equilibrium, steps up to 100 / hazard", worst, 1e-12)]


def positive(quick: bool) -> list[Check]:
    """Nothing becomes negative, and nothing overshoots, for steps 100 times the explicit limit."""
    lowest = math.inf
    for model, first in (
        (turnover_model(1.0, 100.0), {"cells_a": 1e6}),
        (mutual_fast(), {"cells_a": 3.0, "cells_b": 500.0}),
    ):
        for real in (np.float32, np.float64):
            specimen = Specimen.of(model, box_tissue((1, 1, 1), 1.0), first, backend="numpy", real=real)
            for _ in range(20):
                specimen.react(TICKS_PER_DAY)
                lowest = min(lowest, float(specimen.state.cells.min()))
    return [
        Check(
            "processes: least amount, steps 100 times the explicit limit",
            ">= 0",
            lowest,
            "exact",
            lowest >= 0.0,
        )
    ]


def mutual_fast() -> Model:
    """Mutual killing with a hazard of 100 per day on the weaker side."""
    return build_model(
        "mutual_fast",
        {"kill": "0.2 mm^3/cell/day"},
        cells=cell_types("cells_a", "cells_b"),
        processes={
            "kill_a": {"rate": "kill * cells_a * cells_b", "change": {"cells_a": -1}, "conserves": False},
            "use_b": {"rate": "kill * cells_a * cells_b", "change": {"cells_b": -1}, "conserves": False},
        },
    )


CHECKS: tuple[Callable[[bool], list[Check]], ...] = (
    logistic_birth,
    chain,
    competing_exits,
    mutual_killing,
    doubling,
    equilibrium,
    positive,
)
