"""Three sections through an organ: the field in color with contours, borders of regions, and cells near the plane."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from .compose import Panel, scale_bar
from .grid import BORDER, NOTHING, PointReader, blurred, extended, level_of
from .region_box import RegionBox
from .section_labels import label_places
from .style import DOT_COLORS, FAINT_INK, INK, color_table
from .view import View, organ_view

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from .frames import Frame, Pictures

CONTOURS = (0.25, 0.5, 0.75)  # of the color scale
ROOM, GAP = 0.34, 0.3  # inches around and between the sections
PIXELS = 420  # of the longest side of a section
DOT_AREA = 5.0  # points squared
Vector = NDArray[np.float64]


@dataclass(frozen=True)
class Plane:
    """A section: its axes to the right and upwards (unit vectors along x, y or z), and where it cuts, mm."""

    right: Vector
    up: Vector
    at: float

    @property
    def normal(self) -> Vector:
        """Direction towards the reader."""
        return np.asarray(np.cross(self.right, self.up))

    @property
    def axis(self) -> int:
        """0, 1 or 2: the axis it stands on."""
        return int(np.argmax(np.abs(self.normal)))


class Slices:
    """The sections of one organ; the planes are the same for all frames."""

    def __init__(self, pictures: Pictures) -> None:
        """Choose the planes near the middle that show most regions."""
        self.pictures = pictures
        self.fraction = np.pad(np.asarray(pictures.fraction, dtype=np.float32), BORDER)
        self.region = np.pad(pictures.region, BORDER, constant_values=NOTHING)
        self.tissue = self.region != NOTHING
        self.level = level_of(self.fraction, self.tissue)
        at = RegionBox(pictures.fraction, pictures.region, pictures.spacing, pictures.origin).sections()
        view = organ_view(pictures.points(), tilted=False, stance=pictures.stance())
        front, up, across = view.front, view.up, np.asarray(np.cross(view.up, view.front))
        planes = ((across, up), (-front, up), (across, front * -1.0))
        self.planes = [self._plane(right, upward, at) for right, upward in planes]
        self.low = pictures.origin
        self.high = pictures.origin + np.array(pictures.fraction.shape[::-1]) * pictures.spacing
        labels = np.unique(pictures.region[pictures.fraction > 0.0])
        self.shares = {
            int(label): blurred(extended((self.region == label).astype(np.float32), self.tissue))
            for label in labels
        }

    def _plane(self, right: Vector, up: Vector, at: Vector) -> Plane:
        axis = int(np.argmax(np.abs(np.cross(right, up))))
        return Plane(right, up, float(at[axis]))

    def extent(self, direction: Vector) -> float:
        """Length of the box along a unit vector, mm."""
        return float(np.abs(direction) @ (self.high - self.low))

    @property
    def view(self) -> View:
        """A view of the size of all sections together, for the layout of a sheet."""
        width, height, _ = self._millimeters(1.0)
        still = organ_view(self.pictures.points(), tilted=False, stance=self.pictures.stance())
        pixels = still.height
        wide, high = width + 2 * ROOM + GAP, height + 2 * ROOM + GAP + 0.2
        return replace(still, width=round(pixels * wide / high))

    def _millimeters(self, inches: float) -> tuple[float, float, float]:
        """Return width and height of the sections in inches if all were 6.4 inches high, and inches per mm."""
        front, side, top = self.planes
        high = self.extent(front.up) + self.extent(top.up)
        scale = (6.4 * inches - 2 * ROOM - GAP - 0.2) / high
        return scale * (self.extent(front.right) + self.extent(side.right)), scale * high, scale

    def panel(self, frame: Frame, caption: str, *, names: bool = True) -> Panel:
        """Return the sections of ``frame`` as a panel of a sheet; with ``names`` the regions are named."""

        def paint(axes: Axes) -> None:
            self._paint(axes, frame, names=names)

        return Panel(self.view, caption, frame.layers, paint=paint, scale_bar=False, triad=False)

    def _paint(self, axes: Axes, frame: Frame, *, names: bool) -> None:
        (_, width), (_, height) = axes.get_xlim(), axes.get_ylim()
        front, _, top = self.planes
        scale = (height - 2 * ROOM - GAP - 0.2) / (self.extent(front.up) + self.extent(top.up))
        padded = np.pad(np.asarray(frame.values, dtype=np.float32), BORDER, constant_values=np.nan)
        field = extended(padded, np.isfinite(padded))
        upper = height - ROOM - scale * self.extent(front.up)
        corners = (
            (ROOM, upper),
            (ROOM + scale * self.extent(front.right) + GAP, upper),
            (ROOM, ROOM - 0.05),
        )
        for plane, corner in zip(self.planes, corners, strict=True):
            self._section(axes, frame, field, plane, corner, scale, names=names and plane is front)
        scale_bar(axes, 1.0 / scale, width - 0.2, 0.3, 0.3 * width)

    def _section(
        self,
        axes: Axes,
        frame: Frame,
        field: NDArray[np.float32],
        plane: Plane,
        corner: tuple[float, float],
        scale: float,
        *,
        names: bool,
    ) -> None:
        """Paint one section with its lower left corner at ``corner``, ``scale`` inches per mm."""
        from matplotlib.colors import ListedColormap

        wide, high = self.extent(plane.right), self.extent(plane.up)
        count = [max(2, round(PIXELS * side / max(wide, high))) for side in (wide, high)]
        across, upward = (np.linspace(0.5 / n, 1 - 0.5 / n, n) for n in count)
        points = self._points(plane, across * wide, upward * high)
        read = PointReader(
            (points.reshape(-1, 3) - self.pictures.origin) / self.pictures.spacing + (BORDER - 0.5),
            self.fraction.shape,
        )
        shape = (count[1], count[0])
        inside = read(self.fraction).reshape(shape) >= self.level
        values = np.where(inside, read(field).reshape(shape), np.nan)
        x, y = corner[0] + scale * wide * across, corner[1] + scale * high * upward
        colors = ListedColormap(color_table(self.pictures.kind) / 255.0)
        axes.imshow(
            values, origin="lower", extent=(corner[0], corner[0] + scale * wide, corner[1], corner[1] + scale * high),
            cmap=colors, vmin=0.0, vmax=self.pictures.top, aspect="auto", interpolation="bilinear",
        )  # fmt: skip
        levels = [part * self.pictures.top for part in CONTOURS]
        drawn = [
            level
            for level in levels
            if np.nanmin(values, initial=np.inf) < level < np.nanmax(values, initial=0)
        ]
        if drawn:
            axes.contour(x, y, values, levels=drawn, colors="white", linewidths=0.6, alpha=0.55)
        self._borders(axes, read, inside, x, y)
        self._dots(axes, frame, plane, corner, scale)
        if names:
            self._names(axes, read, inside, corner, scale * wide / count[0])
        text = f"{'xyz'[plane.axis]} = {plane.at:.3g} mm".replace("-", "\N{MINUS SIGN}")
        axes.text(corner[0], corner[1] + scale * high + 0.03, text, size=7.5, color=FAINT_INK, va="bottom")
        self._letters(axes, plane, corner)

    def _points(self, plane: Plane, across: Vector, upward: Vector) -> Vector:
        """Return the points (rows, columns, 3) of a section, rows from below; mm."""
        start = np.where(plane.right + plane.up < 0, self.high, self.low)
        start = np.where(plane.right + plane.up == 0, 0.0, start)
        points = start + across[None, :, None] * plane.right + upward[:, None, None] * plane.up
        points[..., plane.axis] = plane.at
        return np.asarray(points)

    def _borders(
        self, axes: Axes, read: PointReader, inside: NDArray[np.bool_], x: Vector, y: Vector
    ) -> None:
        outline = np.pad(inside.astype(np.float32), 1)
        axes.contour(
            np.concatenate([[2 * x[0] - x[1]], x, [2 * x[-1] - x[-2]]]),
            np.concatenate([[2 * y[0] - y[1]], y, [2 * y[-1] - y[-2]]]),
            outline, levels=[0.5], colors=FAINT_INK, linewidths=0.8,
        )  # fmt: skip
        for share in list(self.shares.values())[1:]:
            values = np.where(inside, read(share).reshape(inside.shape), np.nan)
            if np.nanmin(values, initial=np.inf) < 0.5 < np.nanmax(values, initial=0.0):
                axes.contour(x, y, values, levels=[0.5], colors=INK, linewidths=1.1)

    def _dots(
        self, axes: Axes, frame: Frame, plane: Plane, corner: tuple[float, float], scale: float
    ) -> None:
        start = np.where(plane.right + plane.up < 0, self.high, self.low)
        for layer in frame.layers:
            dots = layer.positions
            near = dots[np.abs(dots[:, plane.axis] - plane.at) <= self.view.depth]
            x = corner[0] + scale * ((near - start) @ plane.right)
            y = corner[1] + scale * ((near - start) @ plane.up)
            axes.scatter(x, y, s=DOT_AREA, color=DOT_COLORS[layer.key], linewidths=0, zorder=3)

    def _names(
        self,
        axes: Axes,
        read: PointReader,
        inside: NDArray[np.bool_],
        corner: tuple[float, float],
        inch: float,
    ) -> None:
        shares = np.stack([read(share).reshape(inside.shape) for share in self.shares.values()])
        labels = np.array(list(self.shares), dtype=np.uint8)
        section = np.where(inside, labels[np.argmax(shares, axis=0)], np.uint8(NOTHING))[::-1]
        names = {label: name.replace("_", " ") for label, name in enumerate(self.pictures.region_names)}
        for place in label_places([section], names):
            x, y = corner[0] + inch * place.column, corner[1] + inch * (inside.shape[0] - place.row)
            axes.text(
                x, y, names[place.label], size=8, ha="center", va="center", zorder=4,
                bbox={"facecolor": "#000000", "edgecolor": "none", "alpha": 0.4, "pad": 1.2},
            )  # fmt: skip

    def _letters(self, axes: Axes, plane: Plane, corner: tuple[float, float]) -> None:
        """Draw two short arrows that name the axes of a section at its lower left corner."""
        x, y = corner[0] - 0.16, corner[1] - 0.1
        for direction, (right, upward) in ((plane.right, (0.3, 0.0)), (plane.up, (0.0, 0.3))):
            axis = int(np.argmax(np.abs(direction)))
            sign = "" if direction[axis] > 0 else "\N{MINUS SIGN}"
            axes.annotate(
                "", xy=(x + right, y + upward), xytext=(x, y),
                arrowprops={"arrowstyle": "-|>", "color": INK, "linewidth": 0.8, "mutation_scale": 6,
                            "shrinkA": 0, "shrinkB": 0},
            )  # fmt: skip
            axes.text(
                x + 1.3 * right, y + 1.3 * upward, f"{sign}{'xyz'[axis]}", size=7, ha="center", va="center"
            )
