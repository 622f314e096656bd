"""From frames to panels: each way to look at one organ, for one run or for several that are compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from tissuesim.errors import InputError, nearest

from .compose import Label, Panel, dots_note
from .explode import Exploded, explode
from .frames import Frame, Pictures
from .offscreen import Image, Renderer, Scene, Shot, draw_scenes
from .slices import Slices
from .style import split_label
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


def draw_panels(view: str, series: Sequence[Pictures], renderer: Renderer | None = None) -> list[list[Panel]]:
    """Return one panel per frame for each of ``series`` (the same organ in runs that are compared)."""
    if view == "section":
        cuts = [Slices(pictures) for pictures in series]
        return [
            [cut.panel(frame, "", names=number == 0) for number, frame in enumerate(pictures.frames)]
            for cut, pictures in zip(cuts, series, strict=True)
        ]
    shots, cameras = shots_and_camera(view, series)
    scenes = [
        Scene(view, (shot,), (cameras,) * len(pictures.frames))
        for shot, pictures in zip(shots, series, strict=True)
    ]
    images, drawn = draw_scenes(scenes, renderer)
    return [
        view_panels(shot, pictures, images[number], drawn[number], drawn[number] is not cameras)
        for number, (shot, pictures) in enumerate(zip(shots, series, strict=True))
    ]


def view_panels(
    shot: Shot, pictures: Pictures, images: Sequence[Image], view: View, flat: bool
) -> list[Panel]:
    """Return the panels of ``images``, one per frame of ``pictures``; ``flat`` sections are not taken apart."""
    apart = None if flat else shot.exploded
    return [
        Panel(
            view,
            "",
            frame.layers,
            image,
            labels=part_labels(apart, pictures, frame, view),
            bar_below=apart is not None,
        )
        for frame, image in zip(pictures.frames, images, strict=True)
    ]


def note(view: str, panel: Panel, pictures: Pictures) -> str:
    """Return what the dots and numbers of a sheet in ``view`` are."""
    depth = panel.view.depth if view in ("cut", "section") else None
    name = split_label(pictures.label).name
    return dots_note(panel.layers, depth, f"numbers: mean {name} of a region" if panel.labels else "")


def shots_and_camera(
    view: str, series: Sequence[Pictures], height: int = PICTURE_HEIGHT
) -> tuple[list[Shot], View]:
    """Return the organs of a comparison and the one camera that holds them all."""
    if view == "explode":
        apart = [explode(pictures, height) for pictures in series]
        largest = max((camera for _, camera in apart), key=lambda camera: camera.half_height)
        shots = [
            Shot(pictures, exploded.cut, exploded)
            for pictures, (exploded, _) in zip(series, apart, strict=True)
        ]
        return shots, largest
    points = np.concatenate([pictures.points() for pictures in series])
    camera = organ_view(points, height=height, stance=series[0].stance())
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
