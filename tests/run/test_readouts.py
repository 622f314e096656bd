"""The readouts of a run folder: table, group of the totals, kinds of organs, the tables a person sees."""

import csv

import numpy as np
import pytest
import xarray

from tissuesim.run import (
    ColumnDescription,
    Run,
    TotalsStore,
    create_run_directory,
    write_readouts,
    write_status,
)
from tissuesim.run.patient import disease_name, organ_kinds
from tissuesim.run.table import endpoint_rows, print_outcome, reset_rows, visit_rows

DAYS = np.arange(-6.0, 100.0)


@pytest.fixture
def patient(tmp_path):
    """A run of one kidney named otherwise, written up to day 93 of 99."""
    scenario = {
        "name": "patient",
        "disease": "sle",
        "organs": {"transplant": {"anatomy": "a.stl", "kind": "kidney"}},
        "treatment": [],
    }
    path = create_run_directory(tmp_path, "patient", "", scenario)
    write_status(path, "running")
    columns = {
        "b_per_ul": np.where(DAYS < 7, 100.0, 0.1),
        "car_t_per_ul": np.where(DAYS < 0, 0.0, 10.0),
        "autoantibody": np.full(DAYS.shape, 0.5),
        "transplant.target_volume": np.full(DAYS.shape, 1e5),
        "transplant.inflammation_load": np.where(DAYS < 50, 1e5, 0.0),
        "transplant.damage_load": np.full(DAYS.shape, 0.0),
        "transplant.fibrosis_load": np.full(DAYS.shape, 0.0),
    }
    described = [ColumnDescription(name, name, "1") for name in columns]
    totals = TotalsStore.create(path / "totals.zarr", described, DAYS, {"baseline_day": -5.0})
    totals.write_rows(0, np.stack([*columns.values()], axis=1)[:100])
    return path


def test_an_unfinished_run_has_readouts(patient):
    """Readouts reach as far as the totals, by the kind of the organ, with unit, limits, source and grade."""
    run = Run(patient)
    found = run.readouts
    assert found["time"].values[-1] == 93.0 and found.sizes["time"] == 100
    assert found["upcr"].attrs["units"] == "g/g" and found["upcr"].attrs["limit_response"] == 0.5
    assert found["upcr"].attrs["grade"] == "A" and found["upcr"].attrs["source"]
    assert found["sledai"].sel(time=0).item() == 12.0 and found["sledai"].sel(time=90).item() == 4.0
    assert found["transplant.inflammation"].attrs["long_name"].endswith(", transplant")
    # urine and blood count on the day of the visit: remission begins with the first clean one
    assert run.endpoints["sledai_day90"] == 4.0 and run.endpoints["doris_day"] == 50.0
    assert run.resets is None


def test_the_table_and_the_store_hold_the_same(patient):
    """readouts.csv and the group `readouts` have every value; the totals beside it are untouched; twice is the same."""
    run = Run(patient)
    before = run.totals.copy(deep=True)
    for _ in range(2):
        path = write_readouts(patient, run.totals["time"].values, run.clinic.readouts)
    stored = xarray.open_dataset(patient / "totals.zarr", group="readouts", engine="zarr")
    tree = xarray.open_datatree(patient / "totals.zarr", engine="zarr")
    with path.open() as handle:
        rows = list(csv.DictReader(handle))
    assert set(tree.children) == {"readouts"}
    assert {row["name"] for row in rows} == set(stored.data_vars) == set(run.readouts.data_vars)
    for name, column in stored.data_vars.items():
        values = [float(row["value"]) for row in rows if row["name"] == name]
        np.testing.assert_allclose(values, column.values[np.isfinite(column.values)], rtol=1e-8)
        np.testing.assert_array_equal(column.values[:100], run.readouts[name].values)
        assert np.isnan(column.values[100:]).all()
    assert Run(patient).totals.identical(before)


@pytest.mark.parametrize(
    ("name", "organ", "kind"),
    [
        ("left", {"anatomy": "kidney"}, "kidney"),
        ("left", {"anatomy": "kidney_patch"}, "kidney"),
        ("knee", {"anatomy": "joint"}, "joint"),
        ("knee", {"anatomy": "knee.stl", "kind": "joint"}, "joint"),
        ("kidney_left", {"anatomy": "scan.nii.gz"}, "kidney"),
        ("thigh", {"anatomy": "thigh.stl", "kind": "muscle"}, "muscle"),
        ("liver", {"anatomy": "liver.stl"}, "liver"),
    ],
)
def test_the_kind_of_an_organ(name, organ, kind):
    """What the config says, else the built-in anatomy, else a name that begins with a kind."""
    assert organ_kinds({"organs": {name: organ}}) == {name: kind}


def test_the_name_of_the_disease():
    """A name, the stem of a file, or none."""
    assert disease_name({"disease": "ssc"}) == "ssc"
    assert disease_name({"disease": "mine/iim.yaml"}) == "iim"
    assert disease_name({}) is None


def test_the_tables_of_the_outcome(capsys):
    """What happened, values at visits, the reset; what did not happen is named, visits not reached are a dash."""
    endpoints = {
        "day_car_t_peak": 9.25,
        "relapse_day": None,
        "upcr_day0": 2.0,
        "upcr_day90": 0.25,
        "upcr_day180": None,
    }
    assert endpoint_rows(endpoints) == [("day_car_t_peak", "9.25")]
    assert visit_rows(endpoints) == [("Urine protein/creatinine", "g/g", "2", "0.25", "-", "-")]
    resets = {
        "body": {"last_day": 17.0, "cells_left": 0},
        "compartments": {
            "blood": {"last_day": 9.5, "cells_left": 0},
            "kidney_left": {"last_day": None, "cells_left": 1200},
        },
        "killing_integral": {"kidney_left": {"share_below": 0.25}},
    }
    assert reset_rows(resets) == [
        ("blood", "9.50", "0", ""),
        ("kidney left", "-", "1,200", "25.0%"),
        ("body", "17.00", "0", ""),
    ]
    print_outcome(endpoints, resets)
    shown = capsys.readouterr().out
    assert "not in this run: relapse_day" in shown and "1,200" in shown and "Urine" in shown
