"""The difference that whole cells make: autoreactive B cells as integers and as a density, on a log axis."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tissuesim.errors import InputError
from tissuesim.run import Run

from .render import opened, target
from .style import BLUE, GREY, VERMILION, plot_style, save
from .treatment import day_label, mark_treatments, treatments

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLUMN = "autoreactive_total"
DEEPEST = 1e-12  # of the axis, in cells
FIRST_DAY = -30.0


def plot_discreteness(
    run_stochastic: Run | Path | str, run_continuous: Run | Path | str, out: Path | str | None = None
) -> Path:
    """Draw the autoreactive B cells of two runs that differ only in `stochastic` and return the picture.

    ``out`` is a file (png, svg, pdf) or a folder (default: ``pictures`` of the first run).
    InputError if a run has no totals of autoreactive B cells.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.ticker import LogLocator

    whole, density = opened(run_stochastic), opened(run_continuous)
    (whole_days, whole_cells), (density_days, density_cells) = _course(whole), _course(density)
    path = target(whole, out, "discreteness.png")
    with plot_style():
        figure = Figure(figsize=(7.6, 4.3), layout="constrained")
        FigureCanvasAgg(figure)
        ax = figure.subplots()
        ax.set_title("Autoreactive B cells, whole body")
        span = (max(FIRST_DAY, float(whole_days[0])), float(max(whole_days[-1], density_days[-1])))
        lowest = float(np.min(density_cells[density_cells > 0.0], initial=1.0))
        bottom = max(DEEPEST, 10.0 ** (np.floor(np.log10(lowest)) - 1)) if lowest < 0.1 else 0.01
        ax.set_yscale("log")
        ax.set_xlim(*span)
        ax.set_ylim(bottom, 30.0 * float(max(whole_cells.max(), density_cells.max())))
        ax.yaxis.set_major_locator(LogLocator(numticks=9))
        ax.minorticks_off()
        ax.axhspan(bottom, 1.0, color=GREY, alpha=0.13, linewidth=0)
        ax.annotate(
            "less than one cell", (1.0, 1.0), xycoords=("axes fraction", "data"), xytext=(-5, -5),
            textcoords="offset points", ha="right", va="top", color=GREY, fontsize=8,
        )  # fmt: skip
        positive = np.where(density_cells > 0.0, density_cells, np.nan)
        ax.plot(
            density_days, positive, color=VERMILION, linestyle="--", label="continuous (expected numbers)"
        )
        alive = whole_cells > 0.0
        ax.plot(
            whole_days, np.where(alive, whole_cells, np.nan), color=BLUE, label="whole cells (random events)"
        )
        if alive.any() and not alive[-1]:
            last = int(np.flatnonzero(alive)[-1])
            place = (float(whole_days[last]), float(whole_cells[last]))
            ax.plot(*place, marker="X", color=BLUE, markersize=8, zorder=4)
            ax.annotate(
                f"the last cell dies on day {whole_days[last + 1]:.0f}", place, xytext=(16, 22),
                textcoords="offset points", color=BLUE, fontsize=8.5,
                arrowprops={"arrowstyle": "-", "color": BLUE, "linewidth": 0.8},
            )  # fmt: skip
        if lowest < DEEPEST:
            _tell_depth(ax, density_days, density_cells)
        done = treatments(whole)
        mark_treatments(ax, done)
        ax.set_xlabel(day_label(done))
        ax.set_ylabel("cells")
        ax.legend(loc="upper left", bbox_to_anchor=(0.09, 1.0))  # between the fall and the return
        save(figure, path)
    return path


def _tell_depth(ax: Axes, days: NDArray[np.float64], cells: NDArray[np.float64]) -> None:
    """Say how far the continuous line goes on below the axis."""
    out = int(np.flatnonzero((cells > 0.0) & (cells < DEEPEST))[0])
    deepest = int(np.floor(np.log10(np.min(cells[cells > 0.0]))))
    ax.annotate(
        f"on to 10$^{{{deepest}}}$ cells", (float(days[out]), DEEPEST), xytext=(8, 6),
        textcoords="offset points", color=VERMILION, fontsize=8.5,
    )  # fmt: skip


def _course(run: Run) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    totals = run.totals
    if COLUMN not in totals or totals.sizes["time"] == 0:
        raise InputError(f"'{run.path}' has no time series of '{COLUMN}'.")
    return totals["time"].values, totals[COLUMN].values
