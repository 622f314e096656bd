"""The whole-body model with one well-mixed tissue against its reference (expected values of the typical patient)."""

from __future__ import annotations

import numpy as np
import pytest

from tissuesim.model.model import Model

from .conftest import Course, WellMixed

# Typical patient of the reference integrator (deterministic, step 0.0125 d): day -> value.
REFERENCE = {
    "car_t_per_ul": {3: 1.276, 7: 73.63, 14: 76.07, 28: 24.80, 60: 3.007, 90: 1.306, 180: 0.7596},
    "tissue_car_t": {7: 5.094e8, 14: 4.185e8, 60: 8.845e6},
    "b_per_ul": {3: 135.7, 28: 0.00333, 60: 0.02231, 120: 3.297, 180: 36.05},
    "autoantibody": {7: 0.9532, 28: 0.5068, 90: 0.1174, 180: 0.06211},
    "inflammation": {7: 0.9267, 28: 0.6013, 90: 0.1946, 180: 0.06417},
    "damage": {28: 0.9247, 90: 0.5585, 180: 0.2120},
    "fibrosis": {90: 0.9848, 180: 0.9249},
    "baff": {7: 2.963, 28: 4.000, 180: 2.569},
    "disease_activity": {28: 0.6585, 90: 0.2663, 180: 0.1006},
}


@pytest.mark.parametrize("name", ["systemic", "autoimmune_lumped"])
def test_untreated_pools_start_at_rest(name: str) -> None:
    """Claim: the start values are the steady state: after 60 untreated days every pool is within 0.6 % of its start."""
    mixed = WellMixed(Model.load(name))
    course = mixed.run(mixed.initial, 0, 60, 60)
    assert course.states[:, -1] == pytest.approx(mixed.initial, rel=0.006, abs=1e-9)


def test_untreated_disease_holds_for_two_years(lumped_untreated: Course) -> None:
    """Claim: activity, inflammation, clones and blood B cells stay within 1 % of their start over 730 days."""
    for name in ("disease_activity", "inflammation", "autoreactive_total", "b_per_ul", "plasmablast_total"):
        series = lumped_untreated.series(name)
        assert np.max(np.abs(series / series[0] - 1)) < 0.01, name


def test_vaccine_antibody_is_kept(lumped_untreated: Course) -> None:
    """Claim: vaccine IgG falls only with long-lived plasma cells: 0.936 after two years."""
    assert lumped_untreated.at("vaccine_igg", 730) == pytest.approx(0.936, abs=0.003)


@pytest.mark.parametrize("name", list(REFERENCE))
def test_course_after_infusion_is_the_reference(lumped_car_t: Course, name: str) -> None:
    """Claim: the model as data gives the reference's numbers within 1 % (2 % where a quantity falls steeply)."""
    found = {day: lumped_car_t.at(name, day) for day in REFERENCE[name]}
    assert found == pytest.approx(REFERENCE[name], rel=0.02 if name in {"car_t_per_ul", "b_per_ul"} else 0.01)


def test_peak_depletion_and_return_are_the_reference(lumped_car_t: Course) -> None:
    """Claim: CAR T peak 103.5 /uL on day 9.0, blood B below 1 % on day 6.75, back 102.5 days later."""
    car_t, b, days = lumped_car_t.series("car_t_per_ul"), lumped_car_t.series("b_per_ul"), lumped_car_t.days
    assert car_t.max() == pytest.approx(103.5, rel=0.01)
    assert days[car_t.argmax()] == pytest.approx(9.0, abs=0.25)
    low = b < 0.01 * b[0]
    first = days[low.argmax()]
    back = days[(days > first + 10) & ~low][0]
    assert first == pytest.approx(6.75, abs=0.25)
    assert back - first == pytest.approx(102.5, abs=1)


def test_no_expansion_without_lymphodepletion() -> None:
    """Claim: the same infusion without growth space stays below a tenth of the peak (7 against 100 /uL)."""
    mixed = WellMixed(Model.load("autoimmune_lumped"))
    start = mixed.change(
        mixed.initial, blood_car_t_effector=2.1e7, blood_car_t_memory=1.4e7, infused=1.0, space=0.0
    )
    course = mixed.run(start, 0, 30, 0.5)
    assert course.series("car_t_per_ul").max() < 10
    assert course.at("b_per_ul", 30) > 0.5 * course.at("b_per_ul", 0)


def test_drug_suppresses_and_does_not_cure(lumped_untreated: Course) -> None:
    """Claim: the continuous drug brings activity to 0.76, 0.50 and 0.32 on days 28, 90 and 180; clones stay."""
    mixed = lumped_untreated.mixed
    course = mixed.run(mixed.change(mixed.initial, drug_suppression=1.0), 0, 180, 2)
    found = [course.at("disease_activity", day) for day in (28, 90, 180)]
    assert found == pytest.approx([0.758, 0.499, 0.325], rel=0.01)
    assert course.at("autoreactive_total", 180) > 5e7
