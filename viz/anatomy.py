"""`draw_anatomy`: one picture that shows what a tissue is, three sections and a cut-open view, regions by name.

Sections and view agree: the reader looks at the front (+y), from which +x lies to the left, as in a radiograph.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .offscreen import environment, reason
from .region_box import NOTHING, RegionBox, colors_of
from .section_labels import ink_on, label_places
from .style import FAINT_INK, GROUND, INK, nice_floor, plot_style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from tissuesim.tissue import Tissue

# Paul Tol, "Colour schemes" (2021), muted and light: distinct for color-blind readers, readable on dark ground.
PALETTE = (
    "#CC6677", "#88CCEE", "#DDCC77", "#44AA99", "#AA4499", "#999933", "#6F7FD6",
    "#EE8866", "#DDDDDD", "#117733", "#FFAABB", "#882255", "#77AADD", "#BBCC33",
)  # fmt: skip
DOTS_PER_INCH = 100
HEAD, MARGIN, GAP, LETTERS = 52, 16, 34, 24  # pixels
ROW, FONT = 27, 10.5  # of the legend: pixels, points
VIEW_SHARE = 0.46  # of the width that the 3D view takes
TURN, TILT = np.deg2rad(-28.0), np.deg2rad(22.0)
SHELF = -0.22  # of the half height: above it the front of an organ is cut away
THIN = 0.35  # of its longest side: a block that is thinner is cut through to its base
SECONDS = 180.0
RIGHT, UP, FRONT = np.array([-1.0, 0, 0]), np.array([0, 0, 1.0]), np.array([0, 1.0, 0])
# (name, horizontal axis, vertical axis, axis looked along); horizontal axes run to the left
PLANES = (("coronal", 0, 2, 1), ("sagittal", 1, 2, 0), ("axial", 0, 1, 2))
AXES = ("\N{MINUS SIGN}x", "+x"), ("\N{MINUS SIGN}y", "+y"), ("\N{MINUS SIGN}z", "+z")
COLORS_SAVED, LARGEST_FILE = (256, 128, 64, 32), 250_000  # bytes


def draw_anatomy(
    tissue: Tissue, path: str | Path, title: str, *, size: tuple[int, int] = (1400, 900)
) -> Path:
    """Write the PNG ``path`` of ``size`` (width, height) pixels and return it.

    The letters at the sections are ``tissue.report["axes"]``, three pairs (towards lower, towards higher x, y, z)
    such as ("R", "L"); without them the axes are named. Where 3D graphics do not work the picture says so.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    path = Path(path)
    box = RegionBox.of(tissue)
    with plot_style(**{"text.color": INK, "font.size": FONT}):
        figure = Figure(figsize=(size[0] / DOTS_PER_INCH, size[1] / DOTS_PER_INCH), dpi=DOTS_PER_INCH)
        figure.set_facecolor(GROUND)
        canvas: Any = FigureCanvasAgg(figure)
        _head(figure, tissue, title, size)
        foot = MARGIN + ROW * _legend(figure, tissue, size)
        height = size[1] - HEAD - foot
        view_width = round(VIEW_SHARE * size[0])
        _view(figure, box, (MARGIN, foot, view_width, height))
        left = MARGIN + view_width + MARGIN
        _sections(
            figure, box, tissue.region_names, _letters(tissue), (left, foot, size[0] - left - MARGIN, height)
        )
        canvas.draw()
        image = np.asarray(canvas.buffer_rgba())[..., :3]
    _save(image, path)
    return path


def region_colors(count: int) -> NDArray[np.uint8]:
    """Return (count, 3) colors; after the last one they begin again, darker."""
    table = np.array([[int(color[k : k + 2], 16) for k in (1, 3, 5)] for color in PALETTE], dtype=np.float64)
    rounds = np.arange(count) // len(PALETTE)
    return np.asarray(
        np.round(table[np.arange(count) % len(PALETTE)] * 0.65 ** rounds[:, None]), dtype=np.uint8
    )


def _save(image: NDArray[np.uint8], path: Path) -> None:
    """Write a PNG with a palette, of as many colors as make it no larger than ``LARGEST_FILE``."""
    from PIL import Image

    path.parent.mkdir(parents=True, exist_ok=True)
    for colors in COLORS_SAVED:
        Image.fromarray(image).quantize(colors, dither=Image.Dither.NONE).save(path, optimize=True)
        if path.stat().st_size <= LARGEST_FILE:
            return


def _letters(tissue: Tissue) -> tuple[tuple[str, str], ...]:
    given: Any = tissue.report.get("axes", AXES)
    return tuple((str(low), str(high)) for low, high in given)


def _head(figure: Figure, tissue: Tissue, title: str, size: tuple[int, int]) -> None:
    y = 1 - 0.52 * HEAD / size[1]
    figure.text(MARGIN / size[0], y, title, size=16, weight="bold", va="center")
    facts = f"{tissue.n:,} voxels of {_length(tissue.spacing)}, {_volume(float(tissue.volume.sum()))}"
    figure.text(1 - MARGIN / size[0], y, facts, color=FAINT_INK, ha="right", va="center")


def _length(millimeters: float) -> str:
    return f"{millimeters:g} mm" if millimeters >= 0.1 else f"{1000 * millimeters:g} µm"


def _volume(cubic_millimeters: float) -> str:
    if cubic_millimeters >= 1e6:
        return f"{cubic_millimeters / 1e6:.3g} L"
    if cubic_millimeters >= 100:
        return f"{cubic_millimeters / 1000:.3g} mL"
    return f"{cubic_millimeters:.3g} mm³"


def _legend(figure: Figure, tissue: Tissue, size: tuple[int, int]) -> int:
    """Write region names with color, volume and share in as few rows as hold them; return their number."""
    from matplotlib.patches import Rectangle

    total = float(tissue.volume.sum())
    colors = region_colors(len(tissue.region_names)) / 255.0
    entries, widest = [], 0.0
    for (name, volume), color in zip(tissue.region_volumes().items(), colors, strict=True):
        text = figure.text(
            0, 0, f"{name.replace('_', ' ')}  {_volume(volume)}, {volume / total:.1%}", va="center"
        )
        widest = max(widest, text.get_window_extent().width)
        entries.append((text, tuple(color)))
    columns = max(1, int((size[0] - 2 * MARGIN) // (widest + 44)))
    rows = -(-len(entries) // columns)
    step = (size[0] - 2 * MARGIN) / columns
    for number, (text, color) in enumerate(entries):
        x, y = MARGIN + step * (number // rows), MARGIN + ROW * (rows - 1 - number % rows) + 0.25 * ROW
        text.set_position(((x + 24) / size[0], y / size[1]))
        corner = (x / size[0], (y - 7) / size[1])
        figure.add_artist(Rectangle(corner, 15 / size[0], 15 / size[1], facecolor=color, linewidth=0))
    return rows


def _area(figure: Figure, left: float, bottom: float, width: float, height: float) -> Axes:
    """Return axes over an area given in pixels, measured in pixels."""
    whole = figure.get_size_inches() * DOTS_PER_INCH
    place = (left / whole[0], bottom / whole[1], width / whole[0], height / whole[1])
    axes = figure.add_axes(place, xlim=(0.0, width), ylim=(0.0, height), facecolor="none")
    axes.axis("off")
    return axes


def _scale_bar(axes: Axes, right: float, bottom: float, pixels_per_mm: float, room: float) -> None:
    length = nice_floor(room / pixels_per_mm)
    left = right - length * pixels_per_mm
    axes.plot([left, right], [bottom, bottom], color=INK, linewidth=3, solid_capstyle="butt")
    axes.text((left + right) / 2, bottom + 5, f"{length:g} mm", ha="center", va="bottom")


# ---- sections


def _sections(
    figure: Figure,
    box: RegionBox,
    names: tuple[str, ...],
    letters: tuple[tuple[str, str], ...],
    area: tuple[float, float, float, float],
) -> None:
    """Draw the three sections at one scale: coronal and sagittal side by side, axial below the coronal one."""
    left, bottom, width, height = area
    x, y, z = box.size
    frame = 2 * LETTERS
    scale = min((width - GAP - 2 * frame) / (x + y), (height - GAP - 2 * frame - 22) / (z + y))
    top = bottom + height - 22
    places = {
        "coronal": (left + LETTERS, top - LETTERS - scale * z),
        "sagittal": (left + LETTERS + scale * x + GAP + frame, top - LETTERS - scale * z),
        "axial": (left + LETTERS, top - LETTERS - scale * z - GAP - frame - scale * y),
    }
    at = box.sections()
    panels, seen = [], []
    for name, across, upward, along in PLANES:
        image, region = _section_image(box, across, upward, along, float(at[along]), scale)
        axes = _area(figure, *places[name], scale * box.size[across], scale * box.size[upward])
        axes.imshow(image, extent=(*axes.get_xlim(), *axes.get_ylim()), aspect="auto", interpolation="none")
        _frame(axes, f"{name}, {'xyz'[along]} = {_coordinate(at[along])}", letters[across], letters[upward])
        _other_planes(axes, box, at, across, upward, scale)
        panels.append(axes)
        seen.append(region)
    colors = region_colors(len(names))
    for place in label_places(seen, dict(enumerate(name.replace("_", " ") for name in names))):
        panel, top = panels[place.section], panels[place.section].get_ylim()[1]
        style: dict[str, Any] = {"size": 9, "ha": "center", "va": "center", "linespacing": 1.0}
        ink = INK if place.anchor else ink_on(colors[place.label])
        panel.text(place.column, top - place.row, place.text, color=ink, zorder=4, **style)
        if place.anchor:
            columns, rows = zip(*place.leader(), strict=True)
            panel.plot(columns, [top - row for row in rows], color=INK, linewidth=0.8, zorder=3)
            panel.plot(columns[1:], [top - rows[1]], "o", color=INK, markersize=2.5, zorder=3)
    corner = _area(figure, left, bottom, width, height)
    _scale_bar(corner, width - 4, 6, scale, 0.28 * width)


def _coordinate(value: float) -> str:
    return f"{value:.3g} mm".replace("-", "\N{MINUS SIGN}")


def _section_image(
    box: RegionBox, across: int, upward: int, along: int, at: float, scale: float
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return image (height, width, 3) and regions of a section, two samples per pixel, horizontal axis to the left."""
    columns, rows = (max(2, round(2 * scale * float(box.size[k]))) for k in (across, upward))
    points = np.empty((rows, columns, 3))
    points[..., along] = at
    points[..., across] = (box.origin[across] + (np.arange(columns)[::-1] + 0.5) / (2 * scale))[None, :]
    points[..., upward] = (box.origin[upward] + (np.arange(rows)[::-1] + 0.5) / (2 * scale))[:, None]
    share, region = box.sample(points)
    opacity = np.clip(1.5 * share, 0.0, 1.0)[..., None]
    ground = np.array([int(GROUND[k : k + 2], 16) for k in (1, 3, 5)])
    image = opacity * colors_of(region, region_colors(int(box.region[box.region < NOTHING].max()) + 1))
    image += (1.0 - opacity) * ground
    rows, columns = rows - rows % 2, columns - columns % 2
    mean = image[:rows, :columns].reshape(rows // 2, 2, columns // 2, 2, 3).mean(axis=(1, 3))
    region = np.where(share > 0.5, region, np.uint8(NOTHING))[:rows:2, :columns:2]
    return np.asarray(np.round(mean), dtype=np.uint8), region


def _frame(axes: Axes, name: str, across: tuple[str, str], upward: tuple[str, str]) -> None:
    (_, right), (_, top) = axes.get_xlim(), axes.get_ylim()
    axes.plot([0, right, right, 0, 0], [0, 0, top, top, 0], color=FAINT_INK, linewidth=0.7, clip_on=False)
    style: dict[str, Any] = {"color": INK, "size": 10, "ha": "center", "va": "center", "clip_on": False}
    half = LETTERS / 2
    axes.text(-half, top / 2, across[1], rotation=90 if len(across[1]) > 2 else 0, **style)
    axes.text(right + half, top / 2, across[0], rotation=90 if len(across[0]) > 2 else 0, **style)
    axes.text(right / 2, top + half, upward[1], **style)
    axes.text(right / 2, -half, upward[0], **style)
    axes.text(0, top + LETTERS + 2, name, color=FAINT_INK, size=9.5, va="bottom", clip_on=False)


def _other_planes(
    axes: Axes, box: RegionBox, at: NDArray[np.float64], across: int, upward: int, scale: float
) -> None:
    """Mark where the other two sections cut, as short ticks outside the tissue would be too easy to miss."""
    (_, right), (_, top) = axes.get_xlim(), axes.get_ylim()
    x = right - scale * (at[across] - box.origin[across])
    y = scale * (at[upward] - box.origin[upward])
    style: dict[str, Any] = {"color": INK, "linewidth": 0.7, "alpha": 0.55, "dashes": (2, 4)}
    axes.plot([x, x], [0, top], **style)
    axes.plot([0, right], [y, y], **style)


# ---- the view


def _view(figure: Figure, box: RegionBox, area: tuple[float, float, float, float]) -> None:
    _, _, width, height = area
    axes = _area(figure, *area)
    job = _job(box, round(width), round(height))
    image, trouble = _render(job)
    if trouble is not None:
        print(
            f"3D pictures are not possible here ({trouble}); the sections are drawn alone.", file=sys.stderr
        )
        axes.text(width / 2, height / 2, "no 3D graphics here", color=FAINT_INK, ha="center")
        return
    axes.imshow(image, extent=(0, width, 0, height), aspect="auto", interpolation="antialiased")
    _scale_bar(axes, width - 8, 6, height / (2 * float(job["half_height"])), 0.25 * width)


def _job(box: RegionBox, width: int, height: int) -> dict[str, Any]:
    """Return all the scene needs: the box, its colors, camera and cuts."""
    filled = np.argwhere(box.fraction > 0)[:, ::-1]
    low = box.origin + filled.min(axis=0) * box.spacing
    high = box.origin + (filled.max(axis=0) + 1) * box.spacing
    toward = np.cos(TILT) * (np.cos(TURN) * FRONT - np.sin(TURN) * RIGHT) + np.sin(TILT) * UP
    right = np.cross(UP, toward)
    right /= np.linalg.norm(right)
    screen_up = np.cross(toward, right)
    block = box.is_block()
    corners = np.array(
        [[(low, high)[k][axis] for axis, k in enumerate(pick)] for pick in np.ndindex(2, 2, 2)]
    )
    flat = corners @ np.stack([right, screen_up]).T
    half = (flat.max(axis=0) - flat.min(axis=0)) / 2
    middle = (low + high) / 2
    room = 1.04
    return {
        "fraction": box.fraction, "region": box.region, "spacing": box.spacing, "origin": box.origin,
        "table": region_colors(int(box.region[box.region < NOTHING].max()) + 1), "block": block, "ground": GROUND,
        "cuts": _cuts(box, low, high, toward, block=block), "width": 2 * width, "height": 2 * height,
        "toward_camera": toward, "screen_up": screen_up, "focus": middle,
        "half_height": room * max(half[1], half[0] * height / width),
    }  # fmt: skip


def _cuts(
    box: RegionBox,
    low: NDArray[np.float64],
    high: NDArray[np.float64],
    toward: NDArray[np.float64],
    *,
    block: bool,
) -> NDArray[np.float64]:
    """Return the planes (k, 2, 3), normal and point: what lies before all of them is taken away."""
    middle, at = (low + high) / 2, box.sections()
    if not block:
        shelf = middle + SHELF * (high - low)[2] / 2 * UP
        return np.array([[FRONT, at], [UP, shelf]])
    side = np.array([np.sign(toward[0]), 0.0, 0.0])
    thin = (high - low)[2] < THIN * (high - low).max()
    return np.array([[FRONT, middle], [side, middle], [UP, low - box.spacing if thin else middle]])


def _render(job: dict[str, Any]) -> tuple[Any, str | None]:
    """Return (image, None), or (None, what went wrong), from a process that draws the job."""
    from matplotlib.image import imread

    with tempfile.TemporaryDirectory(prefix="tissuesim-anatomy-") as folder:
        file = Path(folder) / "job.npz"
        np.savez(file, **job)
        command = [sys.executable, "-P", "-m", f"{__package__}.anatomy_scene", str(file)]
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, timeout=SECONDS, check=False, env=environment()
            )
        except subprocess.TimeoutExpired:
            return None, f"no picture within {SECONDS:.0f} s"
        picture = file.with_name("scene.png")
        if done.returncode != 0 or not picture.is_file():
            return None, reason(done.returncode, done.stderr)
        return imread(picture)[..., :3], None
