"""Endpoints of a CAR T course in autoimmune disease, from the totals of one run.

Definitions as in the calibrated whole-body reference: B-cell aplasia is blood CD19+ B cells below 1 % of the
value before treatment; remission is disease activity below 0.40 of untreated, relapse above 0.50 afterwards.
All days count from the infusion (day 0).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

Series = NDArray[np.float64]

ENDPOINTS = (
    "day_car_t_peak",
    "car_t_peak_per_ul",
    "day_b_below_1pct",
    "aplasia_days",
    "day_autoreactive_extinct",
    "day_extinct_with_plasmablasts",
    "inflammation_day180_over_day0",
    "autoantibody_half_life_days",
    "relapse_day",
)

BASELINE_DAY = -5.0  # lymphodepletion starts on day -5
APLASIA_FRACTION = 0.01
RETURN_SEARCH_DELAY = 10.0  # days after depletion before a return counts: noise around 1 % is none
REMISSION, RELAPSE = 0.40, 0.50  # disease activity relative to untreated
ANTIBODY_WINDOW = (5.0, 60.0)  # days between which the autoantibody half-life is fitted


def endpoints(
    days: Series, totals: Mapping[str, Series], *, baseline_day: float = BASELINE_DAY
) -> dict[str, float | None]:
    """Return every name of ``ENDPOINTS`` with its value, or None where it did not happen (yet).

    ``days`` (k,) are days since infusion, rising; ``totals`` holds columns (k,): ``car_t_per_ul`` and
    ``b_per_ul`` [1/uL], ``autoreactive_total`` and ``plasmablast_total`` [cell], ``mean_inflammation``,
    ``autoantibody`` and ``disease_activity`` (relative). A missing column makes its endpoints None.
    ``baseline_day`` is the day whose last row before or on it is "before treatment" (else the first row).
    """
    days = np.asarray(days, dtype=np.float64)
    series = {name: np.asarray(column, dtype=np.float64) for name, column in totals.items()}
    result: dict[str, float | None] = dict.fromkeys(ENDPOINTS)
    if days.size == 0:
        return result
    if (car_t := series.get("car_t_per_ul")) is not None:
        result["day_car_t_peak"], result["car_t_peak_per_ul"] = peak(days, car_t)
    if (b_cells := series.get("b_per_ul")) is not None:
        result["day_b_below_1pct"], result["aplasia_days"] = aplasia(days, b_cells, baseline_day)
    if (autoreactive := series.get("autoreactive_total")) is not None:
        result["day_autoreactive_extinct"] = extinction_day(days, autoreactive)
        if (plasmablasts := series.get("plasmablast_total")) is not None:
            result["day_extinct_with_plasmablasts"] = extinction_day(days, autoreactive + plasmablasts)
    if (inflammation := series.get("mean_inflammation")) is not None:
        result["inflammation_day180_over_day0"] = ratio(days, inflammation, 180.0, 0.0)
    if (antibody := series.get("autoantibody")) is not None:
        result["autoantibody_half_life_days"] = half_life(days, antibody, *ANTIBODY_WINDOW)
    if (activity := series.get("disease_activity")) is not None:
        result["relapse_day"] = relapse_day(days, activity)
    return result


def peak(days: Series, values: Series) -> tuple[float | None, float | None]:
    """Return day and height of the largest value from day 0 on; (None, None) if nothing is above zero."""
    after = days >= 0.0
    if not after.any() or not np.nanmax(values[after], initial=0.0) > 0.0:
        return None, None
    index = int(np.nanargmax(values[after]))
    return float(days[after][index]), float(values[after][index])


def aplasia(days: Series, b_cells: Series, baseline_day: float) -> tuple[float | None, float | None]:
    """Return the first day with B cells below 1 % of baseline, and how many days until they are back.

    The first is searched after the baseline row, the return from 10 days after depletion on.
    """
    start = max(0, int(np.searchsorted(days, baseline_day, side="right")) - 1)
    low = b_cells < APLASIA_FRACTION * b_cells[start]
    depleted = np.flatnonzero(low[start:])
    if depleted.size == 0:
        return None, None
    day = days[start + depleted[0]]
    back = np.flatnonzero(~low & np.isfinite(b_cells) & (days >= day + RETURN_SEARCH_DELAY))
    return float(day), float(days[back[0]] - day) if back.size else None


def extinction_day(days: Series, cells: Series) -> float | None:
    """Return the first day from the infusion on with no cell left, or None."""
    gone = np.flatnonzero((cells == 0.0) & (days >= 0.0))
    return float(days[gone[0]]) if gone.size else None


def ratio(days: Series, values: Series, day: float, reference_day: float) -> float | None:
    """Return value(day) / value(reference_day), linear between rows; None outside the rows or over zero."""
    known = np.isfinite(values)
    days, values = days[known], values[known]
    if days.size == 0 or min(day, reference_day) < days[0] or max(day, reference_day) > days[-1]:
        return None
    upper, lower = np.interp([day, reference_day], days, values)
    return float(upper / lower) if lower > 0.0 else None


def half_life(days: Series, values: Series, first: float, last: float) -> float | None:
    """Return ln 2 / k of the least-squares line ln(value) = c - k day over [first, last].

    None if the series does not reach ``last``, holds fewer than two positive values or does not fall.
    """
    window = (days >= first) & (days <= last) & (values > 0.0)
    if days[-1] < last or np.count_nonzero(window) < 2:
        return None
    day = days[window] - days[window].mean()
    slope = float(np.sum(day * np.log(values[window])) / np.sum(day * day))
    return float(np.log(2.0) / -slope) if slope < -1e-6 else None


def relapse_day(days: Series, activity: Series) -> float | None:
    """Return the first day with activity above 0.50 after it has been below 0.40, both from day 0 on."""
    remission = np.flatnonzero((activity < REMISSION) & (days >= 0.0))
    if remission.size == 0:
        return None
    relapse = np.flatnonzero(activity[remission[0] :] > RELAPSE)
    return float(days[remission[0] + relapse[0]]) if relapse.size else None
