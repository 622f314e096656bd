"""Local flares of organs while B cells are gone, and remission and relapse by the measure of each disease."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tissuesim.readouts.course import Course, Series
from tissuesim.readouts.endpoints import APLASIA_FRACTION


@dataclass(frozen=True)
class LocalFlare:
    """A transient rise of inflammation in one organ after the infusion.

    ``onset`` day, ``duration`` [day] (None if it is not over), ``peak`` relative to the day before treatment.
    """

    organ: str
    onset: float
    duration: float | None
    peak: float


def flaring(course: Course, organ: str, baseline_day: float) -> NDArray[np.bool_]:
    """Where an organ that was ill before treatment is more inflamed than then, in the window, while B cells are gone.

    This is what the clinical series count (LICATS, Hagen 2025, 10.1016/S2665-9913(25)00091-8): in organs already
    affected, only in aplasia, with CAR T cells given. Day 0 is no reference: chemotherapy has dented the inflammation
    by then, and its return would count.
    """
    days, known = course.days, course.constants
    quiet = np.zeros(days.shape, bool)
    inflammation, b_cells = course.inflammation([organ]), course.column("b_per_ul")
    car_t = course.column("car_t_per_ul")
    if inflammation is None or b_cells is None or car_t is None or not (days <= 0.0).any():
        return quiet
    if not np.nanmax(car_t[days >= 0.0], initial=0.0) > 0.0:
        return quiet
    before = max(0, int(np.searchsorted(days, baseline_day, side="right")) - 1)
    if not inflammation[before] >= known["flare_baseline"]:
        return quiet
    raised = inflammation > inflammation[before] * (1.0 + known["flare_rise"])
    low = b_cells < APLASIA_FRACTION * b_cells[before]
    gone = np.flatnonzero(low & (days >= 0.0))
    if gone.size == 0:
        return quiet
    back = np.flatnonzero(~low & (days > days[gone[0]]))
    end = days[back[0]] if back.size else np.inf
    in_time = (days >= days[gone[0]]) & (days <= min(end, known["flare_window"]))
    return np.asarray(raised & in_time)


def local_flares(course: Course, baseline_day: float) -> list[LocalFlare]:
    """The first local flare of every organ that has one, in the order of onset."""
    found = []
    for organ in course.organs:
        raised = flaring(course, organ, baseline_day)
        rows = np.flatnonzero(raised)
        if rows.size == 0:
            continue
        first = int(rows[0])
        over = np.flatnonzero(~raised[first:])
        last = first + int(over[0]) if over.size else len(raised)
        inflammation = course.inflammation([organ])
        assert inflammation is not None  # an organ without does not flare
        before = max(0, int(np.searchsorted(course.days, baseline_day, side="right")) - 1)
        onset = float(course.days[first])
        duration = float(course.days[last]) - onset if over.size else None
        found.append(
            LocalFlare(organ, onset, duration, float(np.max(inflammation[first:last]) / inflammation[before]))
        )
    return sorted(found, key=lambda flare: flare.onset)


def remission(course: Course, known: Mapping[str, Series], disease: str | None) -> Series | None:
    """1 where the disease is in remission by its own measure; None where there is nothing to measure it by.

    SLE: DORIS. Systemic sclerosis: EUSTAR index below 2.5. Myositis: major response (TIS 60) with normal CK.
    Otherwise: disease activity below 0.40 of untreated disease.
    """
    limits = course.constants
    if disease == "sle" and "doris" in known:
        return known["doris"]
    if disease == "ssc" and "eustar" in known:
        return (known["eustar"] < limits["eustar_active"]).astype(np.float64)
    if disease == "iim" and "tis" in known:
        normal = known["ck"] <= limits["ck_upper_limit"]
        return ((known["tis"] >= limits["tis_major"]) & normal).astype(np.float64)
    activity = course.column("disease_activity")
    return None if activity is None else (activity < limits["activity_remission"]).astype(np.float64)


def relapsed(course: Course, known: Mapping[str, Series], disease: str | None) -> NDArray[np.bool_] | None:
    """Where the disease is as active as a relapse is; a relapse only where there was a remission before.

    SLE: clinical SLEDAI-2K of 4 or more. Systemic sclerosis: EUSTAR index 2.5 or more. Myositis: TIS below 20.
    Otherwise: disease activity above 0.50. The gap to remission keeps one from the other.
    """
    limits = course.constants
    if disease == "sle" and "doris" in known:
        clinical = known["sledai"] - known.get("sledai_immunologic", np.zeros(course.days.shape))
        return np.asarray(clinical >= limits["sledai_flare"])
    if disease == "ssc" and "eustar" in known:
        return np.asarray(known["eustar"] >= limits["eustar_active"])
    if disease == "iim" and "tis" in known:
        return np.asarray(known["tis"] < limits["tis_minimal"])
    activity = course.column("disease_activity")
    return None if activity is None else np.asarray(activity > limits["activity_relapse"])
