"""Stills of a run: an organ on chosen days, and before, peak and after side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from tissuesim.run import Run

from .compose import compose
from .frames import Pictures, nearest_frame, read_pictures, written_frames
from .offscreen import Image, draw_frames
from .style import title_text
from .view import View

FIELD = "inflammation"
AFTER = 180.0  # day of the last picture of a panel
LATER_DAYS = (30.0, 90.0, AFTER)
CAPTIONS = ("Before", "CAR T peak", "After")


def render_day(
    run: Run | Path | str, organ: str, day: float, field: str = FIELD, out: Path | str | None = None
) -> Path:
    """Draw ``organ`` on the frame nearest to ``day``, colored by ``field``, and return the PNG.

    ``out`` is a file (``.png``) or a folder (default: ``pictures`` of the run). InputError for unknown names.
    """
    run = opened(run)
    pictures = read_pictures(run, organ, [day], field)
    images, view = draw_frames(pictures)
    return _still(run, pictures, images[0], view, out)


def render_run(
    run: Run | Path | str,
    days: Sequence[float] | None = None,
    organ: str | None = None,
    field: str | None = None,
    out: Path | str | None = None,
) -> list[Path]:
    """Draw one still per day into the folder ``out`` (default: ``pictures`` of the run) and return the PNGs.

    By default: the first organ, ``inflammation``, and the days before treatment, of the CAR T peak, 30, 90,
    180 and the end, followed by a panel of three of them side by side.
    """
    run = opened(run)
    organ = organ if organ is not None else run.organs[0]
    field = field if field is not None else FIELD
    three = panel_days(run, organ)
    end = float(run[organ]["time"][written_frames(run, organ)[-1]])
    chosen = days if days is not None else (*three, *(day for day in LATER_DAYS if day < end), end)
    pictures = read_pictures(run, organ, chosen, field)
    images, view = draw_frames(pictures)
    paths = []
    for frame, image in zip(pictures.frames, images, strict=True):
        paths.append(_still(run, replace(pictures, frames=(frame,)), image, view, out))
    if days is None and len(three) == len(CAPTIONS):
        drawn = [frame.day for frame in pictures.frames]
        paths.append(
            _panel(run, pictures, [(drawn.index(day), images[drawn.index(day)]) for day in three], view, out)
        )
    return paths


def panel(
    run: Run | Path | str,
    days: Sequence[float] | None = None,
    organ: str | None = None,
    field: str = FIELD,
    out: Path | str | None = None,
) -> Path:
    """Draw ``days`` (default: before treatment, CAR T peak, day 180) side by side and return the PNG."""
    run = opened(run)
    organ = organ if organ is not None else run.organs[0]
    pictures = read_pictures(run, organ, days if days is not None else panel_days(run, organ), field)
    images, view = draw_frames(pictures)
    return _panel(run, pictures, list(enumerate(images)), view, out, captions=days is None)


def panel_days(run: Run, organ: str) -> tuple[float, ...]:
    """Return the days of the frames nearest to: before treatment, CAR T peak (else day 0), day 180.

    Fewer than three when they fall on the same frame (a run that has just begun).
    """
    frame_days = run[organ]["time"].values
    written = written_frames(run, organ)
    before = written[frame_days[written] <= run.baseline_day]
    first = int(before[-1]) if before.size else int(written[0])
    peak = run.endpoints["day_car_t_peak"]
    later = [nearest_frame(frame_days, written, day) for day in (0.0 if peak is None else peak, AFTER)]
    return tuple(float(frame_days[index]) for index in sorted({first, *later}))


def opened(run: Run | Path | str) -> Run:
    """Return ``run`` itself, or the run of that directory."""
    return run if isinstance(run, Run) else Run(run)


def arm(run: Run) -> str:
    """Return the name of the run as a subtitle."""
    return title_text(str(run.scenario.get("name", run.path.name)))


def target(run: Run, out: Path | str | None, name: str) -> Path:
    """Return ``out`` if it is a picture file, else ``name`` in the folder ``out`` or ``pictures``."""
    if out is not None and Path(out).suffix in (".png", ".svg", ".pdf"):
        return Path(out)
    return (Path(out) if out is not None else run.path / "pictures") / name


def _still(run: Run, pictures: Pictures, image: Image, view: View, out: Path | str | None) -> Path:
    path = target(run, out, f"{pictures.organ}_{pictures.field}_day{pictures.frames[0].day:g}.png")
    compose(pictures, [image], view, arm(run), path)
    return path


def _panel(
    run: Run,
    pictures: Pictures,
    chosen: Sequence[tuple[int, Image]],
    view: View,
    out: Path | str | None,
    *,
    captions: bool = True,
) -> Path:
    frames = tuple(pictures.frames[number] for number, _ in chosen)
    path = target(run, out, f"{pictures.organ}_{pictures.field}_panel.png")
    names = CAPTIONS if captions and len(frames) == len(CAPTIONS) else ()
    compose(replace(pictures, frames=frames), [image for _, image in chosen], view, arm(run), path, names)
    return path
