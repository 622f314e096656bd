"""Endpoints against curves whose answers are known by construction."""

import numpy as np
import pytest

from tissuesim.readouts import ENDPOINTS, endpoints

DAYS = np.arange(-120.0, 366.0, 0.25)


def course(days=DAYS):
    """A course: peak 100/uL on day 9, B gone day 7 to 119, antibody half-life 25 d, relapse on day 300."""
    b_cells = np.where((days >= 7.0) & (days < 119.0), 0.5, 140.0)
    b_cells = np.where((days >= -5.0) & (days < 7.0), 60.0, b_cells)
    activity = np.interp(days, [-120, 0, 60, 250, 350], [1.0, 1.0, 0.2, 0.2, 0.8])
    return {
        "car_t_per_ul": np.where(days >= 0, 100.0 * np.exp(-(((days - 9.0) / 4.0) ** 2)), 0.0),
        "b_per_ul": b_cells,
        "autoreactive_total": np.where(days < 13.5, 1e7, 0.0),
        "plasmablast_total": np.where(days < 21.0, 1e6, 0.0),
        "mean_inflammation": np.where(days < 0, 0.9, 0.8 * np.exp(-np.maximum(days, 0) / 60.0)),
        "autoantibody": np.where(days < 5, 1.0, 2.0 ** (-(np.maximum(days, 5) - 5) / 25.0)),
        "disease_activity": activity,
    }


def test_known_course():
    """Every endpoint of the textbook course is the number it was built with."""
    result = endpoints(DAYS, course())
    assert tuple(result) == ENDPOINTS
    assert result["day_car_t_peak"] == 9.0
    assert result["car_t_peak_per_ul"] == pytest.approx(100.0)
    assert result["day_b_below_1pct"] == 7.0
    assert result["aplasia_days"] == 112.0
    assert result["day_autoreactive_extinct"] == 13.5
    assert result["day_extinct_with_plasmablasts"] == 21.0
    assert result["inflammation_day180_over_day0"] == pytest.approx(np.exp(-3.0))
    assert result["autoantibody_half_life_days"] == pytest.approx(25.0)
    assert result["relapse_day"] == 300.25  # activity passes 0.50 on day 300


def test_untreated_course_has_no_events():
    """Without treatment nothing peaks, is depleted, dies out or relapses, and the antibody does not fall."""
    flat = {name: np.full(DAYS.shape, 1.0) for name in course()} | {"car_t_per_ul": np.zeros(DAYS.shape)}
    expected = dict.fromkeys(ENDPOINTS) | {"inflammation_day180_over_day0": 1.0}
    assert endpoints(DAYS, flat) == expected


def test_baseline_is_before_lymphodepletion():
    """1 % is taken of the last row at or before the baseline day, not of the first row or of day 0."""
    totals = course()
    totals["b_per_ul"] = np.where(
        DAYS < -50, 1000.0, np.where(DAYS < -4.9, 100.0, np.where(DAYS < 3, 5.0, 0.9))
    )
    assert endpoints(DAYS, totals)["day_b_below_1pct"] == 3.0
    assert endpoints(DAYS, totals, baseline_day=-60.0)["day_b_below_1pct"] == -4.75
    late = DAYS >= 0  # a run that starts after the baseline day uses its first row
    assert (
        endpoints(DAYS[late], {"b_per_ul": np.where(DAYS[late] < 2, 100.0, 0.9)})["day_b_below_1pct"] == 2.0
    )


def test_noise_at_the_threshold_is_no_return():
    """Values back above 1 % within 10 days of depletion are noise; the return is the first one later."""
    totals = {"b_per_ul": np.where(DAYS < 7, 100.0, np.where((DAYS > 12) & (DAYS < 13), 2.0, 0.1))}
    assert endpoints(DAYS, totals)["aplasia_days"] is None
    totals["b_per_ul"][DAYS >= 100] = 50.0
    assert endpoints(DAYS, totals)["aplasia_days"] == 93.0


def test_a_single_cell_is_not_extinction():
    """Extinct means zero cells: one left, or a tiny density, is not."""
    for rest in (1.0, 1e-30):
        assert (
            endpoints(DAYS, {"autoreactive_total": np.full(DAYS.shape, rest)})["day_autoreactive_extinct"]
            is None
        )
    assert endpoints(DAYS, {"autoreactive_total": np.zeros(DAYS.shape)})["day_autoreactive_extinct"] == 0.0


def test_plasmablasts_outlive_the_b_cells():
    """`with_plasmablasts` waits for both populations to be zero on the same day."""
    totals = course() | {"plasmablast_total": np.ones(DAYS.shape)}
    result = endpoints(DAYS, totals)
    assert result["day_autoreactive_extinct"] == 13.5 and result["day_extinct_with_plasmablasts"] is None


def test_unfinished_run_gives_only_what_is_known():
    """At day 40, endpoints that need later days are None, the others are already final."""
    so_far = DAYS <= 40
    result = endpoints(DAYS[so_far], {name: column[so_far] for name, column in course().items()})
    full = endpoints(DAYS, course())
    open_ones = {
        "aplasia_days",
        "inflammation_day180_over_day0",
        "autoantibody_half_life_days",
        "relapse_day",
    }
    assert result == {name: None if name in open_ones else full[name] for name in ENDPOINTS}
    assert endpoints(np.array([]), {}) == dict.fromkeys(ENDPOINTS)


def test_irregular_rows_and_gaps_change_little():
    """Rows at uneven days with NaN gaps give the same answers within one row spacing."""
    rng = np.random.default_rng(2)
    rows = np.sort(rng.choice(DAYS.size, DAYS.size // 2, replace=False))
    totals = {name: column[rows] for name, column in course().items()}
    for column in totals.values():
        column[rng.choice(rows.size, 20, replace=False)] = np.nan
    result, full = endpoints(DAYS[rows], totals), endpoints(DAYS, course())
    for name in ENDPOINTS:
        assert result[name] == pytest.approx(full[name], abs=3.0, rel=0.05), name


def test_half_life_is_a_fit_through_all_rows():
    """Noise of 10 % on the antibody moves the half-life by a few percent, whatever the end rows are."""
    antibody = course()["autoantibody"] * np.exp(0.1 * np.random.default_rng(3).standard_normal(DAYS.size))
    antibody[np.isclose(DAYS, 5.0)] *= 2.0  # a two-point formula would be off by 50 %
    assert endpoints(DAYS, {"autoantibody": antibody})["autoantibody_half_life_days"] == pytest.approx(
        25, rel=0.04
    )


def test_relapse_needs_remission_first():
    """Activity above 0.50 that never was below 0.40, or was so only before the infusion, is no relapse."""
    early = np.where(DAYS < -20, 0.1, 0.9)
    assert endpoints(DAYS, {"disease_activity": early})["relapse_day"] is None
    assert endpoints(DAYS, {"disease_activity": np.where(DAYS < 30, 0.45, 0.9)})["relapse_day"] is None
