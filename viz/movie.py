"""A movie of a run: fields fading from frame to frame, the blood below the picture with a line at the day."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tissuesim.errors import InputError
from tissuesim.run import Run

from .compose import SIDE, Sheet, area, sheet_figure, update_sheet
from .dots import MOST_DOTS as CUT_DOTS
from .encode import Encoder, write_gif
from .film import Film, OrganFilm, PatientFilm
from .frames import OrganReader, shared_scale
from .offscreen import Image, Renderer, Scene, flat_images, render_scenes, tell_trouble
from .stage import MOST_DOTS, check_view
from .style import FAINT_INK, GROUND, INK, plot_style
from .view import View

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FRAMES = 120
DOTS_PER_INCH = 110  # pixels of the whole
STRIP = 1.75  # inches for the blood below the pictures
AROUND = (-6.0, 45.0)  # days from the first treatment that have a share of the movie of their own
SHARES = (0.15, 0.5, 0.35)  # of the movie: before, around treatment, after
WORKERS = 2
MOST_VALUES = 30_000_000  # of one process, so that fine organs fit into memory
LEAST_FRAMES = 12  # of one process: each builds the organ anew
CURVES = (
    ("car_t_per_ul", "CAR T cells per µL of blood", "#3BE3A4"),
    ("b_per_ul", "B cells", "#62BDF2"),
)
LOWEST = 0.01  # cells per uL


def render_movie(
    run: Run | Path | str,
    organ: str | None = None,
    field: str | None = None,
    out: Path | str | None = None,
    view: str | None = None,
    days: Sequence[float] | None = None,
    frames: int = FRAMES,
) -> list[Path]:
    """Write the run as an MP4 and a GIF into the folder ``out`` (default: ``pictures``) and return both.

    ``days`` are the first and the last day (default: all of the run). A movie shows all organs in the body, or one
    (``organ``, default the first) in one of the other views, as a still does. InputError for unknown names and for
    days that the run does not have.
    """
    from .render import FIELD, default_view, opened, target

    run = opened(run)
    view = check_view(view or default_view(run, organ))
    film = _film(run, organ, field if field is not None else FIELD, view, days, frames)
    path = target(run, out, f"{film.name}.mp4").with_suffix(".mp4")
    path.parent.mkdir(parents=True, exist_ok=True)
    span = (float(film.moments[0]), float(film.moments[-1]))
    with plot_style(**{"text.color": INK}), Encoder(path) as encoder:
        strip: _Strip | None = None
        for part in _drawn(film, frames):
            for day, sheet in film.sheets(*part[:3], flat=part[3]):
                strip = strip or _Strip(run, sheet, *span)
                encoder.add(strip.draw(sheet, day))
    return [path, write_gif(path)]


def _film(
    run: Run, organ: str | None, field: str, view: str, days: Sequence[float] | None, frames: int
) -> OrganFilm | PatientFilm:
    """Return what the movie is of."""
    from .patient import organ_readers, patient_scales
    from .render import arm

    if view == "patient":
        readers = organ_readers(run, field)
        moments = paced_days(readers[0], run.baseline_day, days, frames)
        return PatientFilm(run, readers, moments, patient_scales([readers]), arm(run))
    reader = OrganReader(run, organ if organ is not None else run.organs[0], field)
    moments = paced_days(reader, run.baseline_day, days, frames)
    return OrganFilm(reader, view, moments, shared_scale([reader], MOST_DOTS.get(view, CUT_DOTS)), arm(run))


def paced_days(
    reader: OrganReader, treated: float, days: Sequence[float] | None, frames: int
) -> NDArray[np.float64]:
    """Return the day of each frame: half of the movie for the weeks around the treatment, where most happens."""
    first, last = float(reader.days[reader.written[0]]), float(reader.days[reader.written[-1]])
    if days is not None:
        for day in days:
            reader.index_of(day)
        first, last = min(days), max(days)
    edges = np.clip([first, treated + AROUND[0], treated + AROUND[1], last], first, last)
    shares = np.where(np.diff(edges) > 0.0, SHARES, 0.0)
    if shares.sum() == 0.0:
        raise InputError("--day: a movie needs two different days")
    ends = np.concatenate([[0.0], np.cumsum(shares) / shares.sum()])
    return np.asarray(np.interp(np.linspace(0.0, 1.0, frames), ends, edges))


def _drawn(film: Film, frames: int) -> Iterator[tuple[Any, list[list[Image]], list[list[View]], bool]]:
    """Yield what was read, its images, their views and whether they are flat, in order, drawn in parts by processes.

    Two of them work at a time.
    """
    step = int(np.clip(MOST_VALUES // film.size, 1, max(LEAST_FRAMES, -(-frames // (2 * WORKERS)))))
    parts = [range(start, min(start + step, frames)) for start in range(0, frames, step)]
    told = False  # once: from then on all is drawn flat

    def draw(part: range) -> tuple[Any, list[Scene], list[list[Image]], str | None]:
        taken = film.read(part)
        scenes = film.scenes(taken, part)
        if not scenes:
            return taken, [], [], None
        with Renderer(threads=1) as renderer:
            images, trouble = render_scenes(scenes, renderer)
        return taken, scenes, images, trouble

    with ThreadPoolExecutor(WORKERS) as pool:
        waiting = deque(pool.submit(draw, part) for part in parts[: WORKERS + 1])
        later = iter(parts[WORKERS + 1 :])
        while waiting:
            taken, scenes, images, trouble = waiting.popleft().result()
            waiting.extend(pool.submit(draw, part) for part in islice(later, 1))
            if trouble is not None and not told:
                tell_trouble(trouble)
                told = True
            views = [list(scene.cameras) for scene in scenes]
            if told:
                flat = [flat_images(scene) for scene in scenes]
                images = [drawn for drawn, _ in flat]
                views = [[view] * len(drawn) for drawn, view in flat]
            yield taken, images, views, told


class _Strip:
    """The figure of a movie: the sheet of a still, below it the blood over time with a line at the day."""

    def __init__(self, run: Run, sheet: Sheet, first: float, last: float) -> None:
        self.figure: Any = sheet_figure(sheet, foot=STRIP)
        self.figure.set_dpi(DOTS_PER_INCH)
        self.figure.set_size_inches(*_even(self.figure.get_size_inches()))
        axes = area(self.figure, SIDE + 0.45, 0.42, sheet.size[0] - 2 * SIDE - 0.45, STRIP - 0.85)
        _blood(axes, run, first, last)
        self.now = axes.axvline(first, color=INK, linewidth=1.2)

    def draw(self, sheet: Sheet, day: float) -> Image:
        """Return the picture of one moment."""
        update_sheet(self.figure, sheet)
        self.now.set_xdata([day, day])
        self.figure.canvas.draw()
        return np.ascontiguousarray(np.asarray(self.figure.canvas.buffer_rgba())[..., :3])


def _blood(axes: Axes, run: Run, first: float, last: float) -> None:
    """Draw the cells in blood on a log axis, and the days of treatment."""
    from .treatment import treatments

    columns = run.columns([name for name, _, _ in CURVES])
    axes.axis("on")
    axes.set_xlim(first, last)
    axes.set_yscale("log")
    axes.grid(False)
    axes.set_facecolor(GROUND)
    highest = 1.0
    for name, label, color in CURVES:
        if name in columns:
            values = columns[name]
            axes.plot(
                columns["time"],
                np.where(values > 0.0, values, np.nan),
                color=color,
                linewidth=1.4,
                label=label,
            )
            highest = max(highest, float(np.nanmax(values, initial=0.0)))
    axes.set_ylim(LOWEST, 3.0 * highest)
    for treatment in treatments(run):
        end = treatment.end if treatment.end is not None else treatment.start
        axes.axvspan(treatment.start, end, color=FAINT_INK, alpha=0.35, linewidth=1.0)
    axes.tick_params(colors=FAINT_INK, labelsize=7.5, length=2, which="both")
    axes.minorticks_off()
    for spine in axes.spines.values():
        spine.set_color(FAINT_INK)
    axes.set_xlabel("day", size=8, color=FAINT_INK, labelpad=1)
    if axes.get_legend_handles_labels()[0]:
        legend = axes.legend(
            loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=2, fontsize=8, borderaxespad=0.1
        )
        for text in legend.get_texts():
            text.set_color(INK)


def _even(size: Any) -> tuple[float, float]:
    """Return the size of a figure in inches with an even number of pixels, as video needs it."""
    width, height = (2 * round(float(side) * DOTS_PER_INCH / 2) / DOTS_PER_INCH for side in size)
    return width, height
