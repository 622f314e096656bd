"""The picture of a relapse: how likely cells come back to places that had seen less killing."""

from __future__ import annotations

import numpy as np
import pytest
import xarray

from tissuesim.viz.plots.relapse import chance_of_less, coming_back


def test_chance_is_the_area_under_the_roc_curve():
    """All weight at the weakest of n places gives 1 - 1/2n, at the strongest 1/2n, evenly 1/2; ties count half."""
    killing = np.array([3.0, 1.0, 4.0, 2.0])
    assert chance_of_less(killing, np.array([0.0, 5.0, 0.0, 0.0])) == pytest.approx(0.875)
    assert chance_of_less(killing, np.array([0.0, 0.0, 1.0, 0.0])) == pytest.approx(0.125)
    assert chance_of_less(killing, np.ones(4)) == pytest.approx(0.5)
    assert chance_of_less(np.ones(4), killing) == pytest.approx(0.5)


class Seen:
    """A run of four voxels in a row with the cells of five frames; the first one is before treatment."""

    baseline_day = -5.0

    def __init__(self, *frames: tuple[int, int, int, int]) -> None:
        """Keep the counts; the killing integral of the voxels is 1, 2, 3, 4."""
        fields = {
            "autoreactive_b": np.array(frames, float)[:, None, None, :],
            "killing_integral": np.tile([1.0, 2.0, 3.0, 4.0], (len(frames), 1))[:, None, None, :],
        }
        self.organ = xarray.Dataset(
            {name: (("time", "z", "y", "x"), values) for name, values in fields.items()},
            coords={"time": [-6.0, 0.0, 10.0, 20.0, 30.0][: len(frames)]},
        ).assign(frame_written=("time", np.ones(len(frames), bool)))

    def __getitem__(self, name: str) -> xarray.Dataset:
        return self.organ


def test_a_return_begins_with_the_fewest_cells():
    """Cells gained from the frame with the fewest on, at places that held clones; the fourth never did."""
    found = coming_back(
        Seen((90, 90, 90, 0), (50, 50, 50, 0), (4, 0, 0, 0), (9, 0, 1, 3), (60, 10, 0, 0)), "kidney"
    )
    assert found is not None
    assert (found.fewest_day, found.day) == (10.0, 20.0)
    assert found.gained.ravel().tolist() == [5.0, 0.0, 1.0, 0.0]
    assert found.chance == pytest.approx((5 * (1 - 0.5 / 3) + 1 * (0.5 / 3)) / 6)


@pytest.mark.parametrize(
    "frames",
    [
        ((90, 90, 90, 0), (50, 50, 50, 0), (4, 0, 0, 0), (4, 0, 1, 0), (0, 0, 0, 0)),
        ((90, 90, 90, 0), (50, 50, 50, 0), (60, 60, 60, 0), (90, 90, 90, 0)),
    ],
    ids=["all die", "none fell"],
)
def test_what_is_no_return(frames):
    """Cells that die out do not come back, and those that never went do not either."""
    assert coming_back(Seen(*frames), "kidney") is None
