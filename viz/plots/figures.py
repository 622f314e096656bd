"""Panels into picture files: one figure per group, for one run or several on the same axes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tissuesim.errors import InputError, nearest
from tissuesim.run import Run

from ..picture import Picture
from ..render import opened, target
from ..style import plot_style, save
from .catalogue import GROUPS, group_title, panels
from .courses import Courses
from .panel import Panel, draw

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PANEL_SIZE = (5.4, 2.75)  # inches
HEAD = 0.45
FORMATS = (".png", ".svg", ".pdf")


def courses_of(run: Run | Path | str, against: Sequence[Run | Path | str] = ()) -> list[Courses]:
    """Return the courses of ``run`` and of the runs it is held against; runs of one name get their folder's."""
    runs = [opened(one) for one in (run, *against)]
    courses = [Courses(one) for one in runs]
    names = [one.name for one in courses]
    for one in courses:
        if names.count(one.name) > 1:
            one.name = one.run.path.resolve().name
    return courses


def plot_group(
    run: Run | Path | str,
    group: str,
    out: Path | str | None = None,
    against: Sequence[Run | Path | str] = (),
) -> Path | None:
    """Draw the panels of ``group`` and return the picture, or None if the run has nothing to draw there.

    ``out`` is a file (png, svg, pdf) or a folder (default: ``pictures`` of the run, ``GROUP.png``). InputError
    if a run has written no totals yet.
    """
    runs = courses_of(run, against)
    chosen = panels(group, runs)
    if not chosen:
        return None
    path = target(runs[0].run, out, f"{group}.png")
    with plot_style():
        figure = group_figure(group, chosen, runs)
        save(figure, path)
    return path


def group_figure(group: str, chosen: Sequence[Panel], runs: Sequence[Courses]) -> Figure:
    """Return a figure with ``chosen`` two in a row, each with its legend at its right."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    columns = min(2, len(chosen))
    rows = int(np.ceil(len(chosen) / columns))
    figure = Figure(figsize=(columns * PANEL_SIZE[0], HEAD + rows * PANEL_SIZE[1]), layout="constrained")
    FigureCanvasAgg(figure)
    arms = " against ".join(courses.name for courses in runs)
    figure.suptitle(f"{group_title(group)}: {arms}", x=0.01, ha="left", fontsize=13, fontweight="bold")
    axes = figure.subplots(rows, columns, squeeze=False).ravel()
    for ax, panel in zip(axes, chosen, strict=False):
        handles = draw(ax, panel, runs)
        ax.legend(handles=handles, loc="upper left", bbox_to_anchor=(1.0, 1.02), borderaxespad=0.3)
    for ax in axes[len(chosen) :]:
        ax.set_visible(False)
    return figure


def plot(run: Run | Path | str, what: str = "course", out: Path | str | None = None) -> Picture:
    """Draw the course of ``run``, or one group of panels, as a picture that shows itself in a notebook.

    InputError for an unknown group, or for one that the run has no data for.
    """
    if what == "course":
        from ..timeseries import plot_timeseries

        return Picture(plot_timeseries(run, out))
    if what not in GROUPS:
        known = ("course", *GROUPS)
        raise InputError(f"what: '{what}' is not one of {', '.join(known)}{nearest(what, known)}")
    path = plot_group(run, what, out)
    if path is None:
        raise InputError(f"what: '{what}' has nothing to draw in '{opened(run).path}'")
    return Picture(path)


def plot_all(
    run: Run | Path | str, out: Path | str | None = None, against: Sequence[Run | Path | str] = ()
) -> list[Path]:
    """Draw every figure the run has data for into the folder ``out`` (default: ``pictures``); return the files."""
    from .killing import plot_killing
    from .last_cell import plot_last_cell
    from .relapse import plot_relapse

    drawn = [plot_group(run, group, out, against) for group in GROUPS]
    organs = opened(run).organs
    maps = [
        plot(run, organ, out) for organ in organs for plot in (plot_killing, plot_last_cell, plot_relapse)
    ]
    return [path for path in (*drawn, *maps) if path is not None]
