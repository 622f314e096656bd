"""A finished still: images of the scene with title, color bar, legend, scale bar and axes around them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .offscreen import Image
from .style import (
    DOT_COLORS,
    FAINT_INK,
    GROUND,
    INK,
    axis_label,
    color_table,
    count_text,
    day_text,
    nice_floor,
    plot_style,
    save,
    split_label,
    title_text,
    wrapped,
)
from .view import CUT_DEPTH

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from .frames import Frame, Pictures
    from .view import View

# All lengths in inches.
IMAGE_HEIGHT, BAR_COLUMN, SIDE, GAP = 6.4, 1.25, 0.3, 0.15
HEAD, SUBHEAD, LEGEND_ROW, FOOT = 0.62, 0.38, 0.24, 0.18
BAR_WIDTH, BAR_HEIGHT = 0.17, 3.6
ARROW = 0.36
DOTS_PER_INCH = 160


def compose(
    pictures: Pictures,
    images: Sequence[Image],
    view: View,
    arm: str,
    path: Path,
    captions: Sequence[str] = (),
) -> None:
    """Write the still ``path``: ``images`` of ``pictures`` side by side.

    With one image the day stands in the title; with more, each has a heading of ``captions`` and its day.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    several = len(images) > 1
    width = IMAGE_HEIGHT * view.width / view.height
    rows = len(pictures.frames[0].layers)
    foot = FOOT + LEGEND_ROW * rows
    head = HEAD + (SUBHEAD if several else 0.0)
    size = (2 * SIDE + len(images) * width + (len(images) - 1) * GAP + BAR_COLUMN, head + IMAGE_HEIGHT + foot)
    with plot_style(**{"text.color": INK}):
        figure = Figure(figsize=size, facecolor=GROUND)
        FigureCanvasAgg(figure)
        title = title_text(pictures.organ)
        if not several:
            title += f", {day_text(pictures.frames[0].day)}"
        top = size[1] - 0.36
        _text(figure, SIDE, top, title, size=14, weight="bold", va="center")
        _text(figure, size[0] - SIDE, top, arm, size=10, color=FAINT_INK, ha="right", va="center")
        note = f"dots: cells within {CUT_DEPTH:g} mm of the cut"
        _text(figure, size[0] - SIDE, top - 0.24, note, size=8, color=FAINT_INK, ha="right", va="center")
        for number, (image, frame) in enumerate(zip(images, pictures.frames, strict=True)):
            left = SIDE + number * (width + GAP)
            axes = _area(figure, left, foot, width, IMAGE_HEIGHT)
            axes.imshow(
                image, extent=(0.0, width, 0.0, IMAGE_HEIGHT), interpolation="antialiased", aspect="auto"
            )
            if several:
                caption = f"{captions[number]}, {day_text(frame.day)}" if captions else day_text(frame.day)
                _text(figure, left + 0.05, foot + IMAGE_HEIGHT + 0.16, caption, size=11, va="center")
            _legend(figure, frame, left, foot, explain=number == 0)
            if number == 0:
                _triad(axes, view)
                _scale_bar(axes, view, width)
        _color_bar(
            figure, pictures, size[0] - SIDE - BAR_COLUMN + 0.25, foot + (IMAGE_HEIGHT - BAR_HEIGHT) / 2
        )
        save(figure, path, dpi=DOTS_PER_INCH, facecolor=GROUND)


def _text(figure: Figure, x: float, y: float, text: str, **options: Any) -> None:
    width, height = figure.get_size_inches()
    figure.text(x / width, y / height, text, **options)


def _area(figure: Figure, left: float, bottom: float, width: float, height: float) -> Axes:
    """Return axes that cover the given area and measure it in inches."""
    whole_width, whole_height = figure.get_size_inches()
    box = (left / whole_width, bottom / whole_height, width / whole_width, height / whole_height)
    axes = figure.add_axes(box, xlim=(0.0, width), ylim=(0.0, height), facecolor="none")
    axes.axis("off")
    return axes


def _legend(figure: Figure, frame: Frame, left: float, foot: float, *, explain: bool) -> None:
    """Write one line per kind of cell: its dot, its number in the organ and, once, what a dot stands for."""
    for row, layer in enumerate(frame.layers):
        y = foot - LEGEND_ROW * (row + 0.6)
        _text(figure, left + 0.08, y, "●", size=10, color=DOT_COLORS[layer.key], va="center")
        text = f"{layer.name}: {count_text(layer.total)}"
        if explain:
            text += f"   (1 dot = {count_text(layer.per_dot)})"
        _text(figure, left + 0.26, y, text, size=9, va="center")


def _triad(axes: Axes, view: View) -> None:
    """Draw the axes of the model as arrows in the lower left corner."""
    corner = np.array([0.62, 0.42])
    for name, direction in zip("xyz", np.eye(3), strict=True):
        arrow = ARROW * np.array([direction @ view.screen_right, direction @ view.screen_up])
        length = float(np.hypot(*arrow))
        if length < 0.02:  # it points at the reader
            continue
        axes.annotate(
            "", xy=tuple(corner + arrow), xytext=tuple(corner),
            arrowprops={"arrowstyle": "-|>", "color": INK, "linewidth": 1.1, "mutation_scale": 8,
                        "shrinkA": 0, "shrinkB": 0},
        )  # fmt: skip
        tip = corner + arrow + 0.1 * arrow / length
        axes.text(tip[0], tip[1], name, size=8, ha="center", va="center")


def _scale_bar(axes: Axes, view: View, width: float) -> None:
    """Draw a bar of a round number of mm, a fifth of the picture or so, in the lower right corner."""
    mm_per_inch = 2.0 * view.half_height / IMAGE_HEIGHT
    length = nice_floor(0.22 * width * mm_per_inch)
    right, y = width - 0.15, 0.2
    left = right - length / mm_per_inch
    axes.plot([left, right], [y, y], color=INK, linewidth=2.5, solid_capstyle="butt")
    axes.text((left + right) / 2, y + 0.06, f"{length:g} mm", size=9, ha="center", va="bottom")


def _color_bar(figure: Figure, pictures: Pictures, left: float, bottom: float) -> None:
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import ListedColormap, Normalize

    axes = _area(figure, left, bottom, BAR_WIDTH, BAR_HEIGHT)
    axes.axis("on")
    colors = ListedColormap(color_table(pictures.kind) / 255.0)
    bar = figure.colorbar(
        ScalarMappable(Normalize(0.0, pictures.top), colors), cax=axes, extend="max", extendfrac=0.03
    )
    bar.outline.set_visible(False)
    axes.tick_params(colors=INK, labelsize=8, length=3)
    axes.grid(False)
    label = split_label(pictures.label)
    _text(
        figure, left - 0.1, bottom + BAR_HEIGHT + 0.32, wrapped(axis_label(label.name, pictures.unit), 16),
        size=9.5, va="bottom",
    )  # fmt: skip
    if label.note:
        _text(figure, left - 0.1, bottom - 0.15, wrapped(label.note, 18), size=7.5, color=FAINT_INK, va="top")
