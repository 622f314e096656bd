"""A finished still: panels with title, color bar, legends, scale bars and axes around them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

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
    nice_floor,
    plot_style,
    save,
    split_label,
    wrapped,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from .frames import Layer, Pictures
    from .view import View

# All lengths in inches.
IMAGE_HEIGHT, SMALL_HEIGHT, WIDEST, BAR_COLUMN, SIDE, GAP = 6.4, 4.5, 17.0, 1.25, 0.3, 0.15
HEAD, SUBHEAD, LEGEND_ROW, FOOT = 0.95, 0.38, 0.24, 0.18
BAR_WIDTH, BAR_HEIGHT = 0.17, 3.6
ARROW = 0.36
DOTS_PER_INCH = 160
DOT_NAMES = {"autoreactive": "B", "car_t": "CAR T"}  # short, as in "1 dot = 500 B or 10,000 CAR T cells"


@dataclass(frozen=True)
class Label:
    """A text over a picture at (x, y), shares of its width and height from the lower left corner."""

    x: float
    y: float
    text: str
    align: str = "center"
    line_to: tuple[float, float] | None = None  # what the label points at

    def parts(self) -> tuple[str, str]:
        """Return the first line, the name, and the rest."""
        name, _, facts = self.text.partition("\n")
        return name, facts


@dataclass(frozen=True)
class Panel:
    """One picture of a sheet: an image in a view, or what ``paint`` draws on axes measured in inches."""

    view: View
    caption: str = ""
    layers: tuple[Layer, ...] = ()
    image: Image | None = None
    paint: Callable[[Axes], None] | None = None
    labels: tuple[Label, ...] = ()
    scale_bar: bool = True
    bar_below: bool = False  # where the picture has no room for the scale bar
    triad: bool = True

    @property
    def aspect(self) -> float:
        """Width over height."""
        return self.view.width / self.view.height


@dataclass(frozen=True)
class Place:
    """Where a panel lies, in inches from the lower left corner of the sheet; below it is room for its legend."""

    panel: Panel
    left: float
    bottom: float
    height: float
    own_scale: bool = False  # else the scale bar of the first panel holds for it too

    @property
    def width(self) -> float:
        """Width of the picture."""
        return self.height * self.panel.aspect


@dataclass(frozen=True)
class Sheet:
    """A still: places of panels, what they are of, and the field whose colors they share (``pictures``)."""

    places: tuple[Place, ...]
    size: tuple[float, float]
    title: str
    arm: str
    note: str
    pictures: Pictures
    row_titles: tuple[tuple[float, str], ...] = ()  # (height on the sheet, text)


def side_by_side(
    rows: Sequence[Sequence[Panel]],
    title: str,
    arm: str,
    note: str,
    pictures: Pictures,
    row_titles: Sequence[str] = (),
) -> Sheet:
    """Return a sheet of panels in rows, all pictures of one height."""
    widest_row = max(sum(panel.aspect for panel in row) for row in rows)
    height = min(IMAGE_HEIGHT if len(rows) == 1 else SMALL_HEIGHT, WIDEST / widest_row)
    kinds = max(len(panel.layers) for row in rows for panel in row)
    captions = any(panel.caption for row in rows for panel in row)
    foot = FOOT + LEGEND_ROW * kinds
    step = height + foot + (SUBHEAD if captions else 0.0) + (SUBHEAD if row_titles else 0.0)
    places, titles, widest = [], [], 0.0
    for number, row in enumerate(rows):
        left, bottom = SIDE, foot + step * (len(rows) - 1 - number)
        for panel in row:
            places.append(Place(panel, left, bottom, height))
            left += height * panel.aspect + GAP
        widest = max(widest, left - GAP)
        if row_titles:
            titles.append((bottom + height + SUBHEAD + 0.2, row_titles[number]))
    size = (widest + BAR_COLUMN + SIDE, HEAD + step * len(rows))
    return Sheet(tuple(places), size, title, arm, note, pictures, tuple(titles))


def draw_sheet(sheet: Sheet, path: Path) -> None:
    """Write ``sheet`` as the picture ``path``."""
    with plot_style(**{"text.color": INK}):
        save(sheet_figure(sheet), path, dpi=DOTS_PER_INCH, facecolor=GROUND)


def sheet_figure(sheet: Sheet, foot: float = 0.0) -> Figure:
    """Return the figure of a sheet, with ``foot`` inches left free below it; to be used within `plot_style`."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(sheet.size[0], sheet.size[1] + foot), facecolor=GROUND)
    FigureCanvasAgg(figure)
    width, top = sheet.size[0], sheet.size[1] + foot - 0.36
    put_text(figure, SIDE, top, sheet.title, size=14, weight="bold", va="center", gid="title")
    put_text(figure, width - SIDE, top, sheet.arm, size=10, color=FAINT_INK, ha="right", va="center")
    put_text(
        figure,
        width - SIDE,
        top - 0.17,
        sheet.note,
        size=8,
        color=FAINT_INK,
        ha="right",
        va="top",
        linespacing=1.4,
    )
    for y, text in sheet.row_titles:
        put_text(figure, SIDE, y + foot, text, size=11.5, weight="bold", va="center")
    for number, place in enumerate(sheet.places):
        _draw_panel(figure, place, foot, number)
    middle = foot + sheet.places[0].bottom + sheet.places[0].height / 2
    _color_bar(figure, sheet.pictures, width - SIDE - BAR_COLUMN + 0.25, middle - BAR_HEIGHT / 2)
    return figure


def dots_note(layers: Sequence[Layer], depth: float | None, numbers: str = "") -> str:
    """Return what the dots of a sheet are: how near to a cut, and how many cells each stands for.

    ``numbers`` says what else is written in the sheet.
    """
    if not layers:
        return numbers
    where = (
        "dots: cells of the whole organ" if depth is None else f"dots: cells within {depth:g} mm of the cut"
    )
    worth = " or ".join(f"{layer.per_dot:,.0f} {DOT_NAMES[layer.key]}" for layer in layers)
    plural = "s" if any(layer.per_dot > 1 for layer in layers) else ""
    return f"{where}\n1 dot = {worth} cell{plural}" + (f"\n{numbers}" if numbers else "")


def put_text(figure: Figure, x: float, y: float, text: str, **options: Any) -> Any:
    """Write ``text`` at (x, y) inches from the lower left corner of ``figure``."""
    width, height = figure.get_size_inches()
    return figure.text(x / width, y / height, text, **options)


def area(figure: Figure, left: float, bottom: float, width: float, height: float) -> Axes:
    """Return axes that cover the given area and measure it in inches."""
    whole_width, whole_height = figure.get_size_inches()
    box = (left / whole_width, bottom / whole_height, width / whole_width, height / whole_height)
    axes = figure.add_axes(box, xlim=(0.0, width), ylim=(0.0, height), facecolor="none")
    axes.axis("off")
    return axes


def _draw_panel(figure: Figure, place: Place, foot: float, number: int) -> None:
    panel, bottom, width, first = place.panel, place.bottom + foot, place.width, number == 0
    axes = area(figure, place.left, bottom, width, place.height)
    axes.set_gid(f"panel {number}")
    if panel.image is not None:
        axes.imshow(
            panel.image, extent=(0.0, width, 0.0, place.height), interpolation="antialiased", aspect="auto",
            gid=f"picture {number}",
        )  # fmt: skip
    if panel.paint is not None:
        panel.paint(axes)
    if panel.caption:
        put_text(figure, place.left + 0.05, bottom + place.height + 0.16, panel.caption, size=11, va="center")
    for row, layer in enumerate(panel.layers):
        y = bottom - LEGEND_ROW * (row + 0.6)
        put_text(figure, place.left + 0.08, y, "●", size=10, color=DOT_COLORS[layer.key], va="center")
        put_text(
            figure,
            place.left + 0.26,
            y,
            legend_text(layer),
            size=9,
            va="center",
            gid=f"legend {number} {row}",
        )
    for row, label in enumerate(panel.labels):
        _write_label(axes, label, width, place.height, f"label {number} {row}")
    if panel.triad and first:
        draw_triad(axes, panel.view, place.height / IMAGE_HEIGHT)
    if panel.scale_bar and (first or place.own_scale):
        y = -0.22 if place.own_scale or panel.bar_below else 0.05
        scale_bar(axes, 2.0 * panel.view.half_height / place.height, width - 0.15, y, 0.22 * width)


def update_sheet(figure: Figure, sheet: Sheet) -> None:
    """Show ``sheet`` in the figure of another one with the same places: pictures and texts are replaced."""
    from matplotlib.image import AxesImage
    from matplotlib.text import Text

    texts = {"title": sheet.title}
    images: dict[str, Image] = {}
    _repaint(figure, sheet)
    for number, place in enumerate(sheet.places):
        if place.panel.image is not None:
            images[f"picture {number}"] = place.panel.image
        texts |= {
            f"legend {number} {row}": legend_text(layer) for row, layer in enumerate(place.panel.layers)
        }
        for row, label in enumerate(place.panel.labels):
            name, facts = label.parts()
            texts |= {f"label {number} {row}": name, f"label {number} {row} facts": facts}
    for axes in {
        artist.axes for artist in figure.findobj(lambda each: each.get_gid() == "triad") if artist.axes
    }:
        for artist in axes.findobj(lambda each: each.get_gid() == "triad"):
            artist.remove()
        draw_triad(cast("Axes", axes), sheet.places[0].panel.view, sheet.places[0].height / IMAGE_HEIGHT)
    for artist in figure.findobj(lambda each: each.get_gid() in texts or each.get_gid() in images):
        key = str(artist.get_gid())
        if isinstance(artist, Text):
            artist.set_text(texts[key])
        elif isinstance(artist, AxesImage):
            artist.set_data(images[key])


def _repaint(figure: Figure, sheet: Sheet) -> None:
    """Paint the panels that are no images anew."""
    for number, place in enumerate(sheet.places):
        if place.panel.paint is None:
            continue
        for axes in figure.axes:
            if axes.get_gid() == f"panel {number}":
                for artist in [*axes.images, *axes.collections, *axes.lines, *axes.texts, *axes.patches]:
                    artist.remove()
                place.panel.paint(axes)


def legend_text(layer: Layer) -> str:
    """Return the name and the number of a kind of cell."""
    return f"{layer.name}: {count_text(layer.total)}"


def _write_label(axes: Axes, label: Label, width: float, height: float, gid: str) -> None:
    """Write a label; one with a line has its name on the line and the rest below it."""
    x, y = label.x * width, label.y * height
    name, facts = label.parts()
    if label.align == "below":
        axes.text(0.05, y - 0.06, name, size=8.5, ha="left", va="top", gid=gid)
        axes.text(
            0.05,
            y - 0.23,
            facts,
            size=8,
            ha="left",
            va="top",
            linespacing=1.3,
            color=FAINT_INK,
            gid=f"{gid} facts",
        )
    elif label.line_to is None:
        axes.text(x, y, name, size=8.5, ha="center", va="top", gid=gid)
        axes.text(x, y - 0.16, facts, size=8.5, ha="center", va="top", color=FAINT_INK, gid=f"{gid} facts")
    else:
        end = (label.line_to[0] * width, label.line_to[1] * height)
        axes.plot([x, end[0]], [y, end[1]], color=FAINT_INK, linewidth=0.8, alpha=0.8)
        axes.plot([end[0]], [end[1]], marker="o", markersize=2.5, color=FAINT_INK)
        side: dict[str, Any] = {"ha": label.align, "size": 8.5}
        axes.text(x, y + 0.04, name, va="bottom", gid=gid, **side)
        axes.text(x, y - 0.05, facts, va="top", linespacing=1.35, color=FAINT_INK, gid=f"{gid} facts", **side)


def draw_triad(axes: Axes, view: View, size: float = 1.0) -> None:
    """Draw the axes of the model as arrows in the lower left corner, ``size`` times as large as in a large still."""
    corner = np.array([0.52, 0.36]) * size
    for name, direction in zip("xyz", np.eye(3), strict=True):
        arrow = size * ARROW * np.array([direction @ view.screen_right, direction @ view.screen_up])
        length = float(np.hypot(*arrow))
        if length < 0.02:  # it points at the reader
            continue
        axes.annotate(
            "", xy=tuple(corner + arrow), xytext=tuple(corner),
            arrowprops={"arrowstyle": "-|>", "color": INK, "linewidth": 1.1, "mutation_scale": 8,
                        "shrinkA": 0, "shrinkB": 0},
            gid="triad",
        )  # fmt: skip
        tip = corner + arrow + (0.06 + 0.04 * size) * arrow / length
        axes.text(tip[0], tip[1], name, size=8, ha="center", va="center", gid="triad")


def scale_bar(axes: Axes, mm_per_inch: float, right: float, bottom: float, room: float) -> None:
    """Draw a bar of a round number of mm that ends at ``right`` and is at most ``room`` inches long."""
    length = nice_floor(room * mm_per_inch)
    left = right - length / mm_per_inch
    axes.plot([left, right], [bottom, bottom], color=INK, linewidth=2.5, solid_capstyle="butt", clip_on=False)
    axes.text((left + right) / 2, bottom + 0.06, f"{length:g} mm", size=9, ha="center", va="bottom")


def _color_bar(figure: Figure, pictures: Pictures, left: float, bottom: float) -> None:
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import ListedColormap, Normalize

    axes = area(figure, left, bottom, BAR_WIDTH, BAR_HEIGHT)
    axes.axis("on")
    colors = ListedColormap(color_table(pictures.kind) / 255.0)
    bar = figure.colorbar(
        ScalarMappable(Normalize(0.0, pictures.top), colors), cax=axes, extend="max", extendfrac=0.03
    )
    bar.outline.set_visible(False)
    axes.tick_params(colors=INK, labelsize=8, length=3)
    axes.grid(False)
    label = split_label(pictures.label)
    put_text(
        figure, left - 0.1, bottom + BAR_HEIGHT + 0.32, wrapped(axis_label(label.name, pictures.unit), 16),
        size=9.5, va="bottom",
    )  # fmt: skip
    if label.note:
        put_text(
            figure, left - 0.1, bottom - 0.15, wrapped(label.note, 18), size=7.5, color=FAINT_INK, va="top"
        )
