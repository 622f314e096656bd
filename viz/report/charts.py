"""Panels as charts of a page: an SVG with text as text, and the numbers behind it for reading values off."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..plots.catalogue import GROUPS, group_title, panels
from ..plots.courses import Courses
from ..plots.panel import FIRST_WEEKS, Panel, draw
from ..style import day_text, plot_style

if TYPE_CHECKING:
    from matplotlib.artist import Artist

SIZE = (4.7, 2.55)  # inches; at the width of a phone its text is still as large as the page's
POINTS_PER_INCH = 72.0
ROWS = 420  # days in a chart whose values can be read; the line itself has every row
DIGITS = 4


@dataclass(frozen=True)
class Chart:
    """One chart of the page: heading, SVG, entries of its legend, and what it says without being seen."""

    number: int
    title: str
    unit: str
    svg: str
    legend: tuple[dict[str, str], ...]
    description: str


@dataclass(frozen=True)
class Section:
    """Charts under one heading."""

    title: str
    charts: tuple[Chart, ...]


def sections(runs: Sequence[Courses]) -> tuple[list[Section], dict[str, Any]]:
    """Return the charts of ``runs`` and the data behind them: ``days`` per run and ``charts`` in order."""
    rows = [reading_rows(courses.days) for courses in runs]
    behind: list[dict[str, Any]] = []
    found = []
    for group in GROUPS:
        charts = []
        for panel in panels(group, runs):
            svg, area, handles = _svg(panel, runs)
            behind.append({**area, **_data(panel, runs, rows)})
            charts.append(
                Chart(
                    number=len(behind) - 1,
                    title=panel.title,
                    unit=panel.unit,
                    svg=svg,
                    legend=tuple(_entry(handle) for handle in handles),
                    description=describe(panel, runs),
                )
            )
        if charts:
            found.append(Section(group_title(group), tuple(charts)))
    days = [np.round(courses.days[row], 3).tolist() for courses, row in zip(runs, rows, strict=True)]
    return found, {"days": days, "charts": behind}


def reading_rows(days: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the rows whose values a page carries: half of them in the first weeks, where most happens."""
    inside = np.flatnonzero((days >= FIRST_WEEKS[0]) & (days <= FIRST_WEEKS[1]))
    everything = np.arange(days.size)
    thinned = [
        chosen[np.unique(np.linspace(0, chosen.size - 1, ROWS // 2).astype(np.int64))]
        for chosen in (inside, everything)
        if chosen.size
    ]
    return np.unique(np.concatenate(thinned))


def _svg(panel: Panel, runs: Sequence[Courses]) -> tuple[str, dict[str, Any], list[Artist]]:
    """Return the chart as SVG, the area of its axes in the units of its view box, and the legend's handles."""
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    settings = {"svg.fonttype": "none", "svg.hashsalt": f"tissuesim {panel.title}"}
    with plot_style(**settings):
        figure = Figure(figsize=SIZE, layout="constrained")
        FigureCanvasSVG(figure)
        ax = figure.subplots()
        handles = draw(ax, panel, runs, titled=False)
        text = io.StringIO()
        figure.savefig(text, format="svg", metadata={"Creator": "tissuesim", "Date": None}, transparent=True)
        box = ax.get_position()
    width, height = SIZE[0] * POINTS_PER_INCH, SIZE[1] * POINTS_PER_INCH
    area = {
        "width": width,
        "height": height,
        "left": round(box.x0 * width, 2),
        "right": round(box.x1 * width, 2),
        "top": round((1.0 - box.y1) * height, 2),
        "bottom": round((1.0 - box.y0) * height, 2),
        "days": list(panel.span(runs)),
    }
    return inline(text.getvalue(), panel.title), area, handles


def inline(svg: str, title: str) -> str:
    """Return ``svg`` as it stands in a page: no prologue, no size of its own, no names that clash with others."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.S)
    svg = re.sub(r'(<svg\b[^>]*?) width="[^"]*"', r"\1", svg, count=1)
    svg = re.sub(r'(<svg\b[^>]*?) height="[^"]*"', r"\1", svg, count=1)
    svg = svg.replace("<svg ", '<svg aria-hidden="true" focusable="false" ', 1)
    prefix = re.sub(r"\W+", "-", title).strip("-").lower()
    svg = re.sub(r'\bid="([^"]+)"', rf'id="{prefix}-\1"', svg)
    svg = re.sub(r'(xlink:href|href)="#([^"]+)"', rf'\1="#{prefix}-\2"', svg)
    return re.sub(r"url\(#([^)]+)\)", rf"url(#{prefix}-\1)", svg)


def _data(panel: Panel, runs: Sequence[Courses], rows: Sequence[NDArray[np.int64]]) -> dict[str, Any]:
    """Return the values of every curve on the days that can be read."""
    curves = []
    for number, (courses, row) in enumerate(zip(runs, rows, strict=True)):
        for curve in panel.curves:
            if curve.is_in(courses):
                name = curve.name.replace("\n", " ")
                curves.append(
                    {
                        "name": name if len(runs) == 1 else f"{name}, {courses.name}",
                        "color": curve.color,
                        "run": number,
                        "values": [_short(value) for value in curve.values(courses)[row]],
                    }
                )
    return {"curves": curves}


def _short(value: float) -> float | None:
    return float(f"{value:.{DIGITS}g}") if np.isfinite(value) else None


def _entry(handle: Artist) -> dict[str, str]:
    """Return one entry of a legend: its name, its color, and whether it is a line, a dash or an area."""
    from matplotlib.colors import to_hex
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    name = str(handle.get_label()).replace("\n", " ")
    if isinstance(handle, Line2D):
        kind = {"-": "line", "--": "dashed", ":": "dotted"}.get(str(handle.get_linestyle()), "dashed")
        return {"name": name, "color": to_hex(handle.get_color()), "kind": kind}
    color = to_hex(handle.get_facecolor()) if isinstance(handle, Patch) else "#6B7280"
    return {"name": name, "color": color, "kind": "area"}


def describe(panel: Panel, runs: Sequence[Courses]) -> str:
    """Return the chart in words: what it shows, and each curve's first, highest and last value."""
    first, last = panel.span(runs)
    words = [f"{panel.title}, {panel.unit}, {day_text(first)} to {day_text(last)}."]
    for courses in runs:
        inside = (courses.days >= first) & (courses.days <= last)
        for curve in panel.curves:
            if not curve.is_in(courses) or not inside.any():
                continue
            values, days = curve.values(courses)[inside], courses.days[inside]
            if not np.isfinite(values).any():
                continue
            top = int(np.nanargmax(values))
            who = curve.name.replace("\n", " ") + (f" of {courses.name}" if len(runs) > 1 else "")
            words.append(
                f"{who}: {values[0]:.3g} at first, {values[top]:.3g} at most on {day_text(round(days[top], 1))}, "
                f"{values[-1]:.3g} at the end."
            )
    words += [f"Level {level.value:g}: {level.name}." for level in panel.levels]
    return " ".join(words)
