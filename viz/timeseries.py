"""The course of one run as a figure: blood, tissue and antibody, the first weeks beside the whole course."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tissuesim.errors import InputError
from tissuesim.readouts import RELAPSE, REMISSION
from tissuesim.run import Run

from .render import arm, opened, target
from .style import (
    ACTIVITY,
    ANTIBODY,
    AUTOREACTIVE,
    B_CELLS,
    CAR_T,
    DAMAGE,
    FIBROSIS,
    GREY,
    INFLAMMATION,
    plot_style,
    save,
)
from .treatment import day_label, mark_treatments, treatments

if TYPE_CHECKING:
    import xarray
    from matplotlib.axes import Axes
    from matplotlib.lines import Line2D

Series = NDArray[np.float64]
FIRST_WEEKS = (-10.0, 40.0)  # days of the left column
LIMIT_OF_DETECTION = 0.1  # cell/uL, of routine flow cytometry (assumed; below 0.03 with much blood)
BLOOD_RANGE = (0.01, 1000.0)  # cell/uL; what is below the axis was never measured in a patient


@dataclass(frozen=True)
class Curve:
    """One line: the columns whose sum it is, a name, a color and a line style."""

    columns: tuple[str, ...]
    name: str
    color: str
    style: str = "-"

    def is_in(self, totals: xarray.Dataset) -> bool:
        """Return whether the run has all columns of this curve."""
        return bool(self.columns) and all(name in totals for name in self.columns)


@dataclass(frozen=True)
class Panel:
    """One row of the figure."""

    title: str
    unit: str
    curves: tuple[Curve, ...]
    logarithmic: bool
    decorate: Callable[[Axes, bool], None] | None = None


def plot_timeseries(run: Run | Path | str, out: Path | str | None = None) -> Path:
    """Draw the course of ``run`` and return the picture.

    ``out`` is a file (png, svg, pdf) or a folder (default: ``pictures`` of the run, ``course.png``).
    InputError if the run has written no totals yet.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    run = opened(run)
    totals = run.totals
    if totals.sizes.get("time", 0) == 0:
        raise InputError(f"'{run.path}' has no time series yet.")
    done = treatments(run)
    panels = [panel for panel in _panels(run, totals) if panel.curves]
    days = totals["time"].values
    path = target(run, out, "course.png")
    with plot_style():
        figure = Figure(figsize=(10.5, 0.9 + 2.15 * len(panels)), layout="constrained")
        FigureCanvasAgg(figure)
        figure.suptitle(arm(run), x=0.01, ha="left", fontsize=13, fontweight="bold")
        spans = _spans(days)
        axes = figure.subplots(
            len(panels),
            len(spans),
            squeeze=False,
            sharex="col",
            sharey="row",
            width_ratios=[1.0, 1.35][: len(spans)],
        )
        for row, panel in zip(axes, panels, strict=True):
            for column, (ax, span) in enumerate(zip(row, spans, strict=True)):
                lines = _draw(ax, panel, totals, days, span)
                marks = mark_treatments(ax, done)
                if panel.decorate is not None:
                    panel.decorate(ax, column == len(row) - 1)
                if column == 0:
                    ax.set_title(panel.title)
                    ax.set_ylabel(panel.unit)
            handles = [*lines, *marks] if panel is panels[0] else lines
            row[-1].legend(handles=handles, loc="center left", bbox_to_anchor=(1.01, 0.5))
        for ax in axes[-1]:
            ax.set_xlabel(day_label(done))
        save(figure, path)
    return path


def _panels(run: Run, totals: xarray.Dataset) -> list[Panel]:
    """Return the rows of the figure with the curves this run has columns for."""
    tissue_b, tissue_car_t = (
        tuple(f"{organ}.{field}.sum" for organ in run.organs for field in fields)
        for fields in (("autoreactive_b",), ("car_t_effector", "car_t_memory"))
    )
    rows = [
        Panel(
            "Blood", "cells per µL",
            (
                Curve(("car_t_per_ul",), "CAR T cells", CAR_T),
                Curve(("b_per_ul",), "B cells (CD19+)", B_CELLS),
            ),
            True, _limit_of_detection,
        ),
        Panel(
            "Cells in the organs", "cells",
            (
                Curve(tissue_car_t, "CAR T cells", CAR_T),
                Curve(tissue_b, "autoreactive B cells", AUTOREACTIVE),
                Curve(("autoreactive_total",), "autoreactive B cells,\nwhole body", AUTOREACTIVE, ":"),
            ),
            True,
        ),
        Panel(
            "Tissue", "relative",
            (
                Curve(("mean_inflammation",), "inflammation", INFLAMMATION),
                Curve(("mean_damage",), "damage", DAMAGE),
                Curve(("mean_fibrosis",), "fibrosis", FIBROSIS),
            ),
            False,
        ),
        Panel(
            "Antibody and disease activity", "relative to untreated",
            (
                Curve(("autoantibody",), "autoantibody", ANTIBODY),
                Curve(("vaccine_igg",), "vaccine IgG", GREY),
                Curve(("disease_activity",), "disease activity", ACTIVITY),
            ),
            False, _remission_and_relapse,
        ),
    ]  # fmt: skip
    return [
        replace(panel, curves=tuple(curve for curve in panel.curves if curve.is_in(totals))) for panel in rows
    ]


def _spans(days: Series) -> list[tuple[float, float]]:
    """Return the first weeks and the whole course, or the whole course alone if that is all there is."""
    whole = (float(days[0]), float(max(days[-1], days[0] + 1.0)))
    around_infusion = days[0] <= 0.0 < days[-1]
    if not around_infusion or whole[1] - whole[0] < 1.5 * (FIRST_WEEKS[1] - FIRST_WEEKS[0]):
        return [whole]
    return [(max(FIRST_WEEKS[0], whole[0]), min(FIRST_WEEKS[1], whole[1])), whole]


def _draw(
    ax: Axes, panel: Panel, totals: xarray.Dataset, days: Series, span: tuple[float, float]
) -> list[Line2D]:
    lines: list[Line2D] = []
    highest = 0.0
    for curve in panel.curves:
        values = np.sum([totals[name].values for name in curve.columns], axis=0)
        highest = max(highest, float(np.nanmax(values)))
        if panel.logarithmic:
            _mark_extinction(ax, curve, days, values)
            values = np.where(values > 0.0, values, np.nan)
        lines += ax.plot(days, values, color=curve.color, linestyle=curve.style, label=curve.name)
    ax.set_xlim(*span)
    if panel.logarithmic:
        ax.set_yscale("log")
        ax.set_ylim(
            *(BLOOD_RANGE if panel.decorate is _limit_of_detection else (0.3, 3.0 * max(highest, 1.0)))
        )
        ax.minorticks_off()
    else:
        ax.set_ylim(0.0, 1.08 * highest if highest > 0.0 else 1.0)
    return lines


def _mark_extinction(ax: Axes, curve: Curve, days: Series, values: Series) -> None:
    """Mark where a count of cells reaches zero for good: a log axis cannot show it."""
    alive = np.flatnonzero(values > 0.0)
    if alive.size and alive[-1] + 1 < days.size and curve.name.startswith("autoreactive"):
        last = int(alive[-1])
        ax.plot([days[last]], [max(values[last], 1.0)], marker="X", color=curve.color, markersize=7, zorder=4)
        ax.annotate(
            "extinct", (float(days[last]), max(float(values[last]), 1.0)), xytext=(6, 3),
            textcoords="offset points", color=curve.color, fontsize=8,
        )  # fmt: skip


def _limit_of_detection(ax: Axes, last_column: bool) -> None:
    ax.axhline(LIMIT_OF_DETECTION, color=GREY, linestyle="--", linewidth=1.0)
    if not last_column:
        _name_level(ax, LIMIT_OF_DETECTION, "limit of detection (assumed)", above=True)


def _remission_and_relapse(ax: Axes, last_column: bool) -> None:
    for level, name in ((REMISSION, "remission below"), (RELAPSE, "relapse above")):
        ax.axhline(level, color=GREY, linestyle=":", linewidth=1.0)
        if last_column:
            _name_level(ax, level, name, above=level == RELAPSE)


def _name_level(ax: Axes, level: float, name: str, *, above: bool) -> None:
    """Write the name of a horizontal line at its right end, just above or below it."""
    ax.annotate(
        name, (1.0, level), xycoords=("axes fraction", "data"), xytext=(-4, 2 if above else -2),
        textcoords="offset points", ha="right", va="bottom" if above else "top", color=GREY, fontsize=7.5,
        bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.75, "pad": 0.8},
    )  # fmt: skip
