"""Courses of synthetic patients: totals as a run writes them, with answers known by construction."""

from __future__ import annotations

import numpy as np
import pytest

DAYS = np.arange(-30.0, 366.0, 0.5)
ORGANS = {
    "kidney_left": "kidney",
    "kidney_right": "kidney",
    "lungs": "lungs",
    "heart": "heart",
    "skin": "skin",
    "knee": "joint",
}
VOLUMES = {"kidney_left": 1e5, "kidney_right": 1.2e5, "lungs": 2e5, "heart": 3e4, "skin": 1e3, "knee": 8e4}
DAMAGE, FIBROSIS = 0.5, 0.77


def patient(inflammation=1.0, damage=1.0, scar=1.0, antibody=1.0, days=DAYS, organs=ORGANS, **more):
    """Totals of a patient whose organs are all in one state, each number relative to untreated disease.

    Every argument is a number or a series over the days; ``more`` are further columns.
    """
    one = np.ones(days.shape)
    totals = {
        "autoantibody": antibody * one,
        "b_per_ul": 140.0 * one,
        "car_t_per_ul": 0.0 * one,
        "il6_in_plasma": 0.2 * one,
        "vaccine_igg": one,
        "disease_activity": 0.5 * inflammation * one + 0.25 * antibody + 0.25 * damage,
    }
    for organ in organs:
        volume = VOLUMES.get(organ, 1e5)
        totals |= {
            f"{organ}.target_volume": volume * one,
            f"{organ}.inflammation_load": volume * inflammation * one,
            f"{organ}.damage_load": volume * DAMAGE * damage * one,
            f"{organ}.fibrosis_load": volume * FIBROSIS * scar * one,
            f"{organ}.complex_load": volume * antibody * one,
            f"{organ}.interferon_load": volume * 0.32 * inflammation * one,
            f"{organ}.tissue_volume": 5.0 * volume * one,
            f"{organ}.inflamed_volume": volume * np.where(inflammation * one > 0.25, 1.0, 0.0),
            f"{organ}.fibrotic_volume": volume * np.where(FIBROSIS * scar * one > 0.25, 1.0, 0.0),
            f"{organ}.autoreactive_b.sum": 1e6 * one,
            f"{organ}.naive_b.sum": 2e6 * one,
        }
    return {name: np.broadcast_to(column, days.shape).astype(float) for name, column in totals.items()} | more


@pytest.fixture(name="patient")
def _patient():
    """The builder of synthetic totals."""
    return patient
