"""`Run`: a run directory as a modeller sees it, finished or not."""

import numpy as np
import pytest

from tissuesim.errors import InputError
from tissuesim.run import (
    ColumnDescription,
    FieldStore,
    Run,
    TotalsStore,
    create_run_directory,
    provenance,
    write_provenance,
    write_status,
)


@pytest.fixture
def unfinished(tmp_path, ball, fields):
    """A run directory in the middle of its run: one of two frames, 26 of 46 rows."""
    path = create_run_directory(tmp_path, "ball", "name: ball\n", {"name": "ball"})
    write_status(path, "running", steps=5)
    write_provenance(path, provenance(["tissuesim"], 1, "numpy"))
    store = FieldStore.create(path / "fields.zarr", {"kidney": ball}, fields, [0.0, 10.0])
    store.write_frame(0, "kidney", {field.name: np.ones(ball.n) for field in fields})
    columns = [ColumnDescription("b_per_ul", "B", "1/uL"), ColumnDescription("car_t_per_ul", "CAR T", "1/uL")]
    totals = TotalsStore.create(path / "totals.zarr", columns, np.arange(-6.0, 40.0), {"baseline_day": -6.0})
    days = np.arange(-6.0, 20.0)
    totals.write_rows(0, np.stack([np.where(days < 7, 100.0, 0.1), np.exp(-((days - 9) ** 2))], axis=1))
    return path


def test_a_run_is_read_while_it_goes_on(unfinished):
    """Fields, totals up to the last row, endpoints so far and status are there before the end."""
    run = Run(unfinished)
    assert run.status["status"] == "running" and run.scenario == {"name": "ball"}
    assert run.provenance["backend"] == "numpy"
    assert float(run["kidney"]["damage"].sel(time=0.0).max()) == 1.0
    assert run.totals["time"].values[-1] == 19.0
    assert run.endpoints["day_b_below_1pct"] == 7.0 and run.endpoints["aplasia_days"] is None
    assert run.endpoints["day_car_t_peak"] == 9.0
    assert "1 of 2 frames" in str(run) and "CXCL10" in str(run)


def test_baseline_is_the_first_day_of_treatment(tmp_path):
    """Without being told, a reader takes the first treatment of the scenario as the end of "before"."""
    for number, (treatment, day) in enumerate(
        [
            ([], 0.0),
            ([{"type": "car_t", "day": 2.0}], 2.0),
            ([{"type": "car_t", "day": 0.0}, {"type": "lymphodepletion", "start": -5.0, "end": -2.0}], -5.0),
            ([{"type": "drug", "name": "mmf", "on": -30.0, "off": 9.0}], -30.0),
        ]
    ):
        path = create_run_directory(tmp_path, f"run{number}", "", {"treatment": treatment})
        write_status(path, "running")
        TotalsStore.create(path / "totals.zarr", [ColumnDescription("baff", "BAFF", "1")], [0.0])
        assert Run(path).baseline_day == day


def test_wrong_names_are_told(unfinished, tmp_path):
    """A wrong organ or folder is one sentence with the nearest name."""
    with pytest.raises(InputError, match="did you mean 'kidney'"):
        Run(unfinished)["kidny"]
    with pytest.raises(InputError, match="no such folder"):
        Run(tmp_path / "nothing")
    with pytest.raises(InputError, match="not a run directory"):
        Run(tmp_path)


def test_a_run_that_stopped_before_output(tmp_path):
    """Without stores the reader says so in one sentence."""
    path = create_run_directory(tmp_path, "ball", "", {})
    write_status(path, "failed")
    with pytest.raises(InputError, match="stopped before its first output"):
        _ = Run(path).totals
