"""Readouts of a healthy person, of untreated disease, and of what lies between."""

import numpy as np
import pytest

from tissuesim.readouts import CATALOGUE, CONSTANTS, clinical, describe

from .conftest import DAYS, ORGANS, patient


def value(name):
    """A constant of the catalogue."""
    return CONSTANTS[name].value


def at_rest(disease, **state):
    """The readouts of a steady state, one number each, well after the start."""
    found = clinical(DAYS, patient(**state), ORGANS, disease, baseline_day=-30.0)
    return {name: series[-1] for name, series in found.items()}


HEALTHY = {"inflammation": 0.0, "damage": 0.0, "scar": 0.0, "antibody": 0.0}


def test_both_ends_of_every_mapping_are_the_constants():
    """A mapping gives its healthy constant where nothing is wrong and its untreated constant at the reference state."""
    well, ill = at_rest("sle", **HEALTHY), at_rest("sle")
    for name in ("upcr", "troponin"):
        assert well[name] == pytest.approx(value(f"{name}_healthy"))
        assert ill[name] == pytest.approx(value(f"{name}_untreated"))
    assert well["c3"] == value("c3_healthy")
    assert ill["c3"] == pytest.approx(value("c3_healthy") / (1.0 + value("c3_consumption")))
    assert (well["ifn_score"], ill["ifn_score"]) == (0.0, pytest.approx(1.0))
    assert (well["pga"], ill["pga"]) == (0.0, pytest.approx(value("pga_untreated")))
    assert well["egfr"] == value("egfr_healthy")
    for test in ("fvc", "dlco"):
        assert well[test] == value(f"{test}_healthy")
        lost = value(f"{test}_inflammation_loss") + value(f"{test}_fibrosis_loss")
        assert ill[test] == pytest.approx(value(f"{test}_healthy") - lost)
    assert ill["fvc_ml"] == pytest.approx(ill["fvc"] / 100.0 * value("fvc_predicted"))
    assert at_rest("ssc", **HEALTHY)["mrss"] == 0.0
    assert at_rest("ssc")["mrss"] == pytest.approx(value("mrss_untreated"))
    healthy, sick = at_rest("iim", **HEALTHY), at_rest("iim")
    assert (healthy["ck"], sick["ck"]) == (value("ck_healthy"), pytest.approx(value("ck_untreated")))
    assert healthy["mmt8"] == 150.0
    assert sick["mmt8"] == pytest.approx(150.0 - value("mmt8_inflammation_loss") - value("mmt8_damage_loss"))


def test_sledai_counts_the_weights_of_its_items():
    """Untreated lupus of five organs: 4+4 kidney, 2 rash, 4 joints, 2+2 serosa, 2+2 blood; casts only in a flare."""
    ill = at_rest("sle")
    parts = {name: ill[f"sledai_{name}"] for name in ("renal", "skin", "joints", "serosal", "immunologic")}
    assert parts == {"renal": 8.0, "skin": 2.0, "joints": 4.0, "serosal": 4.0, "immunologic": 4.0}
    assert ill["sledai"] == sum(parts.values()) == 22.0
    assert at_rest("sle", inflammation=1.5)["sledai_renal"] == 16.0
    assert at_rest("sle", **HEALTHY)["sledai"] == 0.0


def test_scar_alone_is_no_activity():
    """Where inflammation and antibody are gone and the scar is not, SLEDAI is 0 but for protein that still leaks."""
    scarred = at_rest("sle", inflammation=0.0, damage=0.0, antibody=0.0, scar=1.0)
    share = 1.0 - value("upcr_inflammation_share") - value("upcr_damage_share")
    leak = value("upcr_healthy") + share * (value("upcr_untreated") - value("upcr_healthy"))
    assert scarred["upcr"] == pytest.approx(leak) and scarred["upcr"] < value("upcr_active")
    assert scarred["sledai"] == 0.0 and scarred["doris"] == 1.0
    assert scarred["egfr"] < value("egfr_healthy")


def test_signs_count_for_ten_days_after_they_are_gone():
    """SLEDAI falls at the first row more than ten days after the inflammation does."""
    inflammation = np.where(DAYS < 50.0, 1.0, 0.1)
    found = clinical(DAYS, patient(inflammation=inflammation, antibody=0.0, damage=0.0, scar=0.0), ORGANS)
    gone = DAYS[np.flatnonzero(found["sledai"] == 0.0)[0]]
    assert gone == 60.0  # the last row with signs is day 49.5; day 59.5 is the tenth day after it
    assert found["sledai"][DAYS == 59.5] > 0.0


@pytest.mark.parametrize(
    ("glucocorticoid", "doris", "lldas"),
    [(0.0, 1.0, 1.0), (0.25, 1.0, 1.0), (0.3, 0.0, 1.0), (0.4, 0.0, 0.0)],
)
def test_prednisone_decides_between_doris_and_lldas(glucocorticoid, doris, lldas):
    """At 20 mg of full effect: 5 mg is still DORIS, 6 mg only LLDAS, 8 mg neither."""
    drug = {"drug_glucocorticoid": np.full(DAYS.shape, glucocorticoid)}
    found = clinical(DAYS, patient(**HEALTHY) | drug, ORGANS, "sle")
    assert (found["doris"][-1], found["lldas"][-1]) == (doris, lldas)


def test_serology_does_not_bar_doris_and_counts_for_lldas_within_four():
    """Antibody and low complement without signs: SLEDAI 4, clinical 0: both states hold."""
    found = at_rest("sle", inflammation=0.0, damage=0.0, scar=0.0, antibody=1.0)
    assert (found["sledai"], found["doris"], found["lldas"]) == (4.0, 1.0, 1.0)


def test_a_new_sign_bars_lldas():
    """A rash (2 points, no major organ) that was not there at the visit before: no low disease activity for 30 days."""
    days = DAYS
    quiet = patient(**HEALTHY)
    rash = np.where(days >= 100.0, 0.8, 0.0)
    quiet["skin.inflammation_load"] = quiet["skin.target_volume"] * rash
    found = clinical(days, quiet, ORGANS, "sle")
    assert found["sledai"][days == 101.0] == 2.0
    assert found["lldas"][days == 99.5] == 1.0
    assert found["lldas"][days == 100.0] == 0.0
    assert found["lldas"][days == 129.5] == 0.0
    assert found["lldas"][days == 130.0] == 1.0


def test_eustar_weights():
    """Untreated sclerosis: skin 1.5, mRSS above 18 1.5, rubs 2.25, DLCO 1; CRP 2.25 with IL-6; 8.5 at most."""
    assert at_rest("ssc")["eustar"] == 6.25
    raised = patient(il6_in_plasma=np.full(DAYS.shape, 1.0))
    assert clinical(DAYS, raised, ORGANS, "ssc")["eustar"][-1] == 8.5
    assert at_rest("ssc", **HEALTHY)["eustar"] == 0.0
    assert at_rest("ssc", inflammation=0.0, damage=0.0)["eustar"] == 0.0  # scar: mRSS 15.6, DLCO 70


def test_ground_glass_follows_inflammation_and_reticular_follows_fibrosis():
    """Extents are shares of the whole lungs: a fifth here; when inflammation resolves only ground glass goes."""
    assert at_rest("ssc")["ground_glass"] == at_rest("ssc")["reticular"] == pytest.approx(20.0)
    resolved = at_rest("ssc", inflammation=0.1)
    assert (resolved["ground_glass"], resolved["reticular"]) == (0.0, pytest.approx(20.0))


def test_total_improvement_score_at_its_steps():
    """No change is 0, full healing 100; a change that just misses every step scores nothing."""
    for end, expected in ((1.0, 0.0), (0.0, 100.0)):
        state = np.where(DAYS < 0.0, 1.0, end)
        # enough disease that every core measure has room for its highest level
        severe = {"global_untreated", "haq_untreated", "extramuscular_untreated"}
        assert all(value(name) > 0 for name in severe)
        found = clinical(
            DAYS, patient(inflammation=2.0 * state, damage=3.0 * state), ORGANS, "iim", baseline_day=-5.0
        )
        assert found["tis"][-1] == expected, end
        assert (found["tis"][DAYS <= -5.0] == 0.0).all()
    from tissuesim.readouts.muscle import SCORES, total_improvement

    assert sum(max(scores) for scores in SCORES.values()) == 100.0
    days = np.array([0.0, 1.0, 2.0])
    core = {name: np.array([50.0, 45.0, 44.9]) for name in SCORES if name != "mmt8"}
    core["mmt8"] = np.array([50.0, 48.0, 47.9])
    assert total_improvement(days, core, 0.0).tolist() == [0.0, 0.0, 7.5 + 2.5 + 10.0 + 5.0 + 2.5 + 7.5]


@pytest.mark.parametrize(
    ("il6", "grade"), [(49.0, 0), (50.0, 1), (499.0, 1), (500.0, 2), (1000.0, 3), (9999.0, 3), (10000.0, 4)]
)
def test_crs_grades_at_their_bounds(il6, grade):
    """Each grade begins at its IL-6; only from infusion to day 30, with CAR T cells; a receptor block lowers it."""
    plasma = np.full(DAYS.shape, il6 / value("il6_mass"))
    cells = np.where(DAYS >= 0.0, 10.0, 0.0)
    totals = patient(il6_in_plasma=plasma, car_t_per_ul=cells)
    found = clinical(DAYS, totals, ORGANS)["crs_grade"]
    assert found[DAYS == 5.0] == grade
    assert found[DAYS == -1.0] == 0 and found[DAYS == 30.5] == 0
    assert (clinical(DAYS, patient(il6_in_plasma=plasma), ORGANS)["crs_grade"] == 0).all()
    blocked = totals | {"drug_tocilizumab": np.full(DAYS.shape, 0.999)}
    assert clinical(DAYS, blocked, ORGANS)["crs_grade"][DAYS == 5.0] == 0


def test_a_readout_without_its_organ_or_pool_is_absent():
    """Kidneys alone: no lungs, skin, joints, heart, muscle; no antibody: no C3, no dsDNA item."""
    kidneys = {"kidney_left": "kidney"}
    found = clinical(DAYS, patient(organs=kidneys), kidneys, "sle")
    absent = {
        "fvc", "dlco", "ground_glass", "mrss", "troponin", "tender_joints", "ck", "sledai_skin", "sledai_serosal",
        "total_igg", "naive_b_per_ul",
    }  # fmt: skip
    assert not absent & set(found)
    assert found["sledai"][-1] == found["sledai_renal"][-1] + found["sledai_immunologic"][-1] == 12.0
    bare = patient(organs=kidneys)
    del bare["autoantibody"]
    found = clinical(DAYS, bare, kidneys, "sle")
    assert "c3" not in found and "sledai_immunologic" not in found
    assert clinical(DAYS, {}, {}, "sle") == {}


def test_the_summaries_of_one_organ_need_no_name():
    """A run with one organ may have its summaries without the name of the organ: the readouts are the same."""
    one = {"kidney": "kidney"}
    named = patient(organs=one)
    plain = {
        name.removeprefix("kidney.") if not name.endswith(".sum") else name: column
        for name, column in named.items()
    }
    first, second = clinical(DAYS, named, one), clinical(DAYS, plain, one)
    assert list(first) == list(second)
    for name in first:
        np.testing.assert_array_equal(first[name], second[name])


def test_kidneys_count_by_the_volume_under_attack():
    """One ill kidney of two: the mean is weighted with the volume of each."""
    totals = patient(scar=0.0, damage=0.0)
    totals["kidney_right.inflammation_load"] = 0.0 * totals["kidney_right.inflammation_load"]
    excess = value("upcr_inflammation_share") * (value("upcr_untreated") - value("upcr_healthy"))
    expected = value("upcr_healthy") + excess * 1.0 / 2.2
    assert clinical(DAYS, totals, ORGANS)["upcr"][-1] == pytest.approx(expected)


WORSE_IS_MORE = (
    "upcr",
    "troponin",
    "ck",
    "mrss",
    "sledai",
    "eustar",
    "pga",
    "ifn_score",
    "tender_joints",
    "ground_glass",
)
WORSE_IS_LESS = ("fvc", "dlco", "mmt8", "egfr", "c3", "doris", "lldas")


@pytest.mark.parametrize("driver", ["inflammation", "damage", "scar", "antibody"])
def test_readouts_are_monotone_in_what_drives_them(driver):
    """More disease of any kind never betters a readout, over steady states from none to four times untreated."""
    states = [
        at_rest("sle", **{driver: x}) | at_rest("ssc", **{driver: x}) | at_rest("iim", **{driver: x})
        for x in np.linspace(0.0, 4.0, 33)
    ]
    for names, sign in ((WORSE_IS_MORE, 1.0), (WORSE_IS_LESS, -1.0)):
        for name in names:
            course = np.array([state[name] for state in states if name in state])
            assert len(course) == len(states), name
            assert (sign * np.diff(course) >= -1e-12).all(), name


def test_every_readout_stays_in_the_range_of_its_instrument():
    """Whatever the state of the tissue, no score leaves its scale and nothing is NaN."""
    random = np.random.default_rng(5)
    for disease in ("sle", "ssc", "iim", "other"):
        for _ in range(20):
            state = {
                name: random.uniform(0.0, 6.0, DAYS.shape)
                for name in ("inflammation", "damage", "scar", "antibody")
            }
            state["scar"] = np.minimum(state["scar"], 1.0 / 0.77)
            il6 = {"il6_in_plasma": 10.0 ** random.uniform(-2, 4, DAYS.shape)}
            for name, series in clinical(DAYS, patient(**state) | il6, ORGANS, disease).items():
                entry = describe(name, CATALOGUE)
                assert entry is not None, name
                low, high = entry.range
                assert np.isfinite(series).all(), name
                assert low is None or series.min() >= low, name
                assert high is None or series.max() <= high, name


def test_readouts_are_pure():
    """The same totals give the same readouts, and are not changed."""
    totals = patient(inflammation=np.linspace(0, 2, DAYS.size))
    before = {name: column.copy() for name, column in totals.items()}
    first, second = (clinical(DAYS, totals, ORGANS, "sle") for _ in range(2))
    for name in first:
        np.testing.assert_array_equal(first[name], second[name])
    for name in totals:
        np.testing.assert_array_equal(totals[name], before[name])


def test_each_disease_has_its_instruments():
    """Lupus has SLEDAI, sclerosis EUSTAR and mRSS, myositis CK, MMT-8 and TIS; another disease none of them."""
    own = {"sle": {"sledai", "doris", "lldas", "c3"}, "ssc": {"eustar", "mrss"}, "iim": {"ck", "mmt8", "tis"}}
    for disease in own:
        found = set(clinical(DAYS, patient(), ORGANS, disease))
        for name, instruments in own.items():
            assert (instruments <= found) if name == disease else not instruments & found, (disease, name)
    assert list(clinical(DAYS, patient(), ORGANS, None)) == list(clinical(DAYS, patient(), ORGANS, "sle"))


def test_more_than_a_full_block_leaves_nothing_and_not_less():
    """Tocilizumab at one and a half of its dose: CRP 0 and CRS 0, nothing below."""
    found = clinical(DAYS, patient(drug_tocilizumab=np.full(DAYS.shape, 1.5)), ORGANS, "ssc")
    assert found["crp"].min() == found["crp"].max() == 0.0
    assert found["crs_grade"].max() == 0.0
