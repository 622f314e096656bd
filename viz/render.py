"""Stills of a run: an organ on chosen days, before, peak and after side by side, and against another run."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from tissuesim.errors import InputError
from tissuesim.readouts.endpoints import peak
from tissuesim.run import Run

from .compose import Panel, draw_sheet, side_by_side
from .dots import MOST_DOTS as CUT_DOTS
from .frames import OrganReader, Pictures, Scale, nearest_frame, shared_scale, written_frames
from .offscreen import Renderer
from .stage import MOST_DOTS, captioned, check_view, draw_panels, note
from .style import day_text, organ_title, title_text

FIELD = "inflammation"
AFTER = 180.0  # day of the last picture of a panel
LATER_DAYS = (30.0, 90.0, AFTER)
CAPTIONS = ("Before", "CAR T peak", "After")
PICTURES = (".png", ".svg", ".pdf")
HANDS = 2  # scenes of a patient that are drawn at a time


def render_day(
    run: Run | Path | str,
    organ: str,
    day: float,
    field: str = FIELD,
    out: Path | str | None = None,
    view: str = "cut",
) -> Path:
    """Draw ``organ`` on the frame nearest to ``day``, colored by ``field``, and return the PNG.

    ``out`` is a file (``.png``) or a folder (default: ``pictures`` of the run). InputError for unknown names and for
    a day that the run does not have.
    """
    return render_run(run, [day], organ, field, out, view)[0]


def render_run(
    run: Run | Path | str,
    days: Sequence[float] | None = None,
    organ: str | None = None,
    field: str | None = None,
    out: Path | str | None = None,
    view: str | None = None,
) -> list[Path]:
    """Draw one still per day into the folder ``out`` (default: ``pictures`` of the run) and return the PNGs.

    By default: the organ cut open (all organs in the body, if there are several), ``inflammation``, and the days
    before treatment, of the CAR T peak, 30, 90, 180 and the end, followed by three of them side by side.
    ``view`` is one of `stage.VIEWS`.
    """
    run = opened(run)
    field = field if field is not None else FIELD
    # it gets ready while the run is read
    with contextlib.nullcontext() if view == "section" else Renderer(hands=HANDS) as renderer:
        if check_view(view or default_view(run, organ)) == "patient":
            from .patient import render_patient

            return render_patient(run, days, field, out, renderer)
        view, organ = view or "cut", organ if organ is not None else run.organs[0]
        reader = OrganReader(run, organ, field)
        three = panel_days(run, organ) if days is None else ()
        captions = captions_of(run, three)
        chosen = days if days is not None else default_days(run, organ, three)
        scale = shared_scale([reader], MOST_DOTS.get(view, CUT_DOTS))
        pictures = chosen_frames(reader, chosen, scale)
        (panels,) = draw_panels(view, [pictures], renderer)
    paths = [
        _still(run, replace(pictures, frames=(frame,)), panel, view, out)
        for frame, panel in zip(pictures.frames, panels, strict=True)
    ]
    if len(three) == len(CAPTIONS):
        drawn = [frame.day for frame in pictures.frames]
        paths.append(
            _panel(run, pictures, [panels[drawn.index(day)] for day in three], view, out, captions, three)
        )
    return paths


def panel(
    run: Run | Path | str,
    days: Sequence[float] | None = None,
    organ: str | None = None,
    field: str = FIELD,
    out: Path | str | None = None,
    view: str = "cut",
) -> Path:
    """Draw ``days`` (default: before treatment, CAR T peak, day 180) side by side and return the PNG."""
    run = opened(run)
    organ = organ if organ is not None else run.organs[0]
    reader = OrganReader(run, organ, field)
    scale = shared_scale([reader], MOST_DOTS.get(check_view(view), CUT_DOTS))
    pictures = chosen_frames(reader, days if days is not None else panel_days(run, organ), scale)
    (panels,) = draw_panels(view, [pictures])
    drawn = tuple(frame.day for frame in pictures.frames)
    captions = captions_of(run, drawn) if days is None else ()
    return _panel(run, pictures, panels, view, out, captions, drawn)


def compare(
    run: Run | Path | str,
    other: Run | Path | str,
    days: Sequence[float] | None = None,
    organ: str | None = None,
    field: str | None = None,
    out: Path | str | None = None,
    view: str | None = None,
) -> Path:
    """Draw two runs with one scale, such as treated against untreated, and return the PNG.

    One day: the runs side by side. Several days (default: before treatment, CAR T peak, day 180 of ``run``): a row
    for each run. InputError if a run lacks the organ, the field or a day.
    """
    runs = [opened(run), opened(other)]
    field = field if field is not None else FIELD
    if check_view(view or default_view(runs[0], organ)) == "patient":
        from .patient import compare_patients

        return compare_patients(runs, days, field, out)
    view, organ = view or "cut", organ if organ is not None else runs[0].organs[0]
    readers = [OrganReader(each, organ, field) for each in runs]
    scale = shared_scale(readers, MOST_DOTS.get(view, CUT_DOTS))
    asked = days if days is not None else shared_days(runs, organ)
    series = [chosen_frames(reader, asked, scale) for reader in readers]
    shown = [[frame.day for frame in pictures.frames] for pictures in series]
    if len(shown[0]) != len(shown[1]):
        each = " and ".join(", ".join(f"{day:g}" for day in row) for row in shown)
        raise InputError(f"--day: the frames of the two runs nearest to these days are not as many: {each}")
    rows = draw_panels(view, series)
    arms = arms_of(runs)
    if len(series[0].frames) == 1:
        same = shown[0] == shown[1]
        texts = arms if same else [f"{arm}, {day_text(row[0])}" for arm, row in zip(arms, shown, strict=True)]
        grid = [[captioned(row[0], text) for row, text in zip(rows, texts, strict=True)]]
        names: tuple[str, ...] = ()
        title = f"{organ_title(organ)}, {day_text(shown[0][0])}" if same else organ_title(organ)
    else:
        grid = [
            [captioned(each, day_text(frame.day)) for each, frame in zip(row, pictures.frames, strict=True)]
            for row, pictures in zip(rows, series, strict=True)
        ]
        names, title = tuple(arms), organ_title(organ)
    told = note(view, grid[0][0], series[0])
    sheet = side_by_side(grid, title, " against ".join(arms), told, series[0], names)
    path = target(runs[0], out, f"{_stem(series[0], view)}_against_{runs[1].path.name}.png")
    draw_sheet(sheet, path)
    return path


def default_view(run: Run, organ: str | None) -> str:
    """Return the view of a run whose reader asked for none."""
    return "patient" if organ is None and len(run.organs) > 1 else "cut"


def chosen_frames(reader: OrganReader, days: Sequence[float], scale: Scale) -> Pictures:
    """Return the frames nearest to ``days``, each once, in order of time; InputError for a day beyond the run."""
    indices = sorted({reader.index_of(day) for day in days})
    return reader.pictures([reader.frame(index, scale) for index in indices], scale)


def default_days(run: Run, organ: str, three: Sequence[float]) -> tuple[float, ...]:
    """Return the days of the stills of a run: those of its panel, later ones and the end."""
    end = float(run[organ]["time"][written_frames(run, organ)[-1]])
    return (*three, *(day for day in LATER_DAYS if day < end), end)


def panel_days(run: Run, organ: str) -> tuple[float, ...]:
    """Return the days of the frames nearest to: before treatment, CAR T peak (else day 0), day 180.

    Fewer than three when they fall on the same frame (a run that has just begun).
    """
    frame_days = run[organ]["time"].values
    written = written_frames(run, organ)
    before = written[frame_days[written] <= run.baseline_day]
    first = int(before[-1]) if before.size else int(written[0])
    highest = peak_day(run)
    later = [nearest_frame(frame_days, written, day) for day in (0.0 if highest is None else highest, AFTER)]
    return tuple(float(frame_days[index]) for index in sorted({first, *later}))


def peak_day(run: Run) -> float | None:
    """Return the day of the most CAR T cells in blood; None where there are none."""
    columns = run.columns(["car_t_per_ul"])
    return peak(columns["time"], columns["car_t_per_ul"])[0] if "car_t_per_ul" in columns else None


def captions_of(run: Run, days: Sequence[float]) -> tuple[str, ...]:
    """Return what the three days of a panel are; nothing for fewer, or in a run that has no peak."""
    return CAPTIONS if len(days) == len(CAPTIONS) and peak_day(run) is not None else ()


def shared_days(runs: Sequence[Run], organ: str) -> tuple[float, ...]:
    """Return the panel days of the first run that all ``runs`` have reached."""
    ends = [float(run[organ]["time"][written_frames(run, organ)[-1]]) for run in runs]
    days = tuple(day for day in panel_days(runs[0], organ) if day <= min(ends))
    return days or (min(ends),)


def opened(run: Run | Path | str) -> Run:
    """Return ``run`` itself, or the run of that directory."""
    return run if isinstance(run, Run) else Run(run)


def arm(run: Run) -> str:
    """Return the name of the run as a subtitle."""
    return title_text(str(run.scenario.get("name", run.path.name)))


def arms_of(runs: Sequence[Run]) -> list[str]:
    """Return the names of runs that are compared, with their folders where names are the same."""
    names = [arm(run) for run in runs]
    if len(set(names)) == len(names):
        return names
    return [f"{name} ({run.path.resolve().name})" for name, run in zip(names, runs, strict=True)]


def target(run: Run, out: Path | str | None, name: str) -> Path:
    """Return ``out`` if it is a picture file, else ``name`` in the folder ``out`` or ``pictures``."""
    if out is not None and Path(out).suffix in PICTURES:
        return Path(out)
    return (Path(out) if out is not None else run.path / "pictures") / name


def _stem(pictures: Pictures, view: str) -> str:
    return f"{pictures.organ}_{pictures.field}" + ("" if view == "cut" else f"_{view}")


def _still(run: Run, pictures: Pictures, panel: Panel, view: str, out: Path | str | None) -> Path:
    day = pictures.frames[0].day
    path = target(run, out, f"{_stem(pictures, view)}_day{day:g}.png")
    title = f"{organ_title(pictures.organ)}, {day_text(day)}"
    told = note(view, panel, pictures)
    draw_sheet(side_by_side([[panel]], title, arm(run), told, pictures), path)
    return path


def _panel(
    run: Run,
    pictures: Pictures,
    panels: Sequence[Panel],
    view: str,
    out: Path | str | None,
    names: Sequence[str],
    days: Sequence[float],
) -> Path:
    path = target(run, out, f"{_stem(pictures, view)}_panel.png")
    texts = (
        [f"{name}, {day_text(day)}" for name, day in zip(names, days, strict=True)]
        if names
        else [day_text(day) for day in days]
    )
    row = [captioned(panel, text) for panel, text in zip(panels, texts, strict=True)]
    told = note(view, row[0], pictures)
    draw_sheet(side_by_side([row], organ_title(pictures.organ), arm(run), told, pictures), path)
    return path
