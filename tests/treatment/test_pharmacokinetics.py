"""Antibodies in two compartments against the closed form."""

from __future__ import annotations

import numpy as np
import pytest

from tissuesim.model import Model
from tissuesim.simulation.cohort import simulate_cohort
from tissuesim.ticks import ticks
from tissuesim.treatment import Event


def bi_exponential(day: np.ndarray, dose: float, p: dict[str, float]) -> np.ndarray:
    """Amount in the central compartment of a linear two-compartment model after one bolus.

    A1(t) = D/(a - b) [(a - k21) e^(-a t) + (k21 - b) e^(-b t)], a and b the roots of
    x^2 - (k10 + k12 + k21) x + k10 k21, k10 = CL/V1, k12 = Q/V1, k21 = Q/V2.
    """
    k10, k12, k21 = p["CL"] / p["V1"], p["Q"] / p["V1"], p["Q"] / p["V2"]
    total = k10 + k12 + k21
    root = np.sqrt(total * total - 4 * k10 * k21)
    a, b = (total + root) / 2, (total - root) / 2
    fall = (a - k21) * np.exp(-a * day) + (k21 - b) * np.exp(-b * day)
    return np.where(day >= 0, dose / (a - b) * fall, 0.0)


@pytest.mark.parametrize("antibody", ["rituximab", "obinutuzumab"])
def test_two_compartments_are_bi_exponential(antibody: str) -> None:
    """Claim: mg in the central compartment after two doses follow the sum of two bi-exponentials within 0.2 %."""
    model = Model.load("autoimmune_lumped")
    doses = [Event(ticks(day), "add", f"{antibody}_central", 1000.0, "dose") for day in (1, 15)]
    course = simulate_cohort(model, patients=3, end=120.0, treatment=doses, every=3.0, stochastic=False)
    values = model.parameter_values()
    clearance = course.parameters[f"{antibody}_clearance"]
    assert len(set(clearance)) == 3
    for patient, own in enumerate(clearance):
        p = {
            "CL": own,
            "V1": values[f"{antibody}_central_volume"],
            "V2": values[f"{antibody}_peripheral_volume"],
            "Q": values[f"{antibody}_exchange"],
        }
        exact = sum(bi_exponential(course.days - day, 1000.0, p) for day in (1, 15))
        found = course.series[f"{antibody}_central"][:, patient]
        assert found == pytest.approx(exact, rel=2e-3, abs=1e-6)
    peripheral = course.series[f"{antibody}_peripheral"]
    assert peripheral.max() > 50.0 and np.all(peripheral >= 0)


def test_what_is_eliminated_is_what_was_given() -> None:
    """Claim: clearance x area under the concentration is the dose, to 1 %: nothing else takes the antibody."""
    model = Model.load("autoimmune_lumped")
    doses = [Event(0, "add", "rituximab_central", 1000.0, "dose")]
    course = simulate_cohort(model, patients=2, end=400.0, treatment=doses, every=0.25, stochastic=False)
    area = np.trapezoid(course.series["rituximab_in_plasma"], course.days, axis=0)
    assert area * course.parameters["rituximab_clearance"] == pytest.approx([1000.0, 1000.0], rel=0.01)
