"""Time series and discreteness figures: the data as they are, marked treatments, whole labels."""

import json
from pathlib import Path

import numpy as np
import pytest
from matplotlib.text import Text

from tissuesim.errors import InputError
from tissuesim.run import ColumnDescription, FieldStore, Run, TotalsStore, create_run_directory, write_status
from tissuesim.viz import discreteness, timeseries
from tissuesim.viz.discreteness import plot_discreteness
from tissuesim.viz.timeseries import plot_timeseries
from tissuesim.viz.treatment import Treatment, treatments


@pytest.fixture
def figures(monkeypatch):
    """Figures that would have been saved."""
    kept = []
    for module in (timeseries, discreteness):
        monkeypatch.setattr(module, "save", lambda figure, *_, **__: kept.append(figure))
    return kept


def texts(figure):
    """Return the visible texts of a figure."""
    figure.canvas.draw()
    return [text for text in figure.findobj(Text) if text.get_text() and text.get_visible()]


def line(ax, label):
    """Return the line with that label."""
    return next(line for line in ax.get_lines() if line.get_label() == label)


def test_lines_are_the_totals(run_directory, figures, tmp_path):
    """Each line holds the column it names; zeros of a count leave the log axis instead of being moved up."""
    plot_timeseries(run_directory, tmp_path)
    totals = Run(run_directory).totals
    axes = figures[0].axes
    assert len(axes) == 8
    blood, cells = axes[0], axes[2]
    assert np.array_equal(line(blood, "B cells (CD19+)").get_ydata(), totals["b_per_ul"].values)
    drawn = line(cells, "autoreactive B cells").get_ydata()
    column = totals["kidney.autoreactive_b.sum"].values
    assert np.isnan(drawn[column == 0]).all() and np.array_equal(drawn[column > 0], column[column > 0])
    assert blood.get_yscale() == cells.get_yscale() == "log" and axes[4].get_yscale() == "linear"


def test_labels_are_inside_and_treatments_named(run_directory, figures, tmp_path):
    """No label is cut off; units, treatments, detection limit and extinction are written."""
    plot_timeseries(run_directory, tmp_path)
    figure = figures[0]
    found = texts(figure)
    for text in found:
        box = text.get_window_extent()
        inside = min(box.x0, box.y0) >= -1 and box.x1 <= figure.bbox.x1 + 1 and box.y1 <= figure.bbox.y1 + 1
        on_an_axis = text.axes is not None and not text.axes.get_window_extent().overlaps(box)
        assert inside or not on_an_axis, text.get_text()
    words = " ".join(text.get_text() for text in found)
    for word in (
        "cells per µL",
        "CAR T infusion",
        "lymphodepletion",
        "limit of detection",
        "extinct",
        "relapse",
    ):
        assert word in words, word


def test_untreated_run(untreated_directory, figures, tmp_path):
    """Without treatment nothing is marked, nothing is extinct, and days count from no infusion."""
    plot_timeseries(untreated_directory, tmp_path)
    words = " ".join(text.get_text() for text in texts(figures[0]))
    assert "infusion" not in words and "extinct" not in words and "autoreactive" in words


def test_a_run_of_other_columns_has_fewer_rows(tmp_path, figures):
    """Rows without columns are left out, and a short run has no second column of panels."""
    path = create_run_directory(tmp_path, "lumped", "", {"name": "lumped"})
    write_status(path, "running")
    FieldStore.create(path / "fields.zarr", {}, [], [0.0])
    store = TotalsStore.create(
        path / "totals.zarr", [ColumnDescription("b_per_ul", "B", "1/uL")], np.arange(20.0)
    )
    with pytest.raises(InputError, match="no time series"):
        plot_timeseries(path)
    store.write_rows(0, np.ones((15, 1)))
    plot_timeseries(path)
    assert len(figures[0].axes) == 1


def test_pictures_are_written_in_every_format(run_directory, tmp_path):
    """A file name decides the format; a folder gets course.png; the same run gives the same bytes."""
    for name in ("course.pdf", "course.svg"):
        assert plot_timeseries(run_directory, tmp_path / name).stat().st_size > 10_000
    first = Run(run_directory).plot(tmp_path).path.read_bytes()
    assert plot_timeseries(run_directory, tmp_path / "again.png").read_bytes() == first


def test_discreteness(run_directory, figures, tmp_path):
    """The integer line ends at the last cell, the continuous one goes on below one cell; both are named."""
    from tissuesim.viz.style import BLUE

    continuous = write_continuous(tmp_path)
    plot_discreteness(run_directory, continuous, tmp_path)
    ax = figures[0].axes[0]
    whole = line(ax, "whole cells (random events)")
    density = line(ax, "continuous (expected numbers)")
    assert np.nanmin(whole.get_ydata()) >= 1.0 and whole.get_color() == BLUE
    assert np.nanmin(density.get_ydata()) == pytest.approx(1e-9)
    assert ax.get_ylim()[0] < 1e-9 and ax.get_ylim()[0] >= discreteness.DEEPEST
    words = " ".join(text.get_text() for text in texts(figures[0]))
    for word in ("the last cell dies on day", "less than one cell", "CAR T infusion"):
        assert word in words, word


def write_continuous(root):
    """Write a run whose cells sink to 1e-9 and come back."""
    path = create_run_directory(root, "continuous", "", {"name": "continuous"})
    write_status(path, "finished")
    days = np.arange(-120.0, 731.0)
    columns = [ColumnDescription("autoreactive_total", "Autoreactive B", "cell")]
    store = TotalsStore.create(path / "totals.zarr", columns, days)
    low = 1e-9 * np.exp(np.maximum(days - 40.0, 0.0) * 0.05)
    store.write_rows(
        0, np.where(days < 0, 8e6, np.maximum(8e6 * np.exp(-np.maximum(days, 0.0)), low))[:, None]
    )
    return path


def test_treatments_of_every_kind_are_read():
    """Events and courses of every kind come in order of time, with their names."""

    class FakeRun:
        path = Path("nowhere")
        scenario = {  # noqa: RUF012
            "treatment": [
                {"type": "drug", "name": "mmf", "on": 10, "off": 56},
                {"type": "car_t", "day": 0.0},
                {"type": "lymphodepletion", "start": -5, "end": -2},
            ]
        }

    assert treatments(FakeRun()) == [
        Treatment("lymphodepletion", -5.0, -2.0, "lymphodepletion"),
        Treatment("CAR T infusion", 0.0, None, "infusion"),
        Treatment("mmf", 10.0, 56.0, "drug"),
    ]


def test_the_time_line_of_a_run_comes_first(tmp_path):
    """Where a run has written its time line that is what is drawn, in order; a damaged one is told in a sentence."""

    class FakeRun:
        path = tmp_path
        scenario = {"treatment": [{"type": "car_t", "day": 0.0}]}  # noqa: RUF012

    rows = [
        {"label": "rituximab", "kind": "antibody", "start": 14, "end": 14},
        {"label": "mycophenolate", "kind": "drug", "start": 0, "end": 90},
    ]
    (tmp_path / "timeline.json").write_text(json.dumps(rows))
    assert treatments(FakeRun()) == [
        Treatment("mycophenolate", 0.0, 90.0, "drug"),
        Treatment("rituximab", 14.0, None, "antibody"),
    ]
    (tmp_path / "timeline.json").write_text('[{"label": "rituximab"}]')
    with pytest.raises(InputError, match="is damaged"):
        treatments(FakeRun())
