"""Figures of what was measured: the right columns, units and levels, legible, and maps that show what happened."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from matplotlib.text import Text

from tissuesim.readouts import CATALOGUE, RELAPSE, REMISSION
from tissuesim.run import Run
from tissuesim.viz.plots import last_cell
from tissuesim.viz.plots.box import Geometry, Plane, _edges
from tissuesim.viz.plots.catalogue import GROUPS, LIMIT_OF_DETECTION, organ_text, panels
from tissuesim.viz.plots.figures import courses_of, group_figure, plot_all, plot_group
from tissuesim.viz.plots.panel import Curve, Level, Panel, draw
from tissuesim.viz.style import plot_style


@pytest.fixture(scope="module")
def courses(run_directory, untreated_directory):
    """The treated and the untreated synthetic run."""
    return courses_of(run_directory, [untreated_directory])


def figure_of(group, runs):
    """Return the figure of a group, drawn."""
    with plot_style():
        figure = group_figure(group, panels(group, runs), runs)
        figure.canvas.draw()
    return figure


def axes_titled(figure, title):
    """Return the axes with that title."""
    return next(ax for ax in figure.axes if ax.get_title(loc="left") == title)


def words(ax):
    """Return all visible texts of an axes, joined."""
    return " ".join(text.get_text() for text in ax.findobj(Text) if text.get_visible())


def test_blood_is_logarithmic_with_its_limit_of_detection(courses):
    """Both panels of blood have a log axis in cells per microliter and the limit of detection drawn where it is."""
    figure = figure_of("blood", courses[:1])
    for title in ("Blood, first weeks", "Blood"):
        ax = axes_titled(figure, title)
        assert ax.get_yscale() == "log" and ax.get_ylabel() == "cells per µL"
        levels = [line for line in ax.get_lines() if set(line.get_ydata()) == {LIMIT_OF_DETECTION}]
        assert len(levels) == 1 and "limit of detection" in words(ax)
    assert axes_titled(figure, "Blood, first weeks").get_xlim() == (-10.0, 40.0)
    assert axes_titled(figure, "Blood").get_xlim() == (-120.0, 365.0)


def test_remission_and_relapse_are_drawn_where_they_are_defined(courses):
    """The panel of disease activity has lines at the two thresholds of the readouts, named, inside the axes."""
    ax = axes_titled(figure_of("clinical", courses[:1]), "Disease activity")
    heights = {line.get_ydata()[0] for line in ax.get_lines() if len(set(line.get_ydata())) == 1}
    assert {REMISSION, RELAPSE} <= heights
    assert "remission below" in words(ax) and "relapse above" in words(ax)
    assert ax.get_ylim()[0] <= REMISSION < RELAPSE <= ax.get_ylim()[1]


class Everything:
    """A run that has every column there could be."""

    name, treatments, span = "everything", (), (0.0, 10.0)
    days = np.linspace(0.0, 10.0, 50)

    def has(self, names):
        """Say yes."""
        return True

    def values(self, names):
        """Fall from ten to zero."""
        return 10.0 - self.days


def test_limits_come_from_the_catalogue_of_readouts():
    """Each panel of one readout with limits has a line at every one of them, in the unit of the readout."""
    from matplotlib.figure import Figure

    shown = [panel for panel in panels("clinical", [Everything()]) if len(panel.curves) == 1]
    names = {panel.curves[0].columns[0]: panel for panel in shown}
    limited = [name for name in names if name in CATALOGUE and CATALOGUE[name].limits]
    assert {"upcr", "eustar", "tis", "ck", "troponin"} <= set(limited)
    for name in limited:
        ax = Figure().subplots()
        draw(ax, names[name], [Everything()])
        heights = {line.get_ydata()[0] for line in ax.get_lines() if len(line.get_ydata()) == 2}
        assert set(CATALOGUE[name].limits.values()) <= heights, name
        assert all(key.replace("_", " ") in words(ax) for key in CATALOGUE[name].limits)
    assert names["upcr"].unit == "g/g" and names["egfr"].unit == "mL/min/1.73 m²"


def test_two_runs_share_colors_and_differ_in_line(courses):
    """In a comparison a color is a quantity and a dash is a run; both runs are in the legend by name."""
    ax = axes_titled(figure_of("blood", courses), "Blood")
    lines = [line for line in ax.get_lines() if line.get_label() == "B cells (CD19+)"]
    assert len(lines) == 2 and lines[0].get_color() == lines[1].get_color()
    assert [line.get_linestyle() for line in lines] == ["-", "--"]
    entries = [text.get_text() for text in ax.get_legend().get_texts()]
    assert "Kidney CAR T" in entries and "Kidney untreated" in entries


def test_two_runs_of_one_name_are_told_apart(run_directory, tmp_path):
    """Runs of the same config are called by their folders."""
    import shutil

    other = shutil.copytree(run_directory, tmp_path / "again")
    names = [one.name for one in courses_of(run_directory, [other])]
    assert len(set(names)) == 2 and names[1] == "again"


def ticks_beyond(ax):
    """Return the labels of ticks that lie beyond the ends of their axis and are not drawn."""
    for axis in (ax.xaxis, ax.yaxis):
        low, high = sorted(axis.get_view_interval())
        for tick in axis.get_major_ticks():
            if not low * (1 - 1e-9) - 1e-9 <= tick.get_loc() <= high * (1 + 1e-9) + 1e-9:
                yield tick.label1


@pytest.mark.parametrize("group", GROUPS)
def test_no_text_overlaps_another_or_leaves_the_figure(courses, group):
    """Titles, units, tick labels, names of levels and legends keep clear of one another, for one run and for two."""
    for runs in (courses[:1], courses):
        if not panels(group, runs):
            assert plot_group(runs[0].run, group) is None
            continue
        figure = figure_of(group, runs)
        seen, beyond = [], {text for ax in figure.axes for text in ticks_beyond(ax)}
        for text in figure.findobj(Text):
            if text in beyond or not (text.get_visible() and text.get_text().strip()):
                continue
            box = text.get_window_extent()
            assert box.x0 >= -1 and box.y0 >= -1, text.get_text()
            assert box.x1 <= figure.bbox.x1 + 1 and box.y1 <= figure.bbox.y1 + 1, text.get_text()
            seen.append((text.get_text(), box))
        for (first, a), (second, b) in combinations(seen, 2):
            wide = min(a.x1, b.x1) - max(a.x0, b.x0)
            high = min(a.y1, b.y1) - max(a.y0, b.y0)
            assert wide <= 1.5 or high <= 1.5, (first, second)


def test_the_name_of_a_level_keeps_off_the_curves():
    """The name stands at the end and side where the curves are farthest away."""
    from matplotlib.figure import Figure

    panel = Panel(
        "p", "u", (Curve(("x",), "x", "black"),), levels=(Level(1.0, "limit", above=True),), low=0.0
    )
    ax = Figure().subplots()
    draw(ax, panel, [Everything()])
    (name,) = [text for text in ax.texts if text.get_text() == "limit"]
    assert name.get_ha() == "left"


def test_a_zero_is_marked_as_extinction_once(courses):
    """The count that dies out has a cross at its last value above zero; one that lives has none."""
    figure = figure_of("organs", courses)
    ax = axes_titled(figure, "Autoreactive B cells, whole body")
    crosses = [line for line in ax.get_lines() if line.get_marker() == "X"]
    assert len(crosses) == 1
    values = courses[0].values(("autoreactive_total",))
    last = np.flatnonzero(values > 0.0)[-1]
    assert crosses[0].get_xdata()[0] == courses[0].days[last]


def test_every_figure_is_written(run_directory, tmp_path):
    """`plot_all` writes one file per group that has data and returns just those; a group without data is None."""
    paths = plot_all(run_directory, tmp_path)
    assert {path.stem for path in paths} >= {"blood", "antibodies", "clinical", "organs", "kidney_last_cell"}
    assert all(path.stat().st_size > 10_000 for path in paths)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(path.name for path in paths)
    again = plot_group(run_directory, "blood", tmp_path / "again.png")
    assert again.read_bytes() == (tmp_path / "blood.png").read_bytes()


def test_the_last_cells_are_where_the_run_has_them(run_directory):
    """Day of clearing and place of the last survivors agree with the counts of the frames, voxel by voxel."""
    run = Run(run_directory)
    found = last_cell.clearing(run, "kidney")
    counts = np.nan_to_num(run["kidney"]["autoreactive_b"].values)
    days = run["kidney"]["time"].values
    for place in np.argwhere(counts.sum(axis=0) > 0)[::97]:
        alive = np.flatnonzero(counts[(slice(None), *place)] > 0)
        expected = days[alive[-1] + 1] if alive[-1] + 1 < len(days) else np.inf
        assert found.cleared[tuple(place)] == expected
    last = np.flatnonzero(counts.sum(axis=(1, 2, 3)) > 0)[-1]
    assert found.last_day == days[last] and found.cells == counts[last].sum()
    assert counts[last][found.place] == counts[last].max() > 0
    text = last_cell.sentence("kidney", found)
    assert f"{found.cells:,}" in text and f"day {found.last_day:g}" in text and found.region in text


def test_nothing_is_told_of_cells_that_live(untreated_directory, tmp_path):
    """A run in which no cell dies out has no map of the last one."""
    assert last_cell.plot_last_cell(untreated_directory, "kidney", tmp_path) is None
    assert list(tmp_path.iterdir()) == []


def test_sections_lie_in_millimeters(run_directory):
    """A section is as large as the organ, and each voxel of it is drawn at its own place."""
    geometry = Geometry(Run(run_directory)["kidney"])
    plane = Plane(1, 5)
    left, right, bottom, top = geometry.extent(plane)
    assert right - left == geometry.tissue.shape[2] * geometry.spacing
    assert top - bottom == geometry.tissue.shape[0] * geometry.spacing
    assert left == geometry.centers[2][0] - geometry.spacing / 2
    assert np.array_equal(plane.cut(geometry.volume), geometry.volume[:, 5, :])


def test_an_outline_is_the_border_of_its_voxels():
    """The border of one voxel is its four edges; of two side by side six, without the one between."""
    inside = np.zeros((4, 4), dtype=bool)
    inside[1, 1] = True
    assert len(_edges(inside)) == 4
    inside[1, 2] = True
    assert len(_edges(inside)) == 6


def test_organs_are_written_as_people_say_them():
    """Sides stand before the organ."""
    assert organ_text("kidney_left") == "left kidney"
    assert organ_text("lungs") == "lungs" and organ_text("left") == "left"
