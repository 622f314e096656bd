"""One panel of a figure: curves of one or several runs, the levels they are read against, and what was done when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from ..style import GREY
from ..treatment import day_label, mark_treatments
from .courses import Courses, Series

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

LineStyle = Literal["-", "--", ":", "-."]
RUN_STYLES: tuple[LineStyle, ...] = ("-", "--", ":", "-.")  # the runs of a comparison, in this order
FIRST_WEEKS = (-10.0, 40.0)  # days of an early panel
ROOM_ABOVE = 1.1  # a linear axis ends this far above what is drawn
LOWEST_COUNT = 0.5  # of a logarithmic axis of whole cells
NAME_WIDTH = 0.5  # of the axes, that the name of a level may take
ENOUGH_ROOM = 0.07  # of the height of the axes, between a name and a curve


@dataclass(frozen=True)
class Curve:
    """One line: the columns whose sum it is, a name, a color and, for one run alone, a line style.

    ``scale`` multiplies the values: from the stored unit to that of the panel. ``extinction`` marks where a count
    reaches zero for good, which a log axis cannot show.
    """

    columns: tuple[str, ...]
    name: str
    color: str
    style: LineStyle = "-"
    scale: float = 1.0
    extinction: bool = False

    def is_in(self, courses: Courses) -> bool:
        """Return whether the run has all columns of this curve."""
        return courses.has(self.columns)

    def values(self, courses: Courses) -> Series:
        """Return the line in the unit of the panel, one number per row of ``courses.days``."""
        return self.scale * courses.values(self.columns)


@dataclass(frozen=True)
class Level:
    """A horizontal line that a curve is read against: a limit of detection, a remission threshold."""

    value: float
    name: str
    above: bool = False  # where the name stands


@dataclass(frozen=True)
class Panel:
    """A title, a unit, curves and levels; ``early`` shows the first weeks only.

    ``low`` and ``high`` fix the ends of the value axis where they are given.
    """

    title: str
    unit: str
    curves: tuple[Curve, ...]
    logarithmic: bool = False
    levels: tuple[Level, ...] = ()
    early: bool = False
    low: float | None = None
    high: float | None = None
    note: str = ""

    def of(self, runs: Sequence[Courses]) -> Panel:
        """Return the panel with the curves that at least one of ``runs`` has."""
        return replace(
            self,
            curves=tuple(curve for curve in self.curves if any(curve.is_in(courses) for courses in runs)),
        )

    def span(self, runs: Sequence[Courses]) -> tuple[float, float]:
        """Return the first and last day shown."""
        first = min(courses.span[0] for courses in runs)
        last = max(courses.span[1] for courses in runs)
        if not self.early:
            return first, last
        return max(FIRST_WEEKS[0], first), min(FIRST_WEEKS[1], last)


def draw(ax: Axes, panel: Panel, runs: Sequence[Courses], *, titled: bool = True) -> list[Artist]:
    """Draw ``panel`` for ``runs`` on ``ax`` and return the handles of a legend.

    The curves come first, then the treatments of the first run, then the runs where there are several.
    """
    span = panel.span(runs)
    handles: list[Artist] = []
    drawn: list[Series] = []
    for curve in panel.curves:
        for number, courses in enumerate(runs):
            if not curve.is_in(courses):
                continue
            values = curve.values(courses)
            style = curve.style if len(runs) == 1 else RUN_STYLES[number % len(RUN_STYLES)]
            if panel.logarithmic and curve.extinction:
                mark_extinction(ax, curve, courses.days, values, span)
            shown = np.where(values > 0.0, values, np.nan) if panel.logarithmic else values
            (line,) = ax.plot(courses.days, shown, color=curve.color, linestyle=style, label=curve.name)
            if not any(handle.get_label() == curve.name for handle in handles):
                handles.append(line)
            inside = (courses.days >= span[0]) & (courses.days <= span[1]) & np.isfinite(shown)
            drawn.append(shown[inside])
    handles += mark_treatments(ax, runs[0].treatments, span)
    handles += _run_handles(runs) if len(runs) > 1 else []
    ax.set_xlim(*span)
    _value_axis(ax, panel, np.concatenate(drawn) if drawn else np.zeros(0))
    for level in panel.levels:
        draw_level(ax, level)
    if titled:
        ax.set_title(panel.title)
    ax.set_ylabel(panel.unit)
    ax.set_xlabel(day_label(runs[0].treatments))
    return handles


def _run_handles(runs: Sequence[Courses]) -> list[Artist]:
    from matplotlib.lines import Line2D

    return [
        Line2D([], [], color=GREY, ls=RUN_STYLES[number % len(RUN_STYLES)], label=courses.name)
        for number, courses in enumerate(runs)
    ]


def _value_axis(ax: Axes, panel: Panel, drawn: Series) -> None:
    """Set scale and ends of the value axis: round enough to read, and every level inside."""
    levels = [level.value for level in panel.levels]
    highest = float(max([*drawn.tolist(), *levels], default=1.0))
    if panel.logarithmic:
        positive = [value for value in (*drawn.tolist(), *levels) if value > 0.0]
        low = panel.low if panel.low is not None else 0.5 * min(positive, default=0.1)
        high = panel.high if panel.high is not None else 3.0 * max(positive, default=1.0)
        ax.set_yscale("log")
        ax.set_ylim(low, max(high, 10.0 * low))
        ax.minorticks_off()
        return
    low = panel.low if panel.low is not None else min(0.0, ROOM_ABOVE * float(min(drawn, default=0.0)))
    high = panel.high if panel.high is not None else (ROOM_ABOVE * highest if highest > low else low + 1.0)
    ax.set_ylim(low, high)


def mark_extinction(ax: Axes, curve: Curve, days: Series, values: Series, span: tuple[float, float]) -> None:
    """Mark where a count of cells reaches zero for good: a log axis cannot show it."""
    alive = np.flatnonzero(values > 0.0)
    if not alive.size or alive[-1] + 1 >= days.size:
        return
    last = int(alive[-1])
    place = (float(days[last]), max(float(values[last]), 1.0))
    if not span[0] <= place[0] <= span[1]:
        return
    ax.plot(*place, marker="X", color=curve.color, markersize=7, zorder=4)
    ax.annotate("extinct", place, xytext=(6, 3), textcoords="offset points", color=curve.color, fontsize=8)


def draw_level(ax: Axes, level: Level) -> None:
    """Draw a level across ``ax`` and write its name where the curves leave most room: at an end, above or below."""
    ax.axhline(level.value, color=GREY, linestyle=(0, (4, 2)), linewidth=1.0, zorder=1.5)
    places = [(at_left, above) for above in (level.above, not level.above) for at_left in (False, True)]
    at_left, above = max(places, key=lambda place: min(_room(ax, level, *place), ENOUGH_ROOM))
    ax.annotate(
        level.name, (0.0 if at_left else 1.0, level.value), xycoords=("axes fraction", "data"),
        xytext=(4 if at_left else -4, 2 if above else -2), textcoords="offset points",
        ha="left" if at_left else "right", va="bottom" if above else "top", color=GREY, fontsize=7.5,
        bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.75, "pad": 0.8},
    )  # fmt: skip


def _room(ax: Axes, level: Level, at_left: bool, above: bool) -> float:
    """Return how far the curves keep from where the name would stand, in heights of ``ax``."""
    to_axes = ax.transData + ax.transAxes.inverted()
    middle = to_axes.transform((ax.get_xlim()[0], level.value))[1] + (0.04 if above else -0.04)
    first, last = (0.0, NAME_WIDTH) if at_left else (1.0 - NAME_WIDTH, 1.0)
    distances = [abs(middle), abs(1.0 - middle)]
    for line in ax.get_lines():
        days, values = (np.asarray(line.get_xdata(), float), np.asarray(line.get_ydata(), float))
        known = np.isfinite(values)
        if len(days) <= 2 or not known.any():
            continue
        x, y = to_axes.transform(np.column_stack([days[known], np.maximum(values[known], 1e-12)])).T
        distances += np.abs(y[(x >= first) & (x <= last)] - middle).tolist()
    return float(min(distances))
