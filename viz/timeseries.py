"""The course of one run as a figure: blood, tissue and antibody, the first weeks beside the whole course."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from tissuesim.run import Run

from .plots.catalogue import ACTIVITY_LEVELS, BLOOD_RANGE, DETECTION
from .plots.courses import Courses
from .plots.panel import FIRST_WEEKS, Curve, Panel, draw
from .render import opened, target
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

ROW_HEIGHT, HEAD, WIDTH = 2.15, 0.9, 10.5  # inches
LOWEST_COUNT = 0.3


def plot_timeseries(run: Run | Path | str, out: Path | str | None = None) -> Path:
    """Draw the course of ``run`` and return the picture.

    ``out`` is a file (png, svg, pdf) or a folder (default: ``pictures`` of the run, ``course.png``).
    InputError if the run has written no totals yet.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    courses = Courses(opened(run))
    panels = [panel for panel in (row.of([courses]) for row in _rows(courses)) if panel.curves]
    path = target(courses.run, out, "course.png")
    early = (True, False) if _has_first_weeks(courses) else (False,)
    with plot_style():
        figure = Figure(figsize=(WIDTH, HEAD + ROW_HEIGHT * len(panels)), layout="constrained")
        FigureCanvasAgg(figure)
        figure.suptitle(courses.name, x=0.01, ha="left", fontsize=13, fontweight="bold")
        axes = figure.subplots(
            len(panels),
            len(early),
            squeeze=False,
            sharex="col",
            sharey="row",
            width_ratios=[1.0, 1.35][: len(early)],
        )
        for row, panel in zip(axes, panels, strict=True):
            for ax, first_weeks in zip(row, early, strict=True):
                handles = draw(ax, replace(panel, early=first_weeks), [courses], titled=ax is row[0])
                if ax is not row[0]:
                    ax.set_ylabel("")
                if panel is not panels[-1]:
                    ax.set_xlabel("")
            shown = handles if panel is panels[0] else handles[: len(panel.curves)]
            row[-1].legend(handles=shown, loc="center left", bbox_to_anchor=(1.01, 0.5))
        save(figure, path)
    return path


def _rows(courses: Courses) -> list[Panel]:
    """Return the rows of the figure."""
    tissue_b, tissue_car_t = (
        tuple(f"{organ}.{field}.sum" for organ in courses.run.organs for field in fields)
        for fields in (("autoreactive_b",), ("car_t_effector", "car_t_memory"))
    )
    low, high = BLOOD_RANGE
    return [
        Panel(
            "Blood", "cells per µL",
            (
                Curve(("car_t_per_ul",), "CAR T cells", CAR_T),
                Curve(("b_per_ul",), "B cells (CD19+)", B_CELLS),
            ),
            True, (DETECTION,), low=low, high=high,
        ),
        Panel(
            "Cells in the organs", "cells",
            (
                Curve(tissue_car_t, "CAR T cells", CAR_T),
                Curve(tissue_b, "autoreactive B cells", AUTOREACTIVE, extinction=True),
                Curve(("autoreactive_total",), "autoreactive B cells,\nwhole body", AUTOREACTIVE, ":",
                      extinction=True),
            ),
            True, low=LOWEST_COUNT,
        ),
        Panel(
            "Tissue", "relative",
            (
                Curve(("mean_inflammation",), "inflammation", INFLAMMATION),
                Curve(("mean_damage",), "damage", DAMAGE),
                Curve(("mean_fibrosis",), "fibrosis", FIBROSIS),
            ),
        ),
        Panel(
            "Antibody and disease activity", "relative to untreated",
            (
                Curve(("autoantibody",), "autoantibody", ANTIBODY),
                Curve(("vaccine_igg",), "vaccine IgG", GREY),
                Curve(("disease_activity",), "disease activity", ACTIVITY),
            ),
            False, ACTIVITY_LEVELS,
        ),
    ]  # fmt: skip


def _has_first_weeks(courses: Courses) -> bool:
    """Return whether the run is long enough around an infusion for a column of its own."""
    first, last = courses.span
    return first <= 0.0 < courses.days[-1] and last - first >= 1.5 * (FIRST_WEEKS[1] - FIRST_WEEKS[0])
