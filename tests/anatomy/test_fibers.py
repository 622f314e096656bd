"""Fibers of an organ reach the solver: a run of the heart with its physics."""

from __future__ import annotations

import numpy as np

from tissuesim.scenario import load

SHORT = (
    "time.start=-1 day",
    "time.end=0 day",
    "treatment=[]",
    "organs={heart: {anatomy: heart, spacing: 4 mm, physics: heart}}",
)


def test_conductances_follow_the_fibers() -> None:
    """Claim: with the heart's physics, faces of muscle conduct by the fibers that meet them, fat and vessels as before.

    Along a fiber the factor is 1, across 0.64 = (1.6 / 2)^2; without physics nothing changes.
    """
    tissue = load("kidney_car_t", SHORT).tissues["heart"]
    plain = load("kidney_car_t", (*SHORT[:3], "organs={heart: {anatomy: heart, spacing: 4 mm}}")).tissues[
        "heart"
    ]
    open_faces = plain.conductance > 0
    factor = np.where(open_faces, tissue.conductance / np.where(open_faces, plain.conductance, 1.0), 1.0)
    muscle = tissue.in_regions(("left_ventricle", "right_ventricle", "septum", "left_atrium", "right_atrium"))
    inside = muscle[:, None] & muscle[tissue.neighbors] & open_faces
    outside = ~muscle[:, None] & ~muscle[tissue.neighbors] & open_faces
    assert np.all(factor[outside] == 1.0)
    assert factor[inside].min() >= 0.64 - 1e-9 and factor[inside].max() <= 1.0 + 1e-9
    assert factor[inside].min() < 0.7 and factor[inside].max() > 0.95
    fibers = np.stack([tissue.maps[f"fiber_{axis}"] for axis in "xyz"], axis=1)
    steep = np.abs(fibers[:, 2]) > 0.97
    both = inside[:, 5] & steep & steep[tissue.neighbors[:, 5]]
    assert both.sum() > 20 and factor[both, 5].min() > 0.95
    tissue.check()
