"""Pools of blood and body: pharmacokinetics with closed forms, and whole numbers in counted pools."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from tissuesim.backends.base import load_backend
from tissuesim.codegen.plan import compile_model
from tissuesim.model.model import Model
from tissuesim.systemic import SystemicStep, first_amounts
from tissuesim.ticks import TICKS_PER_DAY
from tissuesim.verification.check import Check, at_most, exactly, has_order, within_percent
from tissuesim.verification.specimen import build_model

LONGEST_STEP = TICKS_PER_DAY // 3
"""The longest step of a run by default; the pools choose their own sub-steps within it."""


class Body:
    """Pools of a few identical patients, advanced as the simulation loop does it."""

    def __init__(self, model: Model, patients: int = 1, *, stochastic: bool = False, seed: int = 1) -> None:
        """Compile the pools of a model."""
        self.plan = compile_model(model, stochastic=stochastic, cohort=True)
        values = model.parameter_values()
        table = np.array([[float(values[name]) for name in self.plan.systemic.parameters]] * patients)
        self.step = SystemicStep(self.plan, load_backend("numpy"), table, (seed, 7))
        self.amounts = first_amounts(self.plan, values, patients)
        self.inputs = np.zeros((patients, 0))
        self.tick = 0
        self.hazard = self.step.hazard(self.amounts, self.inputs, 0)

    def advance(self, ticks: int, repeats: int = 1, hazard: float | None = None) -> None:
        """Advance by steps of ``ticks``, in sub-steps that suit the hazard (by default the one last seen)."""
        for _ in range(repeats):
            used = self.hazard if hazard is None else hazard
            self.hazard = self.step.advance(self.amounts, self.inputs, ticks, self.tick, used)
            self.tick += ticks

    def __getitem__(self, pool: str) -> NDArray[np.float64]:
        return self.amounts[:, self.plan.systemic.states.index(pool)]


def pool(initial: str, kind: str = "count") -> dict[str, str]:
    """A pool of cells."""
    return {"label": "Pool", "unit": "cell", "kind": kind, "initial": initial}


def two_compartments(kind: str) -> Model:
    """A dose in the blood that exchanges with the tissues and is cleared from the blood."""
    return build_model(
        "two_compartments",
        {"outward": "1.1 1/day", "back": "0.4 1/day", "clearance": "0.25 1/day", "dose": "1e6 cell"},
        pools={"blood": pool("dose", kind), "tissues": pool("0", kind)},
        processes={
            "distribute": {"rate": "outward * blood", "change": {"blood": -1, "tissues": 1}},
            "come_back": {"rate": "back * tissues", "change": {"tissues": -1, "blood": 1}},
            "clear": {"rate": "clearance * blood", "change": {"blood": -1}, "conserves": False},
        },
    )


def two_compartment_amounts(days: float) -> dict[str, float]:
    """Bi-exponential course: the roots of s^2 + (k12 + k21 + k10) s + k21 k10 = 0."""
    outward, back, clearance, dose = 1.1, 0.4, 0.25, 1e6
    total = outward + back + clearance
    root = math.sqrt(total**2 - 4.0 * back * clearance)
    fast, slow = (total + root) / 2.0, (total - root) / 2.0
    early, late = math.exp(-fast * days), math.exp(-slow * days)
    blood = dose * ((fast - back) * early + (back - slow) * late) / (fast - slow)
    return {"blood": blood, "tissues": dose * outward * (late - early) / (fast - slow)}


def bateman(kind: str) -> Model:
    """A depot that is absorbed into the blood and cleared from there."""
    return build_model(
        "absorption",
        {"absorption": "2 1/day", "clearance": "0.3 1/day", "dose": "1e6 cell"},
        pools={"depot": pool("dose", kind), "blood": pool("0", kind)},
        processes={
            "absorb": {"rate": "absorption * depot", "change": {"depot": -1, "blood": 1}},
            "clear": {"rate": "clearance * blood", "change": {"blood": -1}, "conserves": False},
        },
    )


def bateman_amounts(days: float) -> dict[str, float]:
    """H. Bateman, Proc. Camb. Phil. Soc. 15 (1910) 423-427."""
    a, k, dose = 2.0, 0.3, 1e6
    return {
        "depot": dose * math.exp(-a * days),
        "blood": dose * a / (a - k) * (math.exp(-k * days) - math.exp(-a * days)),
    }


def worst_error(body: Body, exact: Mapping[str, float]) -> float:
    """Largest difference over the pools, relative to the dose of 1e6."""
    return max(float(np.abs(body[name] - amount).max()) for name, amount in exact.items()) / 1e6


def pharmacokinetics(quick: bool) -> list[Check]:
    """Bi-exponential exchange and the Bateman curve, at the sub-steps the pools choose, over ten days."""
    checks = []
    for name, model, exact in (
        ("two compartments, bi-exponential", two_compartments, two_compartment_amounts),
        ("absorption and clearance, Bateman", bateman, bateman_amounts),
    ):
        worst = 0.0
        for kind in ("count", "real"):
            body = Body(model(kind))
            for step in range(1, 31):
                body.advance(LONGEST_STEP)
                worst = max(worst, worst_error(body, exact(step / 3.0)))
        checks.append(at_most(f"pools: {name}, error / dose", worst, 0.005))
    return checks


def order_in_time(quick: bool) -> list[Check]:
    """Pools are of second order in their sub-step."""
    errors = []
    for substeps in (16, 32, 64):
        body = Body(two_compartments("real"))
        body.advance(TICKS_PER_DAY // substeps, substeps)
        errors.append(worst_error(body, two_compartment_amounts(1.0)))
    return [has_order("pools: order in time", 2.0, errors)]


def whole_numbers(quick: bool) -> list[Check]:
    """Counted pools that exchange: every sum is kept to the last cell; mean and variance are binomial."""
    patients, cells = 4000, 1000
    model = build_model(
        "exchange",
        {"outward": "1.1 1/day", "back": "0.4 1/day", "dose": f"{cells} cell"},
        pools={"blood": pool("dose"), "tissues": pool("0")},
        processes={
            "distribute": {"rate": "outward * blood", "change": {"blood": -1, "tissues": 1}},
            "come_back": {"rate": "back * tissues", "change": {"tissues": -1, "blood": 1}},
        },
    )
    body = Body(model, patients, stochastic=True)
    body.advance(512, 12, hazard=4.0)
    changed = int(np.count_nonzero(body["blood"] + body["tissues"] != cells))
    chance = 0.4 / 1.5 + 1.1 / 1.5 * math.exp(-1.5)
    deviation = math.sqrt(cells * chance * (1.0 - chance))
    errors = abs(float(body["blood"].mean()) - cells * chance) / (deviation / math.sqrt(patients))
    return [
        exactly("counted pools: patients whose total changed in an exchange", 0, changed),
        at_most("counted pools: mean of an exchange / standard error", errors, 3.0),
        within_percent(
            "counted pools: variance of an exchange", deviation**2, float(body["blood"].var(ddof=1)), 5.0
        ),
    ]


CHECKS = (pharmacokinetics, order_in_time, whole_numbers)
