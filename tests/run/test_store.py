"""Zarr stores: values land at their place, missing ones read as missing, xarray opens them at any time."""

import numpy as np
import pytest
import xarray

from tissuesim.errors import InputError
from tissuesim.run import ColumnDescription, FieldDescription, FieldStore, TotalsStore

DAYS = (-120.0, 0.0, 7.0, 30.0)


def values_of(tissue, fields, seed=0):
    """Return random values for each field."""
    rng = np.random.default_rng(seed)
    return {field.name: rng.integers(0, 9, tissue.n).astype(field.dtype) for field in fields}


def test_values_return_to_their_voxels(tmp_path, ball, fields):
    """A voxel's value is found at the voxel's own x, y, z in mm, in each dtype."""
    store = FieldStore.create(tmp_path / "fields.zarr", {"kidney": ball}, fields, DAYS)
    values = values_of(ball, fields)
    store.write_frame(2, "kidney", values)
    dataset = xarray.open_datatree(tmp_path / "fields.zarr", engine="zarr")["kidney"].dataset.sel(time=7.0)
    for x, y, z, voxel in zip(*ball.centers()[::97].T, range(0, ball.n, 97), strict=True):
        here = dataset.sel(x=x, y=y, z=z)  # exact match of the coordinates or KeyError
        for field in fields:
            assert float(here[field.name]) == values[field.name][voxel], field.name
        assert float(here["volume"]) == ball.volume[voxel]


def test_what_is_not_written_reads_as_missing(tmp_path, ball, fields):
    """Frames of the future and voxels outside the organ are NaN for counts too, never zero or -1."""
    store = FieldStore.create(tmp_path / "fields.zarr", {"kidney": ball}, fields, DAYS)
    store.write_frame(0, "kidney", values_of(ball, fields))
    dataset = xarray.open_zarr(tmp_path / "fields.zarr", group="kidney", chunks=None)
    inside = dataset["volume"].values > 0
    for field in fields:
        array = dataset[field.name]
        assert np.isfinite(array[0].values[inside]).all() and np.isnan(array[0].values[~inside]).all()
        assert np.isnan(array[1:].values).all()
    assert dataset["frame_written"].values.tolist() == [1, 0, 0, 0]


def test_open_reader_sees_later_frames(tmp_path, ball, fields):
    """A dataset opened before a frame was written reads that frame afterwards, without being reopened."""
    store = FieldStore.create(tmp_path / "fields.zarr", {"kidney": ball}, fields, DAYS)
    dataset = xarray.open_datatree(tmp_path / "fields.zarr", engine="zarr")["kidney"].dataset
    store.write_frame(1, "kidney", values_of(ball, fields))
    assert np.nansum(dataset["autoreactive_b"].sel(time=0.0).values) > 0


def test_attributes_tell_unit_label_and_regions(tmp_path, ball, fields):
    """A stranger reads units, labels, region names and days from the file alone."""
    FieldStore.create(tmp_path / "fields.zarr", {"kidney": ball}, fields, DAYS)
    dataset = xarray.open_zarr(tmp_path / "fields.zarr", group="kidney", chunks=None)
    assert dataset["cxcl10"].attrs["units"] == "pM" and dataset["cxcl10"].attrs["long_name"] == "CXCL10"
    assert dataset["cxcl10"].dims == ("time", "z", "y", "x")
    assert dataset["time"].values.tolist() == list(DAYS) and dataset["time"].attrs["units"] == "day"
    region = dataset["region"]
    meanings = dict(zip(region.attrs["flag_values"], region.attrs["flag_meanings"].split(), strict=True))
    assert meanings == {0: "cortex", 1: "medulla", 255: "outside"}
    center = dict(x=1.0 + 13.0, y=-2.0 + 11.0, z=3.0 + 9.0)
    assert meanings[int(region.sel(center))] == "medulla"


def test_reopened_store_continues(tmp_path, ball, fields):
    """A store opened again (resume) writes to the same voxels as the store that was created."""
    FieldStore.create(tmp_path / "fields.zarr", {"kidney": ball}, fields, DAYS).write_frame(
        0, "kidney", values_of(ball, fields)
    )
    FieldStore.open(tmp_path / "fields.zarr").write_frame(1, "kidney", values_of(ball, fields))
    dataset = xarray.open_zarr(tmp_path / "fields.zarr", group="kidney", chunks=None)
    for field in fields:
        assert np.array_equal(dataset[field.name][0], dataset[field.name][1], equal_nan=True)


@pytest.mark.parametrize(
    ("index", "organ", "change", "error", "sentence"),
    [
        (0, "kidny", {}, KeyError, "did you mean 'kidney'"),
        (0, "kidney", {"damge": np.zeros(3)}, KeyError, "did you mean 'damage'"),
        (0, "kidney", {"damage": np.zeros(3)}, ValueError, "shape"),
        (4, "kidney", {}, IndexError, "outside 0..3"),
        (-1, "kidney", {}, IndexError, "outside 0..3"),
    ],
)
def test_wrong_frames_are_refused(tmp_path, ball, fields, index, organ, change, error, sentence):
    """A wrong organ, field, shape or frame is an error that names it, never a silent write elsewhere."""
    store = FieldStore.create(tmp_path / "fields.zarr", {"kidney": ball}, fields, DAYS)
    with pytest.raises(error, match=sentence):
        store.write_frame(index, organ, values_of(ball, fields) | change)


def test_a_field_cannot_take_the_name_of_a_map(tmp_path, ball):
    """Two arrays of one name in an organ are refused before anything is written."""
    clash = FieldDescription("vascular_density", "Vessels", "1", "float32", "state")
    with pytest.raises(InputError, match="vascular_density"):
        FieldStore.create(tmp_path / "fields.zarr", {"kidney": ball}, [clash], DAYS)
    assert not list(tmp_path.iterdir())


def totals(path, rows=2500):
    """Create a totals store of two columns."""
    columns = [ColumnDescription("baff", "BAFF", "1"), ColumnDescription("b_per_ul", "B cells", "1/uL")]
    return TotalsStore.create(path, columns, np.arange(rows) * 0.25, {"baseline_day": -5.0})


@pytest.mark.parametrize("block", [1, 7, 1024, 2500])
def test_rows_in_any_blocks_are_the_same_series(tmp_path, block):
    """However rows are grouped into writes (over chunk borders too), the series read back is the same."""
    rows = np.random.default_rng(1).random((40 if block == 1 else 2500, 2))
    store = totals(tmp_path / "totals.zarr")
    for first in range(0, len(rows), block):
        store.write_rows(first, rows[first : first + block])
    dataset = xarray.open_dataset(tmp_path / "totals.zarr", engine="zarr")
    for name, column in zip(("baff", "b_per_ul"), rows.T, strict=True):
        assert np.array_equal(dataset[name].values[: len(rows)], column)
        assert np.isnan(dataset[name].values[len(rows) :]).all()


def test_resumed_totals_keep_the_rows_before(tmp_path):
    """Rows written before a stop survive rows written after reopening in the same chunk."""
    totals(tmp_path / "totals.zarr").write_rows(0, np.full((10, 2), 1.0))
    TotalsStore.open(tmp_path / "totals.zarr").write_rows(8, np.full((5, 2), 2.0))
    values = xarray.open_dataset(tmp_path / "totals.zarr", engine="zarr")["baff"].values
    assert (
        values[:8].tolist() == [1.0] * 8
        and values[8:13].tolist() == [2.0] * 5
        and np.isnan(values[13:]).all()
    )


def test_rows_that_do_not_fit_are_refused(tmp_path):
    """Rows past the end or of the wrong width are an error."""
    store = totals(tmp_path / "totals.zarr")
    for first, shape in ((2499, (2, 2)), (-1, (1, 2)), (0, (1, 3))):
        with pytest.raises(ValueError, match="do not fit"):
            store.write_rows(first, np.zeros(shape))


def test_double_columns_and_missing_stores_are_refused(tmp_path):
    """One sentence for a column named twice and for a store that is not there."""
    twice = [ColumnDescription("baff", "BAFF", "1")] * 2
    with pytest.raises(InputError, match="'baff'"):
        TotalsStore.create(tmp_path / "totals.zarr", twice, [0.0])
    with pytest.raises(InputError, match="does not exist"):
        FieldStore.open(tmp_path / "nothing.zarr")
