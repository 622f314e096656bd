"""The process operator, read as integer events: closed forms and exact stochastic simulation."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tissuesim.model.model import Model
from tissuesim.ticks import TICKS_PER_DAY
from tissuesim.tissue.graph import box_tissue
from tissuesim.verification.check import Check, at_least, at_most, exactly, likely, within, within_percent
from tissuesim.verification.exact_simulation import Counts, direct_method
from tissuesim.verification.processes import cell_types, competing_model
from tissuesim.verification.specimen import Specimen, build_model
from tissuesim.verification.statistics import (
    kolmogorov_p,
    mean_error,
    poisson_p,
    steps_distance,
)

TICKS = 64
"""Step of these checks: 1/96 day."""

DAY_FRACTION = TICKS / TICKS_PER_DAY

SEEDS, SEEDS_TO_PASS, LEVEL = 20, 18, 0.01
"""Of so many fixed seeds so many must pass a test at this level (numerics.md, section 1)."""

STANDARD_ERRORS, VARIANCE_PERCENT = 3.0, 5.0


def per_step(x: float) -> str:
    """A rate given as its product with the step, as a quantity."""
    return f"{x / DAY_FRACTION!r} 1/day"


def moments(name: str, draws: NDArray[Any], mean: float, variance: float) -> list[Check]:
    """Mean within three standard errors and variance within five percent."""
    return [
        at_most(f"{name}: mean, off by standard errors", mean_error(draws, mean), STANDARD_ERRORS),
        within_percent(f"{name}: variance", variance, float(draws.var(ddof=1)), VARIANCE_PERCENT),
    ]


# ---- immigration and death
def immigration_death(loss_per_step: float) -> Model:
    """Cells that arrive at the rate of the map ``supply`` and die; voxels of 1 mm^3."""
    return build_model(
        "immigration_death",
        {"loss": per_step(loss_per_step)},
        cells=cell_types("cells_a"),
        maps={"supply": {"label": "Supply", "unit": "cell/mm^3/day", "default": "0 cell/mm^3/day"}},
        processes={
            "arrive": {"rate": "supply", "change": {"cells_a": 1}, "conserves": False},
            "die": {"rate": "loss * cells_a", "change": {"cells_a": -1}, "conserves": False},
        },
    )


def poisson_law(quick: bool) -> list[Check]:
    """Immigration and death from an empty tissue: Poisson at any time, over means from 0.1 to 10,000."""
    means, voxels, x, steps = (0.1, 1.0, 10.0, 100.0, 1000.0, 10_000.0), 10_000, 0.1, 30
    tissue = box_tissue((len(means), 100, voxels // 100), 1.0)
    group = np.unravel_index(tissue.box_index, tissue.shape)[0]
    filled = 1.0 - math.exp(-x * steps)
    tissue.maps["supply"] = np.array(means)[group] * x / DAY_FRACTION / filled
    specimen = Specimen.of(immigration_death(x), tissue, stochastic=True)
    specimen.react(TICKS, steps)
    checks = []
    for number, mean in enumerate(means):
        draws = specimen.cells("cells_a")[group == number]
        name = f"immigration-death, mean {mean:g}"
        checks += moments(name, draws, mean, mean)
        checks.append(likely(f"{name}: Poisson (chi-square p)", poisson_p(draws, mean)))
    return checks


def rare_events(quick: bool) -> list[Check]:
    """Deaths with p = 1e-9 per cell and step: as many as there should be among 1e12, and the one in a billion draws.

    The one: of the first billion uniform numbers of this key, the draw of voxel 30249 at tick 664512 comes
    nearest to 1 (within 4.8e-11). Numbers of 24 bits end 6e-8 below 1; with them this cell could never die.
    """
    p, crowd, steps, voxels, tick, place = 1e-9, 1_000_000, 16, 65_536, 664_512, 30_249
    model, tissue = immigration_death(p), box_tissue((1, 1, voxels), 1.0)
    specimen = Specimen.of(
        model, tissue, {"cells_a": crowd}, stochastic=True, real=np.float32, backend="numpy"
    )
    specimen.react(TICKS, steps)
    dead = crowd * voxels - int(specimen.cells("cells_a").sum(dtype=np.int64))
    due = crowd * voxels * p * steps
    alone = Specimen.of(model, tissue, {"cells_a": 1}, stochastic=True, real=np.float32, backend="numpy")
    alone.tick = tick
    alone.react(TICKS)
    gone = tissue.box_index[alone.cells("cells_a") == 0]
    return [
        within("rare events: deaths at p = 1e-9 per cell and step", due, dead, 3.0 * math.sqrt(due)),
        exactly("rare events: voxel of the one death in a billion draws", place, float(gone.sum())),
    ]


# ---- birth and death
def birth_death(birth_per_step: float, death_per_step: float) -> Model:
    """Cells that divide and die, each with a constant hazard."""
    return build_model(
        "birth_death",
        {"birth": per_step(birth_per_step), "death": per_step(death_per_step)},
        cells=cell_types("cells_a"),
        processes={
            "divide": {"rate": "birth * cells_a", "change": {"cells_a": 1}, "conserves": False},
            "die": {"rate": "death * cells_a", "change": {"cells_a": -1}, "conserves": False},
        },
    )


def extinct_by(birth: float, death: float, time: NDArray[np.float64], first: int) -> NDArray[np.float64]:
    """P(no cell is left) at a time, from ``first`` cells: linear birth-death process (D. G. Kendall, 1948)."""
    growth = np.exp((birth - death) * time)
    return np.asarray((death * (growth - 1.0) / (birth * growth - death)) ** first)


def extinction_steps(model: Model, first: int, voxels: int, steps: int, seed: int) -> Counts:
    """The step at whose end each voxel is empty, counted from 0; ``steps`` for those that never are."""
    specimen = Specimen.of(
        model, box_tissue((1, 1, voxels), 1.0), {"cells_a": first}, stochastic=True, seed=seed
    )
    result = np.full(voxels, steps, np.int64)
    for step in range(steps):
        specimen.react(TICKS)
        result[(specimen.cells("cells_a") == 0) & (result == steps)] = step
    return result


def extinction_times(quick: bool) -> list[Check]:
    """Times of extinction, exact ones rounded up to the step: Kolmogorov-Smirnov at hazard x step = 0.1."""
    birth, death, first, voxels, steps = 0.03, 0.1, 10, 1000, 150
    model = birth_death(birth, death)
    exact = extinct_by(birth, death, np.arange(1.0, steps + 1.0), first)
    distances = [
        steps_distance(extinction_steps(model, first, voxels, steps, seed), exact)
        for seed in range(1, SEEDS + 1)
    ]
    passing = sum(kolmogorov_p(distance, voxels) > LEVEL for distance in distances)
    return [
        at_least(f"extinction times: of {SEEDS} seeds with p > {LEVEL:g}", passing, SEEDS_TO_PASS, f"{SEEDS}")
    ]


def extinction_probability(quick: bool) -> list[Check]:
    """A growing population may die out: probability, and mean and variance of the rest."""
    birth, death, first, voxels, steps = 0.03, 0.02, 2, 20_000, 100
    specimen = Specimen.of(
        birth_death(birth, death),
        box_tissue((1, 100, voxels // 100), 1.0),
        {"cells_a": first},
        stochastic=True,
    )
    specimen.react(TICKS, steps)
    draws = specimen.cells("cells_a")
    chance = float(extinct_by(birth, death, np.array(float(steps)), first))
    growth = math.exp((birth - death) * steps)
    variance = first * (birth + death) / (birth - death) * growth * (growth - 1.0)
    deviation = math.sqrt(chance * (1.0 - chance) / voxels)
    error = abs(float((draws == 0).mean()) - chance) / deviation
    return [
        at_most("birth-death: extinction probability, off by standard errors", error, STANDARD_ERRORS),
        *moments("birth-death", draws, first * growth, variance),
    ]


# ---- several types
def competing(quick: bool) -> list[Check]:
    """Competing exits: where cells end is multinomial, and none is lost on the way."""
    hazards, cells, voxels, steps = np.array([0.03, 0.02, 0.04]), 50, 20_000, 20
    to_b, to_c, death = (float(x / DAY_FRACTION) for x in hazards)
    tissue = box_tissue((1, 100, voxels // 100), 1.0)
    model, first = competing_model(to_b, to_c, death, 0.0), {"cells_a": cells, "level": 1.0}
    specimen = Specimen.of(model, tissue, first, stochastic=True, backend="numpy")
    results = specimen.react(TICKS, steps)
    left = 1.0 - math.exp(-float(hazards.sum()) * steps)
    checks = []
    found = [specimen.cells(name) for name in ("cells_a", "cells_b", "cells_c")]
    chances = [1.0 - left, *(left * hazards[:2] / hazards.sum())]
    for name, draws, chance in zip(("staying", "exit 1", "exit 2"), found, chances, strict=True):
        checks += moments(f"competing exits, {name}", draws, cells * chance, cells * chance * (1.0 - chance))
    shared = float(np.cov(found[1], found[2])[0, 1])
    dead = sum(result.lost["cells_a"] for result in results) - sum(int(draws.sum()) for draws in found[1:])
    return [
        *checks,
        within_percent("competing exits: covariance", -cells * chances[1] * chances[2], shared, 10.0),
        exactly(
            "competing exits: cells accounted for",
            cells * voxels,
            sum(int(d.sum()) for d in found) + int(dead),
        ),
    ]


def hunting(quick: bool) -> list[Check]:
    """Nonlinear killing against exact stochastic simulation: targets divide and are killed, killers grow on contact."""
    birth, kill, boost, death = 0.5, 0.06, 0.03, 0.4
    first, replicates, steps = (30, 12), 10_000 if quick else 20_000, 192
    model = build_model(
        "hunting",
        {
            "birth": f"{birth} 1/day",
            "kill": f"{kill} mm^3/cell/day",
            "boost": f"{boost} mm^3/cell/day",
            "death": f"{death} 1/day",
        },
        cells=cell_types("target", "killer"),
        processes={
            "divide": {"rate": "birth * target", "change": {"target": 1}, "conserves": False},
            "kill_target": {"rate": "kill * target * killer", "change": {"target": -1}, "conserves": False},
            "expand": {"rate": "boost * target * killer", "change": {"killer": 1}, "conserves": False},
            "die": {"rate": "death * killer", "change": {"killer": -1}, "conserves": False},
        },
    )

    def propensities(counts: Counts) -> NDArray[np.float64]:
        target, killer = counts[:, 0], counts[:, 1]
        return np.stack(
            [birth * target, kill * target * killer, boost * target * killer, death * killer], axis=1
        )

    changes = ((1, 0), (-1, 0), (0, 1), (0, -1))
    exact = direct_method(first, changes, propensities, steps * DAY_FRACTION, replicates, seed=3)
    specimen = Specimen.of(
        model,
        box_tissue((1, 100, replicates // 100), 1.0),
        {"target": first[0], "killer": first[1]},
        stochastic=True,
    )
    specimen.react(TICKS, steps)
    checks = []
    for column, name in enumerate(("target", "killer")):
        draws, truth = specimen.cells(name), exact[:, column]
        error = abs(float(draws.mean() - truth.mean())) / math.sqrt((draws.var() + truth.var()) / replicates)
        checks.append(
            at_most(f"killing against exact simulation, {name}: mean, off by standard errors", error, 3.0)
        )
        checks.append(
            within_percent(
                f"killing against exact simulation, {name}: variance",
                float(truth.var()),
                float(draws.var()),
                5.0,
            )
        )
    gone, due = float((specimen.cells("target") == 0).mean()), float((exact[:, 0] == 0).mean())
    error = abs(gone - due) / math.sqrt(2.0 * due * (1.0 - due) / replicates)
    return [
        *checks,
        at_most("killing against exact simulation: extinction, off by standard errors", error, 3.0),
    ]


CHECKS = (
    poisson_law,
    rare_events,
    extinction_times,
    extinction_probability,
    competing,
    hunting,
)
