"""What is kept: whole cells to the last one, real amounts to 1e-6 with a ledger, and no amount below zero."""

from __future__ import annotations

import numpy as np

from tissuesim.backends.base import load_backend
from tissuesim.codegen.plan import compile_model
from tissuesim.config import RunConfig
from tissuesim.model.model import Model
from tissuesim.scenario import Scenario
from tissuesim.simulation.engine import Engine
from tissuesim.simulation.state import State
from tissuesim.ticks import TICKS_PER_DAY
from tissuesim.tissue.graph import box_tissue
from tissuesim.verification.check import Check, at_most, exactly, within_percent
from tissuesim.verification.diffusion import ball, signal_model
from tissuesim.verification.movement import crawling, ramp
from tissuesim.verification.specimen import Fill, Specimen, build_model

STEPS = 1000
RELATIVE = 1e-6
"""Largest part of an amount that may be unaccounted for after so many steps."""


def living_tissue(birth: str) -> Model:
    """Everything at once: a signal made by cells, cells that crawl after it, divide, turn and die, and the blood."""
    return build_model(
        "living_tissue",
        {
            "diffusivity": "0.3 mm^2/day",
            "loss": "2 1/day",
            "secretion": "0.02 pM*mm^3/cell/day",
            "motility": "0.02 mm^2/day",
            "chemotaxis": "0.1 mm^2/day",
            "half": "1 pM",
            "birth": birth,
            "capacity": "2000 cell/mm^3",
            "infused": "2000 cell",
            "resting": "0.3 1/day",
            "waking": "0.2 1/day",
            "entry": "0.05 1/day/mm^3",
            "egress": "0.1 1/day",
            "spill": "0.5 1/day",
        },
        signals={"chemokine": {"label": "Chemokine", "unit": "pM", "diffusivity": "diffusivity"}},
        cells={
            "active": {
                "label": "Active",
                "motility": "motility",
                "chemotaxis": "chemotaxis",
                "attractant": "chemokine",
                "half_saturation": "half",
                "initial": "capacity * 0.1",
            },
            "resting_cells": {"label": "Resting", "motility": "motility", "initial": "capacity * 0.05"},
        },
        pools={
            "blood": {"label": "Blood", "unit": "cell", "kind": "count", "initial": "infused"},
            "blood_chemokine": {
                "label": "Chemokine in blood",
                "unit": "amol",
                "kind": "real",
                "initial": "0",
            },
        },
        processes={
            "secrete": {"rate": "secretion * active", "change": {"chemokine": 1}, "conserves": False},
            "decay": {"rate": "loss * chemokine", "change": {"chemokine": -1}, "conserves": False},
            "divide": {"rate": "birth * active", "change": {"active": 1}, "conserves": False},
            "crowd": {
                "rate": "birth * active * active / capacity",
                "change": {"active": -1},
                "conserves": False,
            },
            "rest": {"rate": "resting * active", "change": {"active": -1, "resting_cells": 1}},
            "wake": {"rate": "waking * resting_cells", "change": {"resting_cells": -1, "active": 1}},
            "enter": {"rate": "entry * blood", "change": {"blood": -1, "active": 1}},
            "exit": {"rate": "egress * resting_cells", "change": {"resting_cells": -1, "blood": 1}},
            "spill_over": {"rate": "spill * chemokine", "change": {"chemokine": -1, "blood_chemokine": 1}},
        },
    )


def run_steps(birth: str, *, stochastic: bool) -> tuple[Engine, State, float]:
    """A thousand steps of the simulation loop on a ball of tissue and its blood, float32.

    Returns the engine, the last state and the largest deviation of tissue + blood from the number at the start.
    """
    config = RunConfig.model_validate(
        {
            "model": "living_tissue",
            "organs": {"ball": {"anatomy": "ball"}},
            "time": {"start": "0 day", "end": "1000 day", "maximum_step": "1 h"},
            "stochastic": stochastic,
            "precision": "float32",
        }
    )
    plan = compile_model(living_tissue(birth), stochastic=stochastic)
    scenario = Scenario(config, plan, {"ball": ball(12)}, ())
    engine = Engine(scenario, load_backend("auto" if stochastic else "numpy"))
    state = engine.first_state()
    first, worst = _everywhere(state), 0.0
    for _ in range(STEPS):
        engine.step(state)
        worst = max(worst, abs(_everywhere(state) - first))
    return engine, state, worst


def _everywhere(state: State) -> float:
    return float(state.organs["ball"].cells.sum(dtype=np.float64) + state.pools[0, 0])


def unaccounted(state: State) -> float:
    """Cells in the tissue that the ledger (start, gained, lost, entered) does not explain, the worst type."""
    initial, gained, lost, entered = state.cell_ledger["ball"]
    present = state.organs["ball"].cells.sum(axis=0, dtype=np.float64)
    return float(np.abs(present - (initial + gained - lost + entered)).max())


def whole_cells(quick: bool) -> list[Check]:
    """Integer cells: none appears or vanishes in a closed body, and births and deaths are booked to the last one."""
    _, closed, worst = run_steps("0 1/day", stochastic=True)
    _, growing, _ = run_steps("0.2 1/day", stochastic=True)
    return [
        exactly("whole cells in tissue and blood: change over 1,000 steps", 0, worst),
        exactly(
            "whole cells: not in the ledger after 1,000 steps", 0, unaccounted(growing) + unaccounted(closed)
        ),
    ]


def real_amounts(quick: bool) -> list[Check]:
    """Float32 amounts over 1,000 steps: cells and signals to 1e-6, every line of the ledger apart."""
    _, closed, worst = run_steps("0 1/day", stochastic=False)
    _, growing, _ = run_steps("0.2 1/day", stochastic=False)
    before, source, decay, imbalance, clipped, after = growing.signal_ledger["ball"][:, 0]
    gap = abs(after - (before + source - decay - imbalance + clipped))
    spilled = float(growing.pools[0, 1])
    return [
        at_most("float32 cells in tissue and blood: relative change", worst / _everywhere(closed), RELATIVE),
        at_most(
            "float32 cells: not in the ledger, relative",
            unaccounted(growing) / _everywhere(growing),
            RELATIVE,
        ),
        at_most("signals: ledger does not close by, relative to what was made", gap / source, RELATIVE),
        at_most("signals: solver imbalance, relative to what was made", abs(imbalance) / source, 1e-5),
        at_most("signals: clipped, relative to what was made", clipped / source, RELATIVE),
        within_percent("signals: spill-over into the blood [amol]", decay * 0.5 / 2.5, spilled, 1e-4),
    ]


# ---- positivity
def positive_signals(quick: bool) -> list[Check]:
    """Spikes at one end, spread by steps 100 times the explicit limit h^2 / (6 D): between 0 and their maximum."""
    shape, h, ticks, highest, steps = (12, 12, 96), 0.1, 96, 50.0, 5
    diffusivity = 100.0 * h**2 / 6.0 / (ticks / TICKS_PER_DAY)
    model = signal_model({"diffusivity": f"{diffusivity!r} mm^2/day", "loss": "0.5 1/day"})
    tissue = box_tissue(shape, h)
    chosen = (np.random.default_rng(5).random(tissue.n) < 0.1) & (tissue.centers()[:, 0] < 1.0)
    checks = []
    for real in (np.float32, np.float64):
        specimen = Specimen.of(model, tissue, {"signal": np.where(chosen, highest, 0.0)}, real=real)
        outside, clipped = 0.0, 0.0
        for _ in range(steps):
            ledger = specimen.diffuse(ticks)[0, :, 0]
            field = specimen.signal("signal")
            outside = max(outside, -float(field.min()), float(field.max()) - highest)
            clipped += float(ledger[4] / ledger[5])
        name = f"signals, 100 times the explicit step, {real.__name__}"
        checks.append(exactly(f"{name}: outside [0, maximum]", 0, outside))
        checks.append(at_most(f"{name}: clipped / total", clipped, 1e-5))
    return checks


def positive_movement(quick: bool) -> list[Check]:
    """Cells told to move for 100 times the explicit limit do so in sub-steps: none below zero, none lost."""
    side, h, ticks, gradient, chemotaxis = 16, 0.1, 1024, 0.4, 2.0
    motility = 100.0 * h**2 / 6.0 / (ticks / TICKS_PER_DAY)
    tissue = box_tissue((side, side, side), h)
    lone = np.where(np.random.default_rng(6).random(tissue.n) < 0.02, 900, 0)
    lowest, lost = [], []
    for stochastic in (False, True):
        first: dict[str, Fill] = {"attractant": ramp(gradient), "walker": lone}
        specimen = Specimen.of(crawling(motility, chemotaxis), tissue, first, stochastic=stochastic)
        specimen.move_stably(ticks)
        cells = specimen.cells("walker")
        lowest.append(float(cells.min()))
        lost.append(abs(float(cells.sum(dtype=np.float64)) - float(lone.sum())) / float(lone.sum()))
    return [
        Check(
            "movement, 100 times the explicit limit: least number",
            ">= 0",
            min(lowest),
            "exact",
            min(lowest) >= 0,
        ),
        at_most("movement, 100 times the explicit limit: relative change of cells", max(lost), 1e-12),
    ]


CHECKS = (whole_cells, real_amounts, positive_signals, positive_movement)
