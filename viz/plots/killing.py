"""Where CAR T cells did their work: the killing hazard summed over time, in three sections of an organ."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tissuesim.run import Run

from ..frames import written_frames
from ..render import arm, opened, target
from ..style import day_text, nice_ceiling, plot_style, save
from .box import Geometry, Plane, draw_plane
from .catalogue import organ_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FIELD = "killing_integral"
HEIGHT = 3.3  # inches of the tallest section
PERCENTILE = 99.5


def plot_killing(run: Run | Path | str, organ: str, out: Path | str | None = None) -> Path | None:
    """Draw the killing integral of the last frame of ``organ`` and return the picture.

    None where the run has no such field, or lies on the cells of a mesh. A value of k means that a cell which stood
    there all the time lived through with probability exp(-k).
    """
    run = opened(run)
    if FIELD not in run[organ] or "center" in run[organ]:
        return None
    path = target(run, out, f"{organ}_killing.png")
    with plot_style():
        save(killing_figure(run, organ), path)
    return path


def killing_figure(run: Run, organ: str) -> Figure:
    """Return the figure of `plot_killing`."""
    import matplotlib

    dataset = run[organ]
    geometry = Geometry(dataset)
    frame = int(written_frames(run, organ)[-1])
    day = float(dataset["time"][frame])
    box = np.asarray(dataset[FIELD][frame].values, dtype=np.float64)
    top = nice_ceiling(float(np.percentile(box[geometry.tissue], PERCENTILE)))
    figure, axes = section_axes(geometry, geometry.planes())
    figure.suptitle(
        f"Killing hazard summed to {day_text(day)}, {organ_text(organ)}: {arm(run)}",
        x=0.01, ha="left", fontsize=12, fontweight="bold",
    )  # fmt: skip
    for ax, plane in zip(axes, geometry.planes(), strict=True):
        image = draw_plane(ax, geometry, plane, box, matplotlib.colormaps["magma"], top)
    figure.colorbar(image, ax=axes, label="∫ hazard dt  (a cell survives with exp(-value))", extend="max")
    return figure


def section_axes(geometry: Geometry, planes: list[Plane]) -> tuple[Figure, list[Axes]]:
    """Return a figure with one axes per plane, as wide as the section is and all of one scale."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    sizes = [geometry.size(plane) for plane in planes]
    inch = HEIGHT / max(height for _, height in sizes)
    widths = [max(width * inch, 0.9) for width, _ in sizes]
    figure = Figure(figsize=(sum(widths) + 0.75 * len(planes) + 1.6, HEIGHT + 1.15), layout="constrained")
    FigureCanvasAgg(figure)
    return figure, list(figure.subplots(1, len(planes), width_ratios=widths))
