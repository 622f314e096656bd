"""Where the last autoreactive cells died: the day each place was cleared, and who was seen there last."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tissuesim.readouts.endpoints import extinction_day
from tissuesim.run import Run

from ..frames import written_frames
from ..render import arm, opened, target
from ..style import GREY, day_text, plot_style, save
from .box import Geometry, draw_plane
from .catalogue import organ_text
from .killing import section_axes

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FIELD = "autoreactive_b"
MARK = "#D55E00"
MOST_COLORS = 12


@dataclass(frozen=True)
class Clearing:
    """When the voxels of an organ were cleared, as far as the frames tell.

    ``cleared`` (z, y, x) is the day of the first frame from which on no autoreactive cell was there, nan where there
    never was one and infinite where there still is; ``last_day`` the last frame with any, ``survivors`` their voxels
    (k, 3; z, y, x), ``cells`` how many there were, ``region`` the region of the fullest of them. ``extinct`` is the
    day of the totals from which on the organ had none, None if it still has.
    """

    days: NDArray[np.float64]
    cleared: NDArray[np.float64]
    last_day: float
    survivors: NDArray[np.int64]
    cells: int
    region: str
    extinct: float | None

    @property
    def place(self) -> tuple[int, int, int]:
        """The voxel of the last survivors (the fullest one): z, y, x."""
        z, y, x = (int(index) for index in self.survivors[0])
        return z, y, x


def clearing(run: Run, organ: str) -> Clearing | None:
    """Return what the frames tell of the end of the autoreactive cells of ``organ``.

    None where the run does not count them, where none was ever seen, or where it lies on the cells of a mesh.
    """
    dataset = run[organ]
    if FIELD not in dataset or "center" in dataset or dataset[FIELD].attrs["units"] != "cell":
        return None
    written = written_frames(run, organ)
    days = np.asarray(dataset["time"].values[written], dtype=np.float64)
    counts = np.nan_to_num(np.asarray(dataset[FIELD].values[written], dtype=np.float64))
    seen = counts > 0.0
    if not seen.any():
        return None
    ever = seen.any(axis=0)
    last_seen = len(days) - 1 - np.argmax(seen[::-1], axis=0)
    following = np.append(days, np.inf)[last_seen + 1]
    last = int(np.flatnonzero(seen.any(axis=(1, 2, 3)))[-1])
    order = np.argsort(counts[last], axis=None)[::-1][: int(seen[last].sum())]
    survivors = np.stack(np.unravel_index(order, ever.shape), axis=1).astype(np.int64)
    names = dataset["region"].attrs.get("flag_meanings", "").split()
    number = int(dataset["region"].values[tuple(survivors[0])])
    column = f"{organ}.{FIELD}.sum"
    totals = run.totals
    return Clearing(
        days=days,
        cleared=np.where(ever, following, np.nan),
        last_day=float(days[last]),
        survivors=survivors,
        cells=int(counts[last].sum()),
        region=names[number] if number < len(names) else f"region {number}",
        extinct=extinction_day(totals["time"].values, totals[column].values) if column in totals else None,
    )


def plot_last_cell(run: Run | Path | str, organ: str, out: Path | str | None = None) -> Path | None:
    """Draw the day each voxel was cleared, in sections through the last survivors; None if none died out."""
    run = opened(run)
    found = clearing(run, organ)
    if found is None or not np.isfinite(found.cleared).any() or found.last_day >= found.days[-1]:
        return None
    path = target(run, out, f"{organ}_last_cell.png")
    with plot_style():
        save(last_cell_figure(run, organ, found), path)
    return path


def sentence(organ: str, found: Clearing) -> str:
    """Return where and when the last autoreactive cells of ``organ`` were, in words."""
    who = "1 cell was" if found.cells == 1 else f"{found.cells:,} cells were"
    if len(found.survivors) == 1:
        where = f"in one voxel of the {found.region}"
    else:
        where = f"in {len(found.survivors):,} voxels, the fullest of them in the {found.region}"
    begin = f"In the frame of {day_text(found.last_day)}, {who} left in the {organ_text(organ)}, {where}"
    ended = "" if found.extinct is None else f"; the last one was dead on {day_text(found.extinct)}"
    return f"{begin}{ended}."


def last_cell_figure(run: Run, organ: str, found: Clearing) -> Figure:
    """Return the figure of `plot_last_cell`: one color per frame from the treatment on, earlier ones as the first."""
    import matplotlib
    from matplotlib.colors import BoundaryNorm, ListedColormap

    geometry = Geometry(run[organ])
    finite = np.unique(found.cleared[np.isfinite(found.cleared)])
    later = finite[finite >= run.baseline_day]
    shown = (later if later.size else finite)[-MOST_COLORS:]
    colors = ListedColormap(matplotlib.colormaps["viridis"](np.linspace(0.08, 1.0, max(len(shown), 2))))
    number = np.clip(np.searchsorted(shown, found.cleared).astype(np.float64), 0, len(shown) - 1)
    number[~np.isfinite(found.cleared)] = np.nan
    planes = geometry.planes(found.place)
    figure, axes = section_axes(geometry, planes)
    figure.suptitle(
        f"Where the last autoreactive B cells died, {organ_text(organ)}: {arm(run)}",
        x=0.01, ha="left", fontsize=12, fontweight="bold",
    )  # fmt: skip
    for ax, plane in zip(axes, planes, strict=True):
        ax.set_facecolor("#F1F2F5")
        image = draw_plane(ax, geometry, plane, number, colors, len(shown) - 0.5, -0.5)
        up, right = geometry.centers[plane.up], geometry.centers[plane.right]
        place = (right[found.place[plane.right]], up[found.place[plane.up]])
        ax.plot(*place, marker="o", markersize=11, markerfacecolor="none", markeredgecolor=MARK,
                markeredgewidth=2.0)  # fmt: skip
        ax.plot(*place, marker="x", markersize=5, color=MARK, markeredgewidth=1.6)
    image.set_norm(BoundaryNorm(np.arange(len(shown) + 1) - 0.5, len(shown)))
    bar = figure.colorbar(image, ax=axes, ticks=np.arange(len(shown)))
    first = "≤ " if len(finite) > len(shown) else ""
    bar.ax.set_yticklabels([f"{first if not index else ''}{day:g}" for index, day in enumerate(shown)])
    bar.set_label("no autoreactive cell from day (frame)")
    figure.text(0.01, 0.005, sentence(organ, found), fontsize=8.5, color=GREY, va="bottom")
    figure.get_layout_engine().set(rect=(0.0, 0.05, 1.0, 0.95))  # type: ignore[union-attr,call-arg]
    return figure
