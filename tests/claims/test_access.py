"""Where clones survive when CAR T cells enter tissue poorly: where the killing integral is low."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("kidney")]

Runs = Callable[..., Any]


@pytest.mark.parametrize(("access", "share"), [("4.8e-7", 0.0), ("1.2e-7", 0.01)])
def test_survivors_sit_where_killing_was_weakest(runs: Runs, access: str, share: float) -> None:
    """With access / 2.5 and / 10 some clones live on day 25, and they sit where there was less killing.

    The chance that a voxel with survivors had less of it than one without is above 0.8 (area under the ROC curve of
    the killing integral, voxels with 5 cells on day 0).
    """
    course = runs(
        "kidney_car_t",
        "organs.kidney.spacing=4 mm",
        "time.end=25 day",
        f"parameters.car_t_entry={access} 1/day/mm^3",
    )
    simulation = course.simulation
    state = simulation.state.organs["kidney"]
    place = simulation.scenario.plan.organ.states.index("killing_integral")
    column = simulation.scenario.plan.organ.cells.index("autoreactive_b")
    killing, alive = np.asarray(state.states)[:, place].astype(float), np.asarray(state.cells)[:, column]
    first = course.voxel_counts[0]
    chosen = first >= 5
    survived = alive[chosen] > 0
    assert survived.mean() > share
    weak, strong = killing[chosen][survived], killing[chosen][~survived]
    assert weak.size and strong.size
    below = np.searchsorted(
        np.sort(strong), weak, side="right"
    )  # voxels without survivors that had less killing
    assert 1 - below.mean() / strong.size > 0.8
