"""A whole patient: the organs of a run where they lie in the body, skin and joint enlarged beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from tissuesim.errors import InputError
from tissuesim.run import Run

from .body import FRONT, TRUNK, UP, outline, place_in_body, placed
from .compose import (
    BAR_COLUMN,
    FOOT,
    GAP,
    HEAD,
    IMAGE_HEIGHT,
    LEGEND_ROW,
    SIDE,
    SUBHEAD,
    Label,
    Panel,
    Place,
    Sheet,
    dots_note,
    draw_sheet,
)
from .dots import MOST_DOTS
from .frames import Layer, OrganReader, Pictures, Scale, shared_scale
from .offscreen import Image, Renderer, Scene, Shot, draw_scenes
from .style import count_text, day_text, organ_title, unit_text
from .view import View, frame_view, organ_view

TRUNK_HEIGHT, INSET_HEIGHT = 1200, 620  # pixels
INSET_GAP = 0.62  # inches below an inset, for its caption
LABEL_ROOM = 0.15  # of the picture's height: names of organs at one side are at least so far apart
DOT_SIZE = 0.0042  # of the height of the picture
EDGE = 0.012  # of the picture's width


@dataclass(frozen=True)
class Patient:
    """The organs of one run on chosen days: those in the trunk, in body axes, and those shown beside it."""

    run: Run
    trunk: tuple[Pictures, ...]
    insets: tuple[Pictures, ...]

    @property
    def days(self) -> tuple[float, ...]:
        """The days that are drawn."""
        return tuple(frame.day for frame in (self.trunk or self.insets)[0].frames)

    @property
    def colored(self) -> Pictures:
        """One organ, for the color scale that all share."""
        return (self.trunk or self.insets)[0]


def render_patient(
    run: Run,
    days: Sequence[float] | None,
    field: str,
    out: Path | str | None,
    renderer: Renderer | None = None,
) -> list[Path]:
    """Draw one still per day, and without ``days`` before, peak and after side by side; return the PNGs."""
    from .render import CAPTIONS, arm, default_days, panel_days, target

    readers = organ_readers(run, field)
    three = panel_days(run, readers[0].organ) if days is None else ()
    chosen = days if days is not None else default_days(run, readers[0].organ, three)
    patient = read_patient(run, readers, chosen, *patient_scales([readers]))
    columns = draw_patients([patient], renderer)[0]
    paths = []
    for day, column in zip(patient.days, columns, strict=True):
        sheet = still_sheet(column, f"Patient, {day_text(day)}", arm(run), patient.colored)
        paths.append(target(run, out, f"patient_{field}_day{day:g}.png"))
        draw_sheet(sheet, paths[-1])
    if days is None and len(three) == len(CAPTIONS):
        texts = [f"{name}, {day_text(day)}" for name, day in zip(CAPTIONS, three, strict=True)]
        shown = [columns[patient.days.index(day)] for day in three]
        sheet = columns_sheet(shown, texts, "Patient", arm(run), patient.colored)
        paths.append(target(run, out, f"patient_{field}_panel.png"))
        draw_sheet(sheet, paths[-1])
    return paths


def compare_patients(
    runs: Sequence[Run], days: Sequence[float] | None, field: str, out: Path | str | None
) -> Path:
    """Draw two patients side by side with one scale on one day (default: the last that both have reached)."""
    from .render import arms_of, shared_days, target

    sets = [organ_readers(run, field) for run in runs]
    asked = days if days is not None else shared_days(runs, sets[0][0].organ)[-1:]
    if len(asked) != 1:
        raise InputError("--day: two patients are compared on one day")
    scales = patient_scales(sets)
    patients = [read_patient(run, readers, asked, *scales) for run, readers in zip(runs, sets, strict=True)]
    columns = [drawn[0] for drawn in draw_patients(patients)]
    title = f"Patient, {day_text(patients[0].days[0])}"
    arms = arms_of(runs)
    sheet = columns_sheet(columns, arms, title, " against ".join(arms), patients[0].colored)
    path = target(runs[0], out, f"patient_{field}_against_{runs[1].path.name}.png")
    draw_sheet(sheet, path)
    return path


def organ_readers(run: Run, field: str) -> list[OrganReader]:
    """Return the organs of a run, those in the trunk first."""
    readers = [OrganReader(run, organ, field) for organ in run.organs]
    return sorted(readers, key=lambda reader: reader.body_part not in ("lungs", "heart", "kidney"))


def patient_scales(sets: Sequence[Sequence[OrganReader]]) -> tuple[Scale, dict[str, Scale]]:
    """Return the scale of all organs of some runs, and those of the dots of each inset; one end of the colors."""
    every = [reader for readers in sets for reader in readers]
    whole = shared_scale(every, MOST_DOTS)
    insets = {
        reader.organ: replace(
            whole,
            per_dot=shared_scale(
                [other for other in every if other.organ == reader.organ], MOST_DOTS // 2, top=whole.top
            ).per_dot,
        )
        for reader in sets[0]
        if reader.body_part not in ("lungs", "heart", "kidney")
    }
    return whole, insets


def read_patient(
    run: Run,
    readers: Sequence[OrganReader],
    days: Sequence[float],
    scale: Scale,
    insets: dict[str, Scale],
    *,
    between: bool = False,
) -> Patient:
    """Return the organs of ``run`` on the frames nearest to ``days``, or on these days themselves (``between``)."""
    trunk, beside = [], []
    for reader in readers:
        own = insets.get(reader.organ, scale)
        if between:
            frames = [reader.between(float(day), own) for day in days]
        else:
            frames = [reader.frame(index, own) for index in sorted({reader.index_of(day) for day in days})]
        pictures = reader.pictures(frames, own)
        place = place_in_body(pictures)
        if place is None:
            beside.append(pictures)
        else:
            trunk.append(placed(pictures, place))
    return Patient(run, tuple(trunk), tuple(beside))


def trunk_view(height: int = TRUNK_HEIGHT) -> View:
    """Return the view of the trunk from the front, ``height`` pixels high."""
    left, right, low, high = TRUNK
    corners = np.array([[x, 0.0, z] for x in (left, right) for z in (low, high)])
    return frame_view(corners, FRONT, UP, (0.0, 0.0), height)


def draw_patients(patients: Sequence[Patient], renderer: Renderer | None = None) -> list[list[list[Panel]]]:
    """Return for each patient and day the panels: the trunk, then the insets."""
    sets = [patient_scenes(patient) for patient in patients]
    images, views = draw_scenes([scene for scenes in sets for scene in scenes], renderer)
    result, start = [], 0
    for patient, scenes in zip(patients, sets, strict=True):
        end = start + len(scenes)
        result.append(patient_panels(patient, images[start:end], views[start:end]))
        start = end
    return result


def patient_scenes(patient: Patient, trunk: int = TRUNK_HEIGHT, inset: int = INSET_HEIGHT) -> list[Scene]:
    """Return the scene of the trunk and one for each inset, ``trunk`` and ``inset`` pixels high."""
    scenes, days = [], len(patient.days)
    if patient.trunk:
        shots = [Shot(organ, frame_view(organ.points(), FRONT, UP, (0.0, 0.0))) for organ in patient.trunk]
        cameras = (trunk_view(trunk),) * days
        scenes.append(Scene("cut", tuple(shots), cameras, body=outline(), dot_size=DOT_SIZE))
    for organ in patient.insets:
        view = organ_view(organ.points(), height=inset, stance=organ.stance())
        scenes.append(Scene("cut", (Shot(organ, view),), (view,) * days))
    return scenes


def patient_panels(
    patient: Patient, images: Sequence[Sequence[Image]], views: Sequence[View]
) -> list[list[Panel]]:
    """Return for each day the panels from the images of `patient_scenes` and the views they were drawn in."""
    panels: list[list[Panel]] = [[] for _ in patient.days]
    drawn = list(zip(images, views, strict=True))
    if patient.trunk:
        pictures, view = drawn.pop(0)
        for number, image in enumerate(pictures):
            panels[number].append(_trunk_panel(patient, number, image, view))
    for organ, (pictures, view) in zip(patient.insets, drawn, strict=True):
        for number, image in enumerate(pictures):
            panels[number].append(_inset_panel(organ, number, image, view))
    return panels


def _trunk_panel(patient: Patient, number: int, image: Image, view: View) -> Panel:
    every = [layer for organ in patient.trunk for layer in organ.frames[number].layers]
    layers = []
    for key in dict.fromkeys(layer.key for layer in every):
        own = [layer for layer in every if layer.key == key]
        total = sum(layer.total for layer in own)
        layers.append(Layer(key, own[0].name, np.empty((0, 3)), own[0].per_dot, total))
    labels = organ_labels(patient.trunk, number, view)
    return Panel(view, "", tuple(layers), image, labels=labels, triad=False)


def _inset_panel(organ: Pictures, number: int, image: Image, view: View) -> Panel:
    layers = organ.frames[number].layers
    worth = " or ".join(f"{layer.per_dot:,.0f}" for layer in layers)
    text = f"{_facts(organ, number)}\n1 dot = {worth} cells" if layers else _facts(organ, number)
    return Panel(view, "", (), image, labels=(Label(0.0, -0.02, text, "below"),), triad=False)


def organ_labels(organs: Sequence[Pictures], number: int, view: View) -> tuple[Label, ...]:
    """Return a label per organ at the nearer side of the picture, with a line to it; those of a side do not meet."""
    half_width = view.half_height * view.width / view.height
    placed_at = []
    for organ in organs:
        points = organ.points() - view.focus
        across, upward = points @ view.screen_right, points @ view.screen_up
        left = bool(across.mean() < (15.0 if organ.body_part == "lungs" else 0.0))
        end = across.min() if left else across.max()
        tip = int(np.argmin(np.abs(across - (0.75 * end + 0.25 * across.mean()))))
        x, y = 0.5 + across[tip] / (2 * half_width), 0.5 + upward[tip] / (2 * view.half_height)
        placed_at.append((left, float(x), float(y), _facts(organ, number)))
    labels = []
    for side in (True, False):
        own = sorted((entry for entry in placed_at if entry[0] is side), key=lambda entry: -entry[2])
        height = 1.0
        for _, x, y, text in own:
            height = min(height - LABEL_ROOM, y)
            labels.append(
                Label(EDGE if side else 1.0 - EDGE, height, text, "left" if side else "right", line_to=(x, y))
            )
    return tuple(labels)


def _facts(organ: Pictures, number: int) -> str:
    """Return the name of an organ, the mean of the field and its cells, a line each."""
    frame = organ.frames[number]
    own = np.isfinite(frame.values) & (organ.fraction > 0)
    mean = float(np.average(frame.values[own], weights=organ.fraction[own]))
    cells = [
        f"{count_text(layer.total)} {'B' if layer.key == 'autoreactive' else 'CAR T'}"
        for layer in frame.layers
    ]
    return "\n".join([organ_title(organ.organ), f"mean {mean:.2g} {unit_text(organ.unit)}".rstrip(), *cells])


def still_sheet(column: Sequence[Panel], title: str, arm: str, pictures: Pictures) -> Sheet:
    """Return a sheet of one day: the trunk at the left, the insets in a column beside it."""
    foot = FOOT + LEGEND_ROW * max(1, len(column[0].layers))
    main = Place(column[0], SIDE, foot, IMAGE_HEIGHT)
    places, right = [main], SIDE + main.width + 0.3
    insets = column[1:] if len(column[0].layers) or len(column) > 1 else []
    height = min(2.1, (IMAGE_HEIGHT - 0.3) / max(1, len(insets)) - 1.25)
    top = foot + IMAGE_HEIGHT
    widest = 0.0
    for panel in insets:
        places.append(Place(panel, right, top - height, height, own_scale=True))
        widest = max(widest, places[-1].width, 1.6)
        top -= height + 1.25
    size = (right + widest + BAR_COLUMN + SIDE, HEAD + foot + IMAGE_HEIGHT)
    return Sheet(tuple(places), size, title, arm, _note(column), pictures)


def columns_sheet(
    columns: Sequence[Sequence[Panel]], texts: Sequence[str], title: str, arm: str, pictures: Pictures
) -> Sheet:
    """Return a sheet with a column per day or run: the trunk, and the insets in a row below it."""
    insets = max(len(column) for column in columns) - 1
    below = (1.7 + 1.25) if insets else 0.0
    foot = FOOT + LEGEND_ROW * max(1, len(columns[0][0].layers))
    places, left = [], SIDE
    for column, text in zip(columns, texts, strict=True):
        main = Place(replace(column[0], caption=text), left, below + foot, IMAGE_HEIGHT * 0.86)
        places.append(main)
        step = main.width / max(1, insets)
        for number, panel in enumerate(column[1:]):
            height = min(1.7, (step - 0.15) / panel.aspect)
            places.append(Place(panel, left + number * step, below - height - 0.1, height, own_scale=True))
        left += main.width + GAP
    size = (left - GAP + BAR_COLUMN + SIDE, HEAD + SUBHEAD + IMAGE_HEIGHT * 0.86 + foot + below)
    return Sheet(tuple(places), size, title, arm, _note(columns[0]), pictures)


def _note(column: Sequence[Panel]) -> str:
    return dots_note(column[0].layers, None).replace("of the whole organ", "near the cut faces")
