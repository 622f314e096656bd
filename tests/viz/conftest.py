"""A synthetic run with plausible numbers: a small bean-shaped organ, healed by CAR T cells or not."""

from pathlib import Path

import numpy as np
import pytest

from tissuesim.run import (
    ColumnDescription,
    FieldDescription,
    FieldStore,
    TotalsStore,
    create_run_directory,
    provenance,
    write_provenance,
    write_status,
)
from tissuesim.tissue import Tissue, build_graph

FIELDS = (
    FieldDescription("cxcl10", "CXCL10", "pM", "float32", "signal"),
    FieldDescription("autoreactive_b", "Autoreactive B", "cell", "int32", "cells"),
    FieldDescription("car_t_effector", "CAR T effector", "cell", "int32", "cells"),
    FieldDescription("car_t_memory", "CAR T memory", "cell", "int32", "cells"),
    FieldDescription("inflammation", "Inflammation", "1", "float32", "state"),
    FieldDescription("damage", "Tissue damage", "1", "float32", "state"),
)
COLUMNS = (
    ("car_t_per_ul", "CAR T cells in blood", "cell/mm^3"),
    ("b_per_ul", "CD19+ B cells in blood", "cell/mm^3"),
    ("autoreactive_total", "Autoreactive B cells", "cell"),
    ("plasmablast_total", "Plasmablasts", "cell"),
    ("mean_inflammation", "Inflammation", "1"),
    ("mean_damage", "Tissue damage", "1"),
    ("autoantibody", "Autoantibody", "1"),
    ("disease_activity", "Disease activity", "1"),
    ("kidney.autoreactive_b.sum", "Autoreactive B", "cell"),
    ("kidney.car_t_effector.sum", "CAR T effector", "cell"),
    ("kidney.car_t_memory.sum", "CAR T memory", "cell"),
)
FRAME_DAYS = (-120.0, -5.0, 0.0, 5.0, 9.0, 14.0, 60.0, 180.0, 365.0)


def bean(spacing: float = 4.0) -> Tissue:
    """A kidney-like organ of cortex and medulla, 110 x 60 x 44 mm, with patchy vessels."""
    z, y, x = (np.arange(-half, half, spacing) + spacing / 2 for half in (60.0, 24.0, 32.0))
    z, y, x = np.meshgrid(z, y, x, indexing="ij")
    depth = 1.0 - np.sqrt((z / 55) ** 2 + (y / 20) ** 2 + ((x - 8 * (z / 55) ** 2) / 29) ** 2)
    depth = np.minimum(depth, np.sqrt((z / 20) ** 2 + (y / 10) ** 2 + ((x - 32) / 18) ** 2) - 1.0)
    fraction = np.clip(0.5 + depth * 20 / spacing, 0.0, 1.0)
    region = (depth > 0.3).astype(np.uint8)
    vessels = np.exp(0.5 * np.sin(z / 7) * np.cos(x / 6 + y / 9)) * np.where(region == 0, 1.0, 0.5)
    origin = (-32.0, -24.0, -60.0)
    return build_graph(
        "kidney", fraction, region, spacing, origin, ("cortex", "medulla"), {"vascular_density": vessels}
    )


def write_synthetic_run(
    root: Path, *, treated: bool = True, spacing: float = 4.0, integer: bool = True
) -> Path:
    """Write a finished run of closed-form curves and return its directory."""
    scenario = {
        "name": "kidney_car_t" if treated else "kidney_untreated",
        "stochastic": integer,
        "treatment": [],
    }
    if treated:
        scenario["treatment"] = [
            {"type": "lymphodepletion", "start": -5.0, "end": -2.0},
            {"type": "car_t", "day": 0.0},
        ]
    path = create_run_directory(root, scenario["name"], f"name: {scenario['name']}\n", scenario)
    write_provenance(path, provenance(["tissuesim", "run"], 1, "numpy"))
    tissue = bean(spacing)
    store = FieldStore.create(path / "fields.zarr", {"kidney": tissue}, FIELDS, FRAME_DAYS)
    for index, day in enumerate(FRAME_DAYS):
        store.write_frame(index, "kidney", frame(tissue, day, treated))
    days = np.arange(-120.0, 365.25, 0.25)
    columns = [ColumnDescription(*column) for column in COLUMNS]
    totals = TotalsStore.create(path / "totals.zarr", columns, days, {"baseline_day": -5.0})
    totals.write_rows(0, np.stack(list(series(days, treated, integer).values()), axis=1))
    write_status(path, "finished")
    return path


def survival(day, access, treated):
    """Share of B cells left at a place: killing starts on day 4 and is proportional to vascular access."""
    return np.exp(-1.9 * access * np.maximum(day - 4.0, 0.0) ** 1.3) if treated else np.ones_like(access)


def frame(tissue: Tissue, day: float, treated: bool) -> dict[str, np.ndarray]:
    """Return the values of every field on one day."""
    rng = np.random.default_rng(int(day) + 1000)
    access = tissue.maps["vascular_density"]
    cortex = tissue.region == 0
    x, y, z = tissue.centers().T
    patch = np.exp(1.2 * np.sin(z / 9 + 1) * np.sin(x / 8) * np.cos(y / 8))
    level = np.clip(0.5 + (day + 120) / 120, 0.5, 1.0) * np.where(cortex, 1.0, 0.25) * patch**0.5
    b_cells = 100.0 * tissue.volume * level * survival(day, access, treated)
    car_t = 300.0 * tissue.volume * access * np.exp(-(((day - 9) / 4) ** 2)) * (day >= 0) * treated
    fading = np.exp(-np.maximum(day - 7, 0) / 40) if treated else 1.0
    return {
        "cxcl10": 40.0 * level * fading,
        "autoreactive_b": rng.poisson(b_cells),
        "car_t_effector": rng.poisson(car_t),
        "car_t_memory": rng.poisson(0.02 * car_t),
        "inflammation": level * fading,
        "damage": 0.5 * level * fading**0.7,
    }


def series(days, treated, integer):
    """Return every column of the totals."""
    rise = np.clip(0.55 + 0.37 * (days + 120) / 120, 0.0, 0.95)
    heal = np.where(days > 7, np.exp(-(days - 7) / 45), 1.0) if treated else np.ones_like(days)
    after = np.maximum(days, 0.0)
    car_t = 106 * np.exp(-(((np.minimum(after, 9) - 9) / 3.3) ** 2)) * np.exp(-np.maximum(after - 9, 0) / 11)
    car_t = np.where(days >= 0, car_t + 1.0 * np.exp(-after / 200) * (days > 1), 0.0) * treated
    b_cells = 139 * np.minimum(
        1, np.exp(-1.1 * np.maximum(after - 2, 0)) + 1 / (1 + np.exp(-(days - 150) / 9))
    )
    b_cells = np.maximum(b_cells, 2e-3) if treated else np.full_like(days, 139.0)
    autoreactive = 8e6 * rise * (np.exp(-1.6 * np.maximum(after - 4, 0)) if treated else 1.0)
    if integer:
        autoreactive = np.floor(autoreactive)
    tissue_car_t = 4e6 * car_t
    activity = 0.5 * rise * heal + 0.25 * heal**0.6 + 0.25 * heal**0.8
    columns = [
        car_t, b_cells, autoreactive, 0.3 * autoreactive, rise * heal, 0.42 * heal**0.8, heal**0.6, activity,
        0.3 * autoreactive, tissue_car_t, 0.02 * tissue_car_t,
    ]  # fmt: skip
    return dict(zip((name for name, _, _ in COLUMNS), columns, strict=True))


@pytest.fixture(scope="session")
def run_directory(tmp_path_factory):
    """A treated run, healed."""
    return write_synthetic_run(tmp_path_factory.mktemp("runs"))


@pytest.fixture(scope="session")
def untreated_directory(tmp_path_factory):
    """The same patient without treatment."""
    return write_synthetic_run(tmp_path_factory.mktemp("runs"), treated=False)
