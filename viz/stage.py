"""From frames to panels: each way to look at one organ, for one run or for several that are compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from tissuesim.errors import InputError, nearest

from .compose import Label, Panel
from .explode import Exploded, explode
from .frames import Frame, Pictures
from .offscreen import Scene, Shot, draw_scenes
from .slices import Slices
from .view import PICTURE_HEIGHT, View, organ_view

VIEWS = {
    "cut": "the front quarter cut away, the field on the cut faces",
    "iso": "glass, with shells of the field and the cells inside",
    "section": "three sections with contours",
    "explode": "region by region",
    "patient": "all organs where they lie in the body",
}
MOST_DOTS = {"iso": 2500, "explode": 6000, "section": 9000}  # of each kind; where all are seen at once, fewer


def check_view(view: str) -> str:
    """Return ``view``; InputError if there is none of that name."""
    if view not in VIEWS:
        raise InputError(f"--view: '{view}' is not one of {', '.join(VIEWS)}{nearest(view, VIEWS)}")
    return view


def draw_panels(view: str, series: Sequence[Pictures]) -> list[list[Panel]]:
    """Return one panel per frame for each of ``series`` (the same organ in runs that are compared)."""
    if view == "section":
        cuts = [Slices(pictures) for pictures in series]
        return [
            [cut.panel(frame, "", names=number == 0) for number, frame in enumerate(pictures.frames)]
            for cut, pictures in zip(cuts, series, strict=True)
        ]
    shots, cameras = _shots(view, series)
    scenes = [
        Scene(view, (shot,), (cameras,) * len(pictures.frames))
        for shot, pictures in zip(shots, series, strict=True)
    ]
    images, drawn = draw_scenes(scenes)
    panels = []
    for number, (shot, pictures) in enumerate(zip(shots, series, strict=True)):
        apart = shot.exploded if drawn[number] is cameras else None  # flat sections are not taken apart
        panels.append(
            [
                Panel(
                    drawn[number],
                    "",
                    frame.layers,
                    image,
                    labels=part_labels(apart, pictures, frame, cameras),
                )
                for frame, image in zip(pictures.frames, images[number], strict=True)
            ]
        )
    return panels


def note_depth(view: str, panel: Panel) -> float | None:
    """Return how near to a cut the cells are that are shown (mm), or None where all are."""
    return panel.view.depth if view in ("cut", "section") else None


def _shots(view: str, series: Sequence[Pictures]) -> tuple[list[Shot], View]:
    """Return the organs of a comparison and the one camera that holds them all."""
    if view == "explode":
        apart = [explode(pictures, PICTURE_HEIGHT) for pictures in series]
        largest = max((camera for _, camera in apart), key=lambda camera: camera.half_height)
        shots = [
            Shot(pictures, exploded.cut, exploded)
            for pictures, (exploded, _) in zip(series, apart, strict=True)
        ]
        return shots, largest
    points = np.concatenate([pictures.points() for pictures in series])
    camera = organ_view(points, stance=series[0].stance())
    return [Shot(pictures, camera) for pictures in series], camera


def part_labels(exploded: Exploded | None, pictures: Pictures, frame: Frame, view: View) -> tuple[Label, ...]:
    """Return the name of each part and the mean of the field in it, to stand below the part."""
    if exploded is None:
        return ()
    labels = []
    half_width = view.half_height * view.width / view.height
    for label, (left, right, lower, _) in zip(exploded.labels, exploded.boxes, strict=True):
        own = (pictures.region == label) & np.isfinite(frame.values)
        mean = np.average(frame.values[own], weights=pictures.fraction[own])
        x = 0.5 + ((left + right) / 2 - view.focus @ view.screen_right) / (2 * half_width)
        y = 0.5 + (lower - view.focus @ view.screen_up) / (2 * view.half_height)
        name = pictures.region_names[label].replace("_", " ")
        labels.append(Label(float(x), float(y) - 0.005, f"{name}\n{mean:.2g}"))
    return tuple(labels)


def captioned(panel: Panel, caption: str) -> Panel:
    """Return the panel with a heading."""
    return replace(panel, caption=caption)
