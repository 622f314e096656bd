"""Readouts of blood and plasma: cells, antibodies, complement, interferon, IL-6 and cytokine release syndrome."""

from __future__ import annotations

import numpy as np

from tissuesim.readouts.course import Course, Series

PASSED_ON = (
    "car_t_per_ul",
    "b_per_ul",
    "naive_b_per_ul",
    "memory_b_per_ul",
    "autoreactive_b_per_ul",
    "plasmablast_per_ul",
    "autoantibody",
    "vaccine_igg",
    "total_igg",
)
"""Columns of the totals that are readouts as they are."""


def blood(course: Course) -> dict[str, Series]:
    """Every readout of blood that the model has what is needed for."""
    found = {name: course.column(name) for name in PASSED_ON}
    antibody = found["autoantibody"]
    found["c3"] = (
        None
        if antibody is None
        else complement_c3(antibody, **_chosen(course, "c3_healthy", "c3_consumption"))
    )
    found["ifn_score"] = interferon_score(course)
    plasma = course.column("il6_in_plasma")
    if plasma is not None:
        il6 = plasma * course.constants["il6_mass"]
        found["il6_pg_per_ml"] = il6
        found["crp"] = course.constants["crp_per_il6"] * il6 * receptor_left(course)
        found["crs_grade"] = cytokine_release_grade(course, il6)
    return {name: series for name, series in found.items() if series is not None}


def complement_c3(autoantibody: Series, *, c3_healthy: float, c3_consumption: float) -> Series:
    """C3 [g/L] where production balances turnover and loss to immune complexes: healthy / (1 + k x antibody)."""
    return c3_healthy / (1.0 + c3_consumption * np.maximum(autoantibody, 0.0))


def interferon_score(course: Course) -> Series | None:
    """IFN-alpha of the tissue under attack relative to that of untreated lupus: 0 healthy, 1 untreated."""
    found = course.mean(course.organs, "interferon_load")
    return None if found is None else found / course.constants["interferon_untreated"]


def cytokine_release_grade(course: Course, il6: Series) -> Series | None:
    """ASTCT grade 0-4 from IL-6 [pg/mL] that acts: fever 1, low pressure or oxygen 2, vasopressor 3, ventilation 4.

    The grade by ASTCT is one of fever, blood pressure and oxygen, which the model does not have: IL-6 stands for
    them. A block of the receptor (tocilizumab) takes the effect and leaves the level. It counts from the infusion
    to the end of the window, where there are CAR T cells.
    """
    car_t = course.column("car_t_per_ul")
    if car_t is None:
        return None
    acting = il6 * receptor_left(course)
    steps = np.array(
        [
            course.constants[name]
            for name in ("fever_il6", "hypotension_il6", "pressor_il6", "ventilation_il6")
        ]
    )
    in_time = (course.days >= 0.0) & (course.days <= course.constants["crs_window"]) & (car_t > 0.0)
    return np.where(in_time, np.searchsorted(steps, acting, side="right"), 0).astype(np.float64)


def receptor_left(course: Course) -> Series:
    """Share of the IL-6 receptor that tocilizumab leaves free: 1 without it, 0 from full strength on."""
    return np.maximum(1.0 - course.level("drug_tocilizumab"), 0.0)


def _chosen(course: Course, *names: str) -> dict[str, float]:
    return {name: course.constants[name] for name in names}
