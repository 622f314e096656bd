"""How time scales, drawn from a report: with voxels, with threads, with whole or expected cells, and beside others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tissuesim.bench.table import DISTURBED, headline

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Rows = Sequence[Mapping[str, Any]]


def plot_scaling(report: Mapping[str, Any], folder: Path) -> list[Path]:
    """Draw what the report has lines for into ``folder``; returns the pictures."""
    drawn = []
    caption = headline(report["machine"])
    for name, draw in (
        ("scaling_voxels", _voxels),
        ("scaling_threads", _threads),
        ("scaling_peers", _peers),
        ("signals_error", _signals),
    ):
        rows = _lines(report, name)
        if rows:
            drawn.append(_picture(folder / f"{name}.png", draw, rows, caption))
    return drawn


def _style() -> Any:
    """The look of all pictures."""
    return import_module("tissuesim.viz.style")


def _lines(report: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    section = {"scaling_voxels": "model", "scaling_threads": "threads", "scaling_peers": "peers"}
    wanted = section.get(name, "signals at r = 10")
    rows = [row for row in report["rows"] if row["section"] == wanted and "seconds" in row]
    return [row for row in rows if wanted != "model" or row["name"].startswith("whole step")]


def _picture(path: Path, draw: Any, rows: Rows, caption: str) -> Path:
    from matplotlib.figure import Figure

    style = _style()
    with style.plot_style():
        figure = Figure(figsize=(5.2, 3.4), layout="constrained")
        axes = figure.add_subplot()
        draw(axes, rows)
        figure.supxlabel(caption, fontsize=7, color=style.GREY, x=0.99, ha="right")
        style.save(figure, path, dpi=130)
    return path


def _voxels(axes: Axes, rows: Rows) -> None:
    """Hollow points were measured while other programs were at work."""
    style = _style()
    for kind, color in (("stochastic", style.VERMILION), ("deterministic", style.BLUE)):
        chosen = sorted((row for row in rows if row["name"].endswith(kind)), key=lambda row: row["voxels"])
        label = {"stochastic": "whole cells, random events", "deterministic": "expected amounts"}[kind]
        points = [(row["voxels"], row["seconds"] * 1e3) for row in chosen]
        axes.plot(*zip(*points, strict=True), "o-", color=color, label=label, markersize=4)
        hollow = [
            point for point, row in zip(points, chosen, strict=True) if row.get("others", 0.0) > DISTURBED
        ]
        if hollow:
            axes.plot(*zip(*hollow, strict=True), "o", color=color, mfc="white", markersize=4)
    axes.set(xscale="log", yscale="log", xlabel="voxels", ylabel="time per step [ms]")
    if any(row.get("others", 0.0) > DISTURBED for row in rows):
        axes.plot(
            [], [], "o", color=style.GREY, mfc="white", markersize=4, label="with other programs at work"
        )
    axes.set_title("A whole step of the shipped model")
    axes.legend()


def _threads(axes: Axes, rows: Rows) -> None:
    style = _style()
    chosen = sorted((int(row["note"]), row["updates_per_second"] / 1e9) for row in rows)
    threads, rates = zip(*chosen, strict=True)
    axes.plot(threads, rates, "o-", color=style.BLUE, label="explicit step", markersize=4)
    axes.plot(
        threads, [rates[0] * count for count in threads], "--", color=style.GREY, label="ideal", linewidth=1
    )
    axes.set(xlabel="threads", ylabel="voxel-field updates per second [10⁹]", ylim=(0, None), xticks=threads)
    axes.set_title(f"Explicit step, {rows[0]['place']}, {rows[0]['fields']} fields")
    axes.legend()


def _peers(axes: Axes, rows: Rows) -> None:
    """One bar per program, at the largest box that was measured."""
    style = _style()
    largest = max(row["voxels"] for row in rows)
    chosen = [row for row in rows if row["voxels"] == largest]
    case = (chosen[0]["place"], chosen[0]["fields"], chosen[0]["precision"])
    chosen = [row for row in chosen if (row["place"], row["fields"], row["precision"]) == case]
    bars = sorted(((row["seconds"] / row["updates"] * 1e9, row["name"]) for row in chosen), reverse=True)
    times, names = zip(*bars, strict=True)
    drawn = axes.barh(
        names, times, color=[style.BLUE if name == "tissuesim" else style.GREY for name in names]
    )
    axes.bar_label(drawn, labels=[f" {value:.2g}" for value in times], fontsize=8)
    axes.set(xlabel="time per voxel and field [ns]", xlim=(0, 1.1 * max(times)))
    axes.set_title(f"One explicit step, {case[0]}, {case[1]} fields, {case[2]}")
    axes.grid(visible=False, axis="y")


def _signals(axes: Axes, rows: Rows) -> None:
    style = _style()
    for name, label, color in (
        ("Chebyshev", "Chebyshev sweeps", style.BLUE),
        ("line by line", "line by line", style.ORANGE),
    ):
        chosen = [
            (row["seconds"] * 1e3, max(row["error"], 1e-7)) for row in rows if row["name"].startswith(name)
        ]
        axes.plot(*zip(*chosen, strict=True), "o-", color=color, label=label, markersize=4)
    axes.axhline(0.01, color="#444B57", linewidth=0.8, linestyle=":")
    axes.annotate("1 %", (0.01, 0.01), xycoords=("axes fraction", "data"), va="bottom", fontsize=8)
    axes.set(xscale="log", yscale="log", xlabel="time per step [ms]", ylabel="largest error at the balance")
    axes.set_title("Signals at r = D dt / h² = 10, more sub-steps to the right")
    axes.legend(loc="center left")
