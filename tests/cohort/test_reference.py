"""The lumped model against an independent program, `tests/reference/reference_systemic.py`."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tissuesim.errors import InputError
from tissuesim.model import Model
from tissuesim.simulation.cohort import Cohort, draw_parameters, simulate_cohort

PATIENTS, END = 200, 260.0
REFERENCE = Path(__file__).parents[1] / "reference" / "reference_systemic.py"
PAIRS = {
    "day_car_t_peak": "peak_day",
    "car_t_peak_per_ul": "peak_per_uL",
    "day_b_below_1pct": "day_B_below_1pct",
    "aplasia_days": "aplasia_days",
    "autoantibody_half_life_days": "Ab_halflife",
    "day_extinct_with_plasmablasts": "extinct_day",
}


def infusion(patients: int, seed: int) -> dict[str, Any]:
    """The product of the reference: dose, survival and memory share vary between patients."""
    random = np.random.default_rng(seed)

    def lognormal(variation: float) -> np.ndarray:
        normal = np.clip(random.standard_normal(patients), -2, 2)
        return np.exp(np.sqrt(np.log(1 + variation**2)) * normal)

    alive = 7e7 * lognormal(0.10) * np.minimum(0.5 * lognormal(0.4), 1.0)
    memory = np.clip(random.beta(4, 6, patients), 0.02, 0.95)
    return {
        "blood_car_t_effector": alive * (1 - memory),
        "blood_car_t_memory": alive * memory,
        "infused": 1.0,
        "space": 1.0,
        "marrow_output": 0.1,
    }


@pytest.fixture(scope="module")
def cohort() -> Cohort:
    """200 virtual patients of the shipped lumped model."""
    model = Model.load("autoimmune_lumped")
    return simulate_cohort(model, patients=PATIENTS, end=END, infusion=infusion(PATIENTS, 3), seed=1)


@pytest.fixture(scope="module")
def reference() -> dict[str, np.ndarray]:
    """The same arm of the independent program."""
    spec = importlib.util.spec_from_file_location("reference_systemic", REFERENCE)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return dict(module.endpoints(module.simulate("cart", PATIENTS, 1, T=END)))


@pytest.mark.parametrize("name", PAIRS)
def test_medians_agree_with_the_reference(
    name: str, cohort: Cohort, reference: dict[str, np.ndarray]
) -> None:
    """Over 200 virtual patients the median of each endpoint is within 10 % of the independent program's."""
    ours = np.array([row[name] for row in cohort.endpoints() if row[name] is not None], np.float64)
    theirs = np.asarray(reference[PAIRS[name]], np.float64)
    theirs = theirs[np.isfinite(theirs)]
    assert len(ours) >= 0.95 * PATIENTS
    assert np.median(ours) == pytest.approx(np.median(theirs), rel=0.10)


def test_aplasia_lasts_and_varies_as_published(cohort: Cohort) -> None:
    """Claims T07, T08: aplasia 112 +- 47 d (Mueller 2024): mean within 86-138 d, SD within 34-74 d (its intervals)."""
    days = np.array([row["aplasia_days"] for row in cohort.endpoints() if row["aplasia_days"]], np.float64)
    assert len(days) >= 0.95 * PATIENTS
    assert 86 <= days.mean() <= 138
    assert 34 <= days.std(ddof=1) <= 74


def test_drawn_parameters_have_the_stated_variability() -> None:
    """Drawn parameters are lognormal: median the model's value, coefficient of variation close to the stated one."""
    model = Model.load("autoimmune_lumped")
    drawn = draw_parameters(model, 4000, seed=2)
    assert drawn
    for name, values in drawn.items():
        parameter = model.parameters[name]
        assert np.median(values) == pytest.approx(parameter.value, rel=0.05)
        sigma = np.sqrt(np.log(1 + parameter.variability**2))
        assert np.std(np.log(values)) == pytest.approx(0.95 * sigma, rel=0.06)  # cut at two deviations


def test_each_parameter_is_drawn_by_itself() -> None:
    """Claim: one more parameter, or more patients, changes no number that was drawn; another seed changes all."""
    model = Model.load("autoimmune_lumped")
    drawn = draw_parameters(model, 5, seed=2)
    steadier = replace(model.parameters["car_t_division"], variability=None)
    fewer = draw_parameters(model.with_(steadier), 9, seed=2)
    assert set(drawn) - set(fewer) == {"car_t_division"}
    for name, values in fewer.items():
        assert np.array_equal(values[:5], drawn[name]), name
        assert not np.array_equal(draw_parameters(model, 5, seed=3)[name], drawn[name]), name


def test_a_cohort_of_an_organ_model_is_refused() -> None:
    """A model with organ fields is not silently run without its organs."""
    with pytest.raises(InputError, match="organ fields"):
        simulate_cohort(Model.load("autoimmune"), patients=2, end=1.0, infusion={})
    with pytest.raises(InputError, match="not a pool"):
        simulate_cohort(Model.load("autoimmune_lumped"), patients=2, end=1.0, infusion={"blod_b": 1.0})
