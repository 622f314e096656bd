"""Treatments in tissue: who is reached, what each drug touches, and that nothing acts that is not given."""

from __future__ import annotations

import numpy as np
import pytest

from tissuesim.model.model import Model

from .conftest import Course, WellMixed


@pytest.fixture(scope="module")
def model() -> Model:
    """The spatial model."""
    return Model.load("autoimmune")


def values(model: Model, vessels: float = 1.0, **state: float) -> dict[str, float]:
    """Return every name of the model in one voxel of cortex, with some of its state changed."""
    mixed = WellMixed(model, "cortex", given={"vascular_density": vessels})
    return mixed.values(mixed.change(mixed.initial, **state))


def test_antibodies_come_by_vessels_and_hardly_into_niches(model: Model) -> None:
    """Claim: the hazard of CD20 antibodies rises with vessels (to 1.5 times the mean) and is halved in a full niche."""
    hazards = [
        values(model, vessels, anti_cd20_tissue=1.0)["antibody_hazard"] for vessels in (0.35, 1, 1.5, 4)
    ]
    average = model.parameter_values()["anti_cd20_tissue_kill"]
    assert hazards == pytest.approx([0.35 * average, average, 1.5 * average, 1.5 * average])
    sheltered = values(model, 1.0, anti_cd20_tissue=1.0, lymphoid_niche=1.0)["antibody_hazard"]
    assert sheltered == pytest.approx(0.5 * average)
    assert values(model)["antibody_hazard"] == 0.0


def test_rituximab_leaves_b_cells_in_tissue_and_node(model: Model) -> None:
    """Claim: four weeks after two doses blood holds less than 1 %, cortex and nodes more than 5 % of their B cells."""
    mixed = WellMixed(model, "cortex")
    start = mixed.run(mixed.initial, -120, 0, 60).states[:, -1]
    dosed = mixed.run(mixed.change(start, rituximab_central=1000.0), 0, 14, 7).states[:, -1]
    again = mixed.values(dosed)["rituximab_central"] + 1000.0
    course = mixed.run(mixed.change(dosed, rituximab_central=again), 14, 28, 7)
    before, after = mixed.values(start), mixed.values(course.states[:, -1])
    assert after["b_per_ul"] < 0.01 * before["b_per_ul"]
    for name in ("autoreactive_b", "lymphoid_naive_b", "memory_b"):
        assert after[name] > 0.05 * before[name], name
    for name in (
        "lymphoid_plasmablast",
        "plasma_cell_short_lived",
    ):  # no CD20: they fall with their makers only
        assert after[name] > 0.15 * before[name], name


TOUCHED = {
    "drug_mycophenolate": {"division_inhibition", "plasmablast_inhibition", "inflammation_inhibition"},
    "drug_glucocorticoid": {"division_inhibition", "inflammation_inhibition"},
    "drug_belimumab": {"free_baff", "plasmablast_inhibition", "naive_survival", "baff_stimulus"},
    "drug_anifrolumab": {"ifn_alpha_level", "inflammation_inhibition"},
    "drug_tocilizumab": {"il6_level", "il6_signal_in_plasma"},
    "drug_suppression": {"division_inhibition", "plasmablast_inhibition", "inflammation_inhibition"},
}


@pytest.mark.parametrize("drug", TOUCHED)
def test_a_drug_touches_what_it_should(model: Model, drug: str) -> None:
    """Claim: at full level each drug lowers its own targets by 3 to 99 %, and no other of these quantities."""
    state = {"ifn_alpha": 0.3, "il6": 20.0}
    before, after = values(model, **state), values(model, **state, **{drug: 1.0})
    everything = set().union(*TOUCHED.values())
    for name in everything:
        if name in TOUCHED[drug]:
            assert 0.005 * before[name] < after[name] < 0.97 * before[name], name
        else:
            assert after[name] == before[name], name


def test_untreated_patients_do_not_feel_treatments(model: Model) -> None:
    """Claim: without a treatment every factor of it is exactly one and every hazard exactly zero."""
    found = values(model)
    for name in (
        "division_inhibition",
        "plasmablast_inhibition",
        "inflammation_inhibition",
        "expansion_inhibition",
    ):
        assert found[name] == 1.0, name
    for name in (
        "anti_cd20_effect",
        "first_pass_death",
        "antibody_hazard",
        "anti_car_hazard",
        "killing_alarm",
    ):
        assert found[name] == 0.0, name
    assert found["egress_left"] == 1.0 and found["total_igg"] == pytest.approx(1.0)
    assert found["free_baff"] == found["baff"]


def test_potency_and_expansion_scale_killing_and_division(model: Model) -> None:
    """Claim: a product of half the potency kills at half the hazard everywhere, one of 0.8 expansion divides at 0.8."""
    state = {f"{place}_car_t_effector": 1e8 for place in ("blood", "lymphoid", "marrow")}
    state |= {"car_t_effector": 500.0, "activation": 0.5, "space": 1.0}
    full, weak = values(model, **state), values(model, **state, car_potency=0.5, car_expansion=0.8)
    for place in ("blood", "lymphoid", "marrow", "tissue"):
        assert weak[f"{place}_kill_hazard"] == pytest.approx(0.5 * full[f"{place}_kill_hazard"])
    assert weak["expansion"] == pytest.approx(0.8 * full["expansion"])


def test_follicles_follow_b_cells_of_nodes(lumped_car_t: Course) -> None:
    """Claim T13: follicles fall with a half-life of about two weeks once nodes are empty; below 10 % by day 60."""
    days, follicle = lumped_car_t.days, lumped_car_t.series("node_follicle")
    assert lumped_car_t.at("node_follicle", 60) < 0.10
    window = (days > 20) & (days < 50)
    slope = np.polyfit(days[window], np.log(follicle[window]), 1)[0]
    assert np.log(2) / -slope == pytest.approx(14, abs=1.0)
    assert lumped_car_t.at("node_follicle", 5) > 0.9
