"""Where a surface cannot be made a solid: its open and branching edges, seen along three axes."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

import numpy as np

from .style import GREY, VERMILION, plot_style

_PLANES = ((0, 1, "x", "y"), (0, 2, "x", "z"), (1, 2, "y", "z"))
_MOST_EDGES = 60_000  # of the grey mesh; more only blacken the page


class Broken(Protocol):
    """What is drawn: ``parts`` with ``points`` and ``triangles``, and the edges ``border`` (e, 2, 3), in mm."""

    parts: Any
    border: Any


def draw_open_edges(error: Broken, path: str | Path) -> Path:
    """Write a PNG of the surface in grey with its open and branching edges in orange, in mm; return its path."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.collections import LineCollection
    from matplotlib.figure import Figure

    path = Path(path)
    grey = [mesh.points[mesh.triangles[:, [0, 1, 2, 0]]] for mesh in error.parts]
    outline = np.concatenate(grey) if grey else np.zeros((0, 4, 3))
    outline = outline[:: max(1, len(outline) * 3 // _MOST_EDGES)]
    with plot_style():
        figure = Figure(figsize=(12, 4.6), dpi=100, layout="constrained")
        canvas: Any = FigureCanvasAgg(figure)
        for place, (a, b, across, up) in enumerate(_PLANES):
            axes = figure.add_subplot(1, 3, place + 1)
            axes.add_collection(
                LineCollection(list(outline[:, :, [a, b]]), colors=GREY, linewidths=0.2, alpha=0.5)
            )
            axes.add_collection(
                LineCollection(list(error.border[:, :, [a, b]]), colors=VERMILION, linewidths=2.0)
            )
            middle = error.border.mean(axis=1)
            axes.plot(middle[:, a], middle[:, b], ".", color=VERMILION, markersize=2.0)
            axes.set(xlabel=f"{across} (mm)", ylabel=f"{up} (mm)", aspect="equal")
            axes.autoscale_view()
        count = len(error.border)
        figure.suptitle(f"{count} open or branching edges (orange)", fontsize=11, x=0.01, ha="left")
        canvas.print_png(str(path))
    return path
