"""All clinical readouts of one patient, from the totals of a run."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import numpy as np

from tissuesim.readouts.blood import blood
from tissuesim.readouts.catalogue import load_catalogue
from tissuesim.readouts.course import Course, Series, added
from tissuesim.readouts.endpoints import BASELINE_DAY
from tissuesim.readouts.flare import flaring, remission
from tissuesim.readouts.lupus import lupus
from tissuesim.readouts.muscle import muscle
from tissuesim.readouts.organs import organs as organ_readouts
from tissuesim.readouts.sclerosis import sclerosis

DISEASES = ("sle", "ssc", "iim")
"""Diseases with instruments of their own; a run without a disease is read as lupus, the model's default."""

KINDS = ("kidney", "lungs", "heart", "skin", "joint", "muscle")
"""Kinds of organ that have readouts of their own."""


def course_of(days: Series, totals: Mapping[str, Any], organs: Mapping[str, str]) -> Course:
    """The course of a patient, with the constants of the catalogue."""
    series = {name: np.asarray(column, np.float64) for name, column in totals.items()}
    return Course(np.asarray(days, np.float64), series, dict(organs), load_catalogue().values())


def clinical(
    days: Series,
    totals: Mapping[str, Any],
    organs: Mapping[str, str],
    disease: str | None = None,
    *,
    baseline_day: float = BASELINE_DAY,
) -> dict[str, Series]:
    """Every readout that the run has what is needed for, in the order of the catalogue; each (k,) over ``days``.

    ``days`` (k,) since infusion, rising. ``totals`` are columns (k,) of a run in canonical units (mm, day, cell, pM),
    also the summaries of each organ, ``<organ>.inflammation_load`` and so on. ``organs`` maps the name of an organ
    to its kind (``KINDS``, or any other). ``disease`` chooses the instruments: ``sle`` (also None) C3, SLEDAI-2K,
    DORIS and LLDAS; ``ssc`` the EUSTAR index and mRSS; ``iim`` CK, MMT-8 and TIS; with another name only what belongs
    to no disease. ``baseline_day`` is "before treatment". A readout whose organ or pool is not in the run is absent.
    """
    course = course_of(days, totals, organs)
    if course.days.size == 0:
        return {}
    return clinical_of(course, disease, baseline_day)


def clinical_of(course: Course, disease: str | None, baseline_day: float) -> dict[str, Series]:
    """The same, of a course."""
    chosen = "sle" if disease is None else disease
    found = blood(course) | organ_readouts(course)
    if chosen == "sle":
        found |= lupus(course, found)
    elif chosen == "ssc":
        found |= sclerosis(course, found)
    elif chosen == "iim":
        found |= muscle(course, baseline_day)
    if chosen != "ssc":
        found.pop("mrss", None)
    if chosen in ("ssc", "iim"):  # their antibodies do not use up complement
        found.pop("c3", None)
    reached = remission(course, found, chosen)
    if reached is not None:
        found["remission"] = reached
    if course.organs and "b_per_ul" in found and "car_t_per_ul" in found:
        counted = [flaring(course, organ, baseline_day) for organ in course.organs]
        found["local_flare"] = added(*(np.where(now, 1.0, 0.0) for now in counted))
    order = {name: place for place, name in enumerate(load_catalogue().readouts)}
    return dict(sorted(found.items(), key=lambda item: order.get(item[0], len(order))))


class Clinic:
    """One patient in the clinic: readouts, local flares and endpoints of the same course, each worked out once."""

    def __init__(
        self,
        days: Series,
        totals: Mapping[str, Any],
        organs: Mapping[str, str],
        disease: str | None = None,
        baseline_day: float = BASELINE_DAY,
    ) -> None:
        """Keep what ``clinical`` takes."""
        self.course = course_of(days, totals, organs)
        self.disease, self.baseline_day = disease, baseline_day

    @cached_property
    def readouts(self) -> dict[str, Series]:
        """The readouts by name."""
        return clinical_of(self.course, self.disease, self.baseline_day) if self.course.days.size else {}

    @cached_property
    def endpoints(self) -> dict[str, float | None]:
        """Endpoints of the course and of the readouts, None where they did not happen."""
        from tissuesim.readouts.clinical_endpoints import clinical_endpoints
        from tissuesim.readouts.endpoints import endpoints

        course = self.course
        general = endpoints(course.days, course.totals, baseline_day=self.baseline_day)
        return general | clinical_endpoints(course, self.readouts, self.disease, self.baseline_day)
