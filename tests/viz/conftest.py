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
    root: Path,
    *,
    treated: bool = True,
    spacing: float = 4.0,
    integer: bool = True,
    tissues: dict[str, Tissue] | None = None,
) -> Path:
    """Write a finished run of closed-form curves, of a kidney or of ``tissues``, and return its directory."""
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
    tissues = tissues or {"kidney": bean(spacing)}
    store = FieldStore.create(path / "fields.zarr", tissues, FIELDS, FRAME_DAYS)
    for index, day in enumerate(FRAME_DAYS):
        for organ, tissue in tissues.items():
            store.write_frame(index, organ, frame(tissue, day, treated))
    days = np.arange(-120.0, 365.25, 0.25)
    columns = [ColumnDescription(*column) for column in COLUMNS]
    totals = TotalsStore.create(path / "totals.zarr", columns, days, {"baseline_day": -5.0})
    totals.write_rows(0, np.stack(list(series(days, treated, integer).values()), axis=1))
    write_status(path, "finished")
    return path


def ball(name: str, size: tuple[float, float, float], spacing: float, gap: float = 0.0) -> Tissue:
    """An ellipsoid of ``size`` (x, y, z) mm with a core of its own, or two with ``gap`` mm between, as lungs are."""
    half = np.array(size)[::-1] / 2 + spacing
    axes = [np.arange(-h, h, spacing) + spacing / 2 for h in half]
    z, y, x = np.meshgrid(*axes, indexing="ij")
    width = size[0] / 2 if gap == 0.0 else (size[0] - gap) / 4
    x = x if gap == 0.0 else np.abs(x) - gap / 2 - width
    depth = 1.0 - np.sqrt((x / width) ** 2 + (2 * y / size[1]) ** 2 + (2 * z / size[2]) ** 2)
    fraction = np.clip(0.5 + depth * min(size) / 3 / spacing, 0.0, 1.0)
    region = (depth > 0.45).astype(np.uint8)
    vessels = np.where(region == 0, 1.0, 0.6)
    origin = tuple(-half[::-1])
    return build_graph(
        name, fraction, region, spacing, origin, ("shell", "core"), {"vascular_density": vessels}
    )


def patient_tissues() -> dict[str, Tissue]:
    """Six organs of about the right sizes: what a whole patient has, coarse."""
    return {
        "kidney_left": bean(5.0),
        "kidney_right": bean(5.0),
        "lungs": ball("lungs", (250.0, 160.0, 220.0), 10.0, gap=40.0),
        "heart": ball("heart", (120.0, 90.0, 110.0), 8.0),
        "skin": ball("skin", (20.0, 20.0, 4.0), 0.8),
        "knee": ball("knee", (80.0, 80.0, 120.0), 6.0),
    }


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
    autoreactive = 3.2e7 * rise * (np.exp(-1.6 * np.maximum(after - 4, 0)) if treated else 1.0)
    if integer:
        autoreactive = np.floor(autoreactive)
    tissue_car_t = 3.3e5 * car_t
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


@pytest.fixture(scope="session")
def patient_directory(tmp_path_factory):
    """A treated patient of six organs."""
    return write_synthetic_run(tmp_path_factory.mktemp("runs"), tissues=patient_tissues())


STORED = Path(__file__).parent / "pictures"  # small PNGs; written anew with TISSUESIM_STORE_PICTURES=1
STORED_HEIGHT = 120  # pixels
LEAST_LIKENESS, MOST_DIFFERENCE = 0.93, 0.03  # of the structure; mean of the luminance, 0 to 1


def small(path: Path) -> np.ndarray:
    """Return the luminance of a picture, 0 to 1, averaged down to `STORED_HEIGHT`."""
    from PIL import Image

    with Image.open(path) as image:
        width = round(image.width * STORED_HEIGHT / image.height)
        grey = image.convert("L").resize((width, STORED_HEIGHT), Image.Resampling.BOX)
    return np.asarray(grey, dtype=np.float64) / 255.0


def likeness(one: np.ndarray, other: np.ndarray) -> float:
    """Return the mean structural similarity (Wang et al. 2004) of two luminances, in windows of 8 x 8 pixels."""
    windows = [np.lib.stride_tricks.sliding_window_view(image, (8, 8))[::4, ::4] for image in (one, other)]
    a, b = (window.reshape(*window.shape[:2], 64) for window in windows)
    mean_a, mean_b = a.mean(-1), b.mean(-1)
    covariance = ((a - mean_a[..., None]) * (b - mean_b[..., None])).mean(-1)
    c1, c2 = 0.01**2, 0.03**2
    similar = (2 * mean_a * mean_b + c1) * (2 * covariance + c2)
    return float((similar / ((mean_a**2 + mean_b**2 + c1) * (a.var(-1) + b.var(-1) + c2))).mean())


@pytest.fixture(scope="session")
def looks_as_before():
    """A function that fails if the picture of a path does not look as the stored one of a name."""
    import os

    from PIL import Image

    def compare(path: Path, name: str) -> None:
        now = small(path)
        file = STORED / f"{name}.png"
        if os.environ.get("TISSUESIM_STORE_PICTURES"):
            file.parent.mkdir(exist_ok=True)
            Image.fromarray(np.round(now * 255).astype(np.uint8)).save(file, optimize=True)
        before = small(file)
        assert abs(now.shape[1] - before.shape[1]) <= 2, f"{name}: another shape, see {path}"
        width = min(now.shape[1], before.shape[1])
        alike = likeness(now[:, :width], before[:, :width])
        difference = float(np.abs(now[:, :width] - before[:, :width]).mean())
        assert alike >= LEAST_LIKENESS and difference <= MOST_DIFFERENCE, (
            f"{name}: likeness {alike:.3f}, difference {difference:.3f}; look at {path} and {file}"
        )

    return compare


@pytest.fixture(scope="session")
def texts_are_legible():
    """A function that fails if a text of a sheet is cut off or lies on another one; it returns all texts."""
    from itertools import combinations

    from matplotlib.text import Text

    from tissuesim.viz.compose import sheet_figure
    from tissuesim.viz.style import INK, plot_style

    def check(sheet) -> str:
        with plot_style(**{"text.color": INK}):
            figure = sheet_figure(sheet)
            figure.canvas.draw()
            texts = [text for text in figure.findobj(Text) if text.get_text().strip() and text.get_visible()]
            boxes = [(text.get_text(), text.get_window_extent()) for text in texts]
        for name, box in boxes:
            inside = box.x0 >= 0 and box.y0 >= 0 and box.x1 <= figure.bbox.x1 and box.y1 <= figure.bbox.y1
            assert inside, f"'{name}' is cut off"
        for (first, a), (second, b) in combinations(boxes, 2):
            apart = a.x0 >= b.x1 or b.x0 >= a.x1 or a.y0 >= b.y1 or b.y0 >= a.y1
            assert apart, f"'{first}' lies on '{second}'"
        return " ".join(name for name, _ in boxes)

    return check
