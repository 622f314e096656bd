"""What a movie is of: one organ as a scene or in sections, or a whole patient; each is a series of sheets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from tissuesim.run import Run

from .compose import Sheet, side_by_side
from .frames import OrganReader, Pictures, Scale
from .offscreen import Image, Scene
from .patient import Patient, patient_panels, patient_scenes, read_patient, still_sheet
from .stage import note, shots_and_camera, view_panels
from .style import day_text, organ_title
from .view import TURN, View, swung

PICTURE_HEIGHT, INSET_HEIGHT = 720, 330  # pixels
SWING = np.deg2rad(20.0)  # the camera turns so far to either side and is back at the end
Days = NDArray[np.float64]


class Film(Protocol):
    """A series of sheets with one layout. ``read`` and ``scenes`` are for any part of it, in any order."""

    name: str  # of its files
    size: int  # values of one frame

    def read(self, part: Sequence[int]) -> Any:
        """Return what the frames with the numbers ``part`` show."""

    def scenes(self, taken: Any, part: Sequence[int]) -> list[Scene]:
        """Return the scenes that have to be drawn for what was read; none if they are painted."""

    def sheets(
        self, taken: Any, images: Sequence[Sequence[Image]], views: Sequence[Sequence[View]], *, flat: bool
    ) -> Iterator[tuple[float, Sheet]]:
        """Yield (day, sheet) from the ``images`` of each scene and the views they were drawn in.

        ``flat``: they are sections, since no scene could be drawn.
        """


class OrganFilm:
    """One organ while the camera swings, fields and cells linear between the frames; sections stand still."""

    def __init__(self, reader: OrganReader, view: str, moments: Days, scale: Scale, arm: str) -> None:
        """Take the days ``moments`` of ``reader`` in ``view``; the first one decides where the camera stands."""
        self.reader, self.view, self.moments, self.scale, self.arm = reader, view, moments, scale, arm
        self.name = f"{reader.organ}_{reader.field}" + ("" if view == "cut" else f"_{view}")
        self.size = reader.fraction.size
        if view == "section":
            return
        first = self.read([0])
        (self.shot,), camera = shots_and_camera(view, [first], PICTURE_HEIGHT)
        turns = SWING * np.sin(2.0 * np.pi * np.arange(moments.size) / moments.size)
        swings = self.shot.exploded is None
        self.cameras = swung(first.points(), camera, TURN + turns) if swings else [camera] * int(moments.size)

    def read(self, part: Sequence[int]) -> Pictures:
        """Return the moments ``part``."""
        frames = [self.reader.between(float(self.moments[number]), self.scale) for number in part]
        return self.reader.pictures(frames, self.scale)

    def scenes(self, taken: Pictures, part: Sequence[int]) -> list[Scene]:
        """Return the organ with a camera for each moment; nothing for sections."""
        if self.view == "section":
            return []
        shot = replace(self.shot, pictures=taken)
        return [Scene(self.view, (shot,), tuple(self.cameras[number] for number in part))]

    def sheets(
        self,
        taken: Pictures,
        images: Sequence[Sequence[Image]],
        views: Sequence[Sequence[View]],
        *,
        flat: bool,
    ) -> Iterator[tuple[float, Sheet]]:
        """Yield a sheet with one panel for each moment."""
        from .slices import Slices

        cuts = Slices(taken) if self.view == "section" else None
        for number, frame in enumerate(taken.frames):
            one = replace(taken, frames=(frame,))
            if cuts is not None:
                panel = cuts.panel(frame, "")
            else:
                panel = view_panels(self.shot, one, [images[0][number]], views[0][number], flat=flat)[0]
            title = f"{organ_title(taken.organ)}, {day_text(round(frame.day))}"
            yield frame.day, side_by_side([[panel]], title, self.arm, note(self.view, panel, one), one)


class PatientFilm:
    """All organs in the body, which stands still so that the lines from their names stay on them."""

    def __init__(
        self,
        run: Run,
        readers: Sequence[OrganReader],
        moments: Days,
        scales: tuple[Scale, dict[str, Scale]],
        arm: str,
    ) -> None:
        """Take the days ``moments`` of all organs."""
        self.run, self.readers, self.moments, self.scales, self.arm = run, readers, moments, scales, arm
        self.name = f"patient_{readers[0].field}"
        self.size = sum(reader.fraction.size for reader in readers)

    def read(self, part: Sequence[int]) -> Patient:
        """Return the moments ``part`` of every organ."""
        days = [float(self.moments[number]) for number in part]
        return read_patient(self.run, self.readers, days, *self.scales, between=True)

    def scenes(self, taken: Patient, part: Sequence[int]) -> list[Scene]:
        """Return the trunk and each organ beside it."""
        return patient_scenes(taken, PICTURE_HEIGHT, INSET_HEIGHT)

    def sheets(
        self,
        taken: Patient,
        images: Sequence[Sequence[Image]],
        views: Sequence[Sequence[View]],
        *,
        flat: bool,
    ) -> Iterator[tuple[float, Sheet]]:
        """Yield a sheet as that of a still for each moment."""
        columns = patient_panels(taken, images, [each[0] for each in views])
        for day, column in zip(taken.days, columns, strict=True):
            yield day, still_sheet(column, f"Patient, {day_text(round(day))}", self.arm, taken.colored)
