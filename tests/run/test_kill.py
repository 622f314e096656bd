"""A writer killed at any moment leaves a readable store and a valid checkpoint."""

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import xarray

from tissuesim.run import FieldStore, TotalsStore, load_latest_checkpoint, save_checkpoint

WRITER = """
import sys
import numpy as np
from tissuesim.run import FieldStore, TotalsStore, save_checkpoint, write_status

folder = sys.argv[1]
fields, totals = FieldStore.open(folder + "/fields.zarr"), TotalsStore.open(folder + "/totals.zarr")
n = int(sys.argv[2])
for index in range(400):
    values = np.full(n, index)
    fields.write_frame(index, "kidney", dict.fromkeys(("cxcl10", "autoreactive_b", "damage"), values))
    totals.write_rows(index, np.full((1, 2), float(index)))
    save_checkpoint(folder + "/checkpoints", index, {"x": np.full(100_000, index)}, {"index": index})
    write_status(folder, "running", index=index)
"""


@pytest.mark.parametrize("moment", range(5))
def test_killed_writer(tmp_path, ball, fields, moment):
    """After SIGKILL: every frame that says it is complete is, the rest is missing, a checkpoint loads."""
    from tissuesim.run import ColumnDescription

    days = np.arange(400.0)
    FieldStore.create(tmp_path / "fields.zarr", {"kidney": ball}, fields, days)
    columns = [ColumnDescription("baff", "BAFF", "1"), ColumnDescription("b_per_ul", "B cells", "1/uL")]
    TotalsStore.create(tmp_path / "totals.zarr", columns, days)

    with subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path), str(ball.n)]) as writer:
        while load_latest_checkpoint(tmp_path / "checkpoints") is None:
            assert writer.poll() is None, "the writer stopped by itself"
            time.sleep(0.02)
        time.sleep(np.random.default_rng(moment).uniform(0.0, 0.4))
        os.kill(writer.pid, signal.SIGKILL)
    assert writer.returncode == -signal.SIGKILL, "the writer was not killed in the middle"

    dataset = xarray.open_datatree(tmp_path / "fields.zarr", engine="zarr")["kidney"].dataset
    written = np.flatnonzero(dataset["frame_written"].values)
    inside = dataset["volume"].values > 0
    assert written.tolist() == list(range(len(written))) and len(written) > 0
    for field in fields:
        voxels = dataset[field.name].values[:, inside]
        assert np.array_equal(voxels[written], np.repeat(written[:, None], inside.sum(), axis=1))
        assert np.isnan(voxels[len(written) + 1 :]).all()
    arrays, facts = load_latest_checkpoint(tmp_path / "checkpoints")
    assert (arrays["x"] == facts["index"]).all() and facts["index"] <= written[-1] <= facts["index"] + 1
    rows = xarray.open_dataset(tmp_path / "totals.zarr", engine="zarr")["baff"].values
    assert np.array_equal(rows[: facts["index"] + 1], np.arange(facts["index"] + 1.0))
    assert json.loads((tmp_path / "status.json").read_text())["index"] <= facts["index"]

    save_checkpoint(tmp_path / "checkpoints", 1000, {"x": np.zeros(1)}, {"index": 1000})
    left = [path.name for path in (tmp_path / "checkpoints").iterdir()]
    assert len(left) == 2 and not any("partial" in name for name in left), "the killed writer left litter"
