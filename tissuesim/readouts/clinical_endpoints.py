"""Endpoints of the clinical readouts: days of remission and relapse, values at visits, lowest and highest values."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from tissuesim.readouts.course import Course, Series
from tissuesim.readouts.endpoints import APLASIA_FRACTION, RETURN_SEARCH_DELAY, ratio
from tissuesim.readouts.flare import local_flares, relapsed

VISITS = (0.0, 90.0, 180.0, 365.0)
"""Days on which values are reported."""

AT_VISITS = (
    "sledai",
    "upcr",
    "egfr",
    "mrss",
    "eustar",
    "fvc_ml",
    "ground_glass",
    "reticular",
    "ck",
    "mmt8",
    "tis",
)
"""Readouts whose values at visits are endpoints, where the run has them."""

LOWEST = ("vaccine_igg", "total_igg", "b_per_ul", "autoantibody", "c3", "egfr")
HIGHEST = ("il6_pg_per_ml", "crs_grade", "troponin", "ck")


def clinical_endpoints(
    course: Course, readouts: Mapping[str, Series], disease: str | None, baseline_day: float
) -> dict[str, float | None]:
    """Endpoints of one patient by name; None where something has not happened (yet).

    Always there: ``remission_day``, ``clinical_relapse_day``, ``b_return_day``, ``naive_share_at_return``,
    ``autoantibody_day90_over_day0``, ``local_flare_onset_day``, ``local_flare_days``, ``local_flare_organs``,
    ``local_flare_peak``. Where the run has the readout: ``doris_day``, ``lldas_day``, ``<readout>_day<visit>``,
    ``<readout>_lowest`` and ``<readout>_highest`` from the infusion on.
    """
    days = course.days
    result: dict[str, float | None] = {}
    reached = readouts.get("remission")
    result["remission_day"] = None if reached is None else first_day(days, reached > 0.0)
    result["clinical_relapse_day"] = relapse_after(
        days, reached, relapsed(course, readouts, disease or "sle"), result["remission_day"]
    )
    for name in ("doris", "lldas"):
        if name in readouts:
            result[f"{name}_day"] = first_day(days, readouts[name] > 0.0)
    result["b_return_day"], result["naive_share_at_return"] = b_return(days, readouts, baseline_day)
    antibody = readouts.get("autoantibody")
    result["autoantibody_day90_over_day0"] = None if antibody is None else ratio(days, antibody, 90.0, 0.0)
    result |= _flares(course, baseline_day)
    for name in AT_VISITS:
        if name in readouts:
            for day in VISITS:
                result[f"{name}_day{day:g}"] = value_at(days, readouts[name], day)
    after = days >= 0.0
    for suffix, names, extreme in (("lowest", LOWEST, np.min), ("highest", HIGHEST, np.max)):
        for name in names:
            if name in readouts:
                known = readouts[name][after & np.isfinite(readouts[name])]
                result[f"{name}_{suffix}"] = float(extreme(known)) if known.size else None
    return result


def first_day(days: Series, present: NDArray[np.bool_]) -> float | None:
    """The first day from the infusion on at which something is so."""
    rows = np.flatnonzero(present & (days >= 0.0))
    return float(days[rows[0]]) if rows.size else None


def relapse_after(
    days: Series,
    reached: Series | None,
    active: NDArray[np.bool_] | None,
    remission_day: float | None,
) -> float | None:
    """The first day of active disease after a remission."""
    if reached is None or active is None or remission_day is None:
        return None
    rows = np.flatnonzero(active & (days > remission_day))
    return float(days[rows[0]]) if rows.size else None


def b_return(
    days: Series, readouts: Mapping[str, Series], baseline_day: float
) -> tuple[float | None, float | None]:
    """Day on which B cells are back at 1 % of baseline in blood, and the naive share of them then."""
    b_cells = readouts.get("b_per_ul")
    if b_cells is None:
        return None, None
    start = max(0, int(np.searchsorted(days, baseline_day, side="right")) - 1)
    low = b_cells < APLASIA_FRACTION * b_cells[start]
    gone = np.flatnonzero(low[start:])
    if gone.size == 0:
        return None, None
    back = np.flatnonzero(~low & (days >= days[start + gone[0]] + RETURN_SEARCH_DELAY))
    if back.size == 0:
        return None, None
    naive, all_b = readouts.get("naive_b_per_ul"), b_cells[back[0]]
    share = None if naive is None or not all_b > 0.0 else float(naive[back[0]] / all_b)
    return float(days[back[0]]), share


def value_at(days: Series, values: Series, day: float) -> float | None:
    """The value at the last row on or before a day; None where the course does not reach it."""
    if days[0] > day or days[-1] < day:
        return None
    found = float(values[int(np.searchsorted(days, day, side="right")) - 1])
    return found if np.isfinite(found) else None


def _flares(course: Course, baseline_day: float) -> dict[str, float | None]:
    flares = local_flares(course, baseline_day)
    first = flares[0] if flares else None
    return {
        "local_flare_onset_day": first.onset if first else None,
        "local_flare_days": first.duration if first else None,
        "local_flare_peak": max(flare.peak for flare in flares) if flares else None,
        "local_flare_organs": float(len(flares)),
    }
