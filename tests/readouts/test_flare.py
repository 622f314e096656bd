"""Local flares, remission and relapse on courses with known days."""

import numpy as np
import pytest

from tissuesim.readouts import Clinic

from .conftest import DAYS, ORGANS, patient

CAR_T = np.where(DAYS >= 0.0, 50.0 * np.exp(-DAYS / 20.0), 0.0)


def hump(organ_days=(8.0, 19.0), height=1.5, rest=1.0):
    """Inflammation that is ``height`` between two days, falls to 0 by and by, and is ``rest`` before."""
    days, (first, last) = DAYS, organ_days
    falling = np.where(days < 0.0, rest, np.maximum(rest * (1.0 - days / 100.0), 0.0))
    return np.where((days >= first) & (days < last), height, falling)


def course(inflammation, back=110.0, **more):
    """A treated patient: B cells gone from day 5 to ``back``."""
    days = DAYS
    b_cells = np.where((days >= 5.0) & (days < back), 0.01, 140.0)
    columns = {"b_per_ul": b_cells, "car_t_per_ul": CAR_T} | more
    return patient(inflammation=inflammation, damage=0.1, scar=0.1, antibody=0.05, **columns)


def endpoints(totals, disease="sle"):
    """Endpoints of a patient with all organs."""
    return Clinic(DAYS, totals, ORGANS, disease, -5.0).endpoints


def test_a_flare_has_the_onset_duration_height_and_organs_it_was_built_with():
    """Inflammation 1.5 from day 8 to 19 in one organ: onset 8, 11 days, 1.5 times before, one organ."""
    totals = course(hump(height=0.5))
    totals["skin.inflammation_load"] = totals["skin.target_volume"] * hump()
    found = endpoints(totals)
    assert found["local_flare_onset_day"] == 8.0
    assert found["local_flare_days"] == 11.0
    assert found["local_flare_peak"] == pytest.approx(1.5)
    assert found["local_flare_organs"] == 1.0
    series = Clinic(DAYS, totals, ORGANS, "sle", -5.0).readouts["local_flare"]
    assert (series == np.where((DAYS >= 8.0) & (DAYS < 19.0), 1.0, 0.0)).all()


@pytest.mark.parametrize(
    ("why", "totals"),
    [
        ("a rise below 15 %", course(hump(height=1.149))),
        ("an organ that was not ill", course(hump(height=0.5, rest=0.19))),
        ("while the last B cells die", course(hump((1.0, 5.0)))),
        (
            "the return from a dent that chemotherapy made",
            course(np.where((DAYS > -5.0) & (DAYS < 3.0), 0.7, 1.0)),
        ),
        ("after B cells are back", course(hump((115.0, 118.0)))),
        ("after the window", course(hump((130.0, 140.0)), back=300.0)),
        ("before the infusion", course(hump((-20.0, -10.0)))),
        ("no CAR T cells", course(hump(), car_t_per_ul=0.0 * DAYS)),
        ("B cells never gone", course(hump(), b_per_ul=140.0 + 0.0 * DAYS)),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_no_local_flare(why, totals):
    """Only a marked rise of an organ that was ill before treatment, after the infusion, while B cells are gone."""
    assert endpoints(totals)["local_flare_organs"] == 0.0, why
    assert endpoints(totals)["local_flare_onset_day"] is None


def test_a_flare_that_is_not_over_has_no_duration():
    """The run ends in the flare: an onset, no length."""
    days = DAYS[DAYS <= 15.0]
    totals = {name: column[: days.size] for name, column in course(hump()).items()}
    found = Clinic(days, totals, ORGANS, "sle", -5.0).endpoints
    assert found["local_flare_onset_day"] == 8.0 and found["local_flare_days"] is None


def test_remission_and_relapse_of_lupus():
    """Signs end on day 60, so DORIS begins after the ten days of the instrument; they are back on day 250: relapse."""
    sick = (DAYS < 60.0) | (DAYS >= 250.0)
    found = endpoints(course(np.where(sick, 1.0, 0.05)))
    assert found["doris_day"] == found["remission_day"] == 70.0
    assert found["clinical_relapse_day"] == 250.0
    cured = endpoints(course(np.where(DAYS < 60.0, 1.0, 0.05)))
    assert cured["remission_day"] == 70.0 and cured["clinical_relapse_day"] is None
    assert endpoints(course(np.ones(DAYS.shape)))["remission_day"] is None


def test_remission_and_relapse_of_sclerosis_and_myositis():
    """EUSTAR index below 2.5; major response with normal CK; both lost again when the organs are ill."""
    state = np.where((DAYS >= 60.0) & (DAYS < 250.0), 0.0, 1.0)
    for disease in ("ssc", "iim"):
        found = endpoints(
            patient(inflammation=state, damage=state, scar=state, b_per_ul=140.0 + 0 * DAYS), disease
        )
        assert found["remission_day"] == 60.0, disease
        assert found["clinical_relapse_day"] == 250.0, disease


def test_other_diseases_use_disease_activity():
    """Below 0.40 is remission, above 0.50 afterwards relapse; 0.45 is neither."""
    activity = np.select([DAYS < 50.0, DAYS < 100.0, DAYS < 200.0], [1.0, 0.39, 0.45], 0.51)
    found = endpoints(patient(disease_activity=activity), "other")
    assert (found["remission_day"], found["clinical_relapse_day"]) == (50.0, 200.0)


def test_values_at_visits_and_extremes():
    """Visits take the row of the day; lowest and highest count from the infusion on; B return is the first row back."""
    igg = np.interp(DAYS, [-30.0, 0.0, 150.0, 365.0], [0.5, 1.0, 0.7, 0.9])
    naive = np.where(DAYS < 110.0, 0.0, 133.0)
    found = endpoints(course(hump(height=0.5), vaccine_igg=igg, naive_b_per_ul=naive))
    assert found["vaccine_igg_lowest"] == pytest.approx(0.7)
    assert found["b_return_day"] == 110.0
    assert found["naive_share_at_return"] == pytest.approx(0.95)
    assert found["sledai_day0"] == 14.0  # haematuria 4, rash 2, arthritis 4, serosa 4; no protein
    assert found["sledai_day180"] == 0.0
    short = {name: column[DAYS <= 100.0] for name, column in course(hump()).items()}
    days = DAYS[DAYS <= 100.0]
    assert Clinic(days, short, ORGANS, "sle", -5.0).endpoints["sledai_day180"] is None


def test_the_general_endpoints_keep_their_names_and_values():
    """The endpoints of a run are those of before, and more."""
    from tissuesim.readouts import ENDPOINTS
    from tissuesim.readouts import endpoints as general

    totals = course(hump())
    found = endpoints(totals)
    assert {name: found[name] for name in ENDPOINTS} == general(DAYS, totals, baseline_day=-5.0)
