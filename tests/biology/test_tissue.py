"""The spatial model in one well-mixed voxel of 100 mL: untreated disease, regions, niche, healing after CAR T."""

from __future__ import annotations

import numpy as np
import pytest

from tissuesim.model.model import Model

from .conftest import Course, WellMixed


def test_disease_settles_before_treatment(cortex_untreated: Course) -> None:
    """Claim: from half of it on day -120, inflammation is about 0.92 and damage about 0.43 on day 0."""
    assert cortex_untreated.at("inflammation", 0) == pytest.approx(0.92, abs=0.03)
    assert cortex_untreated.at("damage", 0) == pytest.approx(0.43, abs=0.03)


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [
        ("inflammation", 0.97, 1.03),
        ("immune_complex", 0.97, 1.03),
        ("damage", 0.47, 0.53),
        ("myofibroblast", 0.95, 1.05),
        ("autoreactive_b", 80, 105),
        ("disease_activity", 0.97, 1.03),
        ("ifn_alpha_level", 1.8, 2.2),
        ("tnf_level", 1.6, 2.2),
        ("il6_level", 1.8, 2.2),
        ("cxcl10_level", 1.0, 1.7),
        ("tissue_baff_level", 1.4, 1.8),
        ("tgf_beta_level", 1.8, 2.2),
        ("ifn_gamma_level", 0.05, 0.3),
    ],
)
def test_untreated_level(cortex_untreated: Course, name: str, low: float, high: float) -> None:
    """Claim: untreated disease sits where the tables say, in units of untreated disease or half-effective levels."""
    assert low < cortex_untreated.at(name, 730) < high


@pytest.mark.parametrize(
    "name", ["inflammation", "damage", "autoreactive_b", "autoantibody", "lymphoid_autoreactive_b"]
)
def test_untreated_disease_does_not_drift(cortex_untreated: Course, name: str) -> None:
    """Claim: from the first to the second year nothing of the untreated disease moves by more than 2 %."""
    assert cortex_untreated.at(name, 730) == pytest.approx(cortex_untreated.at(name, 365), rel=0.02)


def test_b_cells_are_as_many_as_in_biopsies(cortex_untreated: Course) -> None:
    """Claim: inflamed cortex holds a few hundred B cells per mm3, without CXCL13 it holds 10 to 100."""
    found = sum(cortex_untreated.at(name, 365) for name in ("naive_b", "autoreactive_b", "plasmablast"))
    assert 200 < found < 4000
    value = cortex_untreated.mixed.known
    healthy = value["naive_entry"] * value["blood_naive_reference"] * 0.1 / value["naive_exit"]
    assert 10 < healthy < 100


@pytest.mark.parametrize(("region", "vessels"), [("medulla", 0.5), ("pelvis", 0.4)])
def test_medulla_and_pelvis_are_spared(region: str, vessels: float) -> None:
    """Claim: with their antigen, room and vessels, medulla and pelvis stay below a tenth of cortical inflammation."""
    mixed = WellMixed(Model.load("autoimmune"), region, {"vascular_density": vessels, "target_region": 1.0})
    course = mixed.run(mixed.initial, -120, 0, 10)
    assert course.at("inflammation", 0) < 0.1
    assert course.at("autoreactive_b", 0) < 25


def test_niche_forms_where_it_may() -> None:
    """Claim: at a niche site the niche fills to about 0.8 and holds several times the clones."""
    mixed = WellMixed(Model.load("autoimmune"), "cortex", {"niche_site": 1.0})
    course = mixed.run(mixed.initial, -120, 240, 20)
    assert course.at("lymphoid_niche", 240) == pytest.approx(0.8, abs=0.05)
    assert course.at("autoreactive_b", 240) > 250
    assert course.at("cxcl13_level", 240) > 3


def test_inflammation_flares_then_heals(cortex_car_t: Course) -> None:
    """Claim: after CAR T cells inflammation first rises (days 3-14), then is below 25 % of day 0 by day 180."""
    inflammation = cortex_car_t.series("inflammation")
    assert 1.1 < inflammation.max() / inflammation[0] < 2
    assert 3 < cortex_car_t.days[inflammation.argmax()] < 14
    assert cortex_car_t.at("inflammation", 180) / inflammation[0] < 0.25
    assert cortex_car_t.at("damage", 180) < 0.25 * cortex_car_t.at("damage", 0)
    assert cortex_car_t.at("fibrosis", 180) > 0.9 * cortex_car_t.at("fibrosis", 0)


def test_killing_is_enough_to_clear_the_tissue(cortex_car_t: Course) -> None:
    """Claim: the killing integral exceeds ln(1e7) = 16 by day 14, so the expected clones in 100 mL are below one."""
    assert cortex_car_t.at("killing_integral", 14) > np.log(1e7)
    assert cortex_car_t.at("tissue_autoreactive_b", 21) < 1


def test_whole_body_course_stays_in_the_clinical_bands(cortex_car_t: Course) -> None:
    """Claim: peak on day 7-14 at 5-500 /uL, blood B below 1 % by day 10, aplasia of the typical patient 86-138 d."""
    car_t, b, days = cortex_car_t.series("car_t_per_ul"), cortex_car_t.series("b_per_ul"), cortex_car_t.days
    assert 7 <= days[car_t.argmax()] <= 14
    assert 5 < car_t.max() < 500
    low = b < 0.01 * 150
    first = days[low.argmax()]
    assert first <= 10
    back = days[(days > first + 10) & ~low][0]
    assert 86 < back - first < 138


def test_weak_access_leaves_clones(cortex_car_t: Course, cortex_day_0: np.ndarray) -> None:
    """Claim: with a tenth of the entry of CAR T cells, blood is as empty, but tissue clones survive."""
    course = WellMixed(Model.load("autoimmune"), "cortex", car_t_entry=1.2e-7).run(cortex_day_0, 0, 40, 1)
    assert course.at("b_per_ul", 20) == pytest.approx(cortex_car_t.at("b_per_ul", 20), rel=0.2)
    assert course.at("killing_integral", 40) < np.log(1e7) < 0.3 * cortex_car_t.at("killing_integral", 40)
    assert course.series("tissue_autoreactive_b").min() > 1


def test_lymphodepletion_alone_only_dents_the_clones(cortex_untreated: Course) -> None:
    """Claim: three days of lymphodepletion cut the clones by more than half, and they are back within half a year."""
    mixed = cortex_untreated.mixed
    start = cortex_untreated.states[:, 24]
    depleted = mixed.run(mixed.change(start, lymphodepletion_active=1.0), -5, -2, 1)
    after = mixed.run(mixed.change(depleted.states[:, -1], lymphodepletion_active=0.0), -2, 180, 2)
    before = float(mixed.values(start)["autoreactive_total"])
    assert after.at("autoreactive_total", -2) < 0.5 * before
    assert after.at("autoreactive_total", 180) > 0.8 * before
