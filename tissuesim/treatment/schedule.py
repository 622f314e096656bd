"""Schedules that cannot be: two courses at once, chemotherapy on infused cells, cells collected during chemotherapy."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from tissuesim.errors import InputError

if TYPE_CHECKING:
    from tissuesim.config.treatment import Antibody, CarTCells, Drug, Lymphodepletion

    Item = CarTCells | Lymphodepletion | Antibody | Drug


def refuse_impossible(treatment: Sequence[Item]) -> None:
    """Raise InputError where listed treatments cannot be given together."""
    _refuse_overlap(treatment)
    _refuse_two_on_one_day(treatment)
    courses = [item for item in treatment if item.type == "lymphodepletion"]
    for position, item in enumerate(treatment):
        if item.type != "car_t":
            continue
        for course in courses:
            if course.first_day <= item.day < course.last_day:
                raise InputError(
                    f"treatment[{position}]: CAR T cells on day {item.day:g} fall into lymphodepletion on days "
                    f"{course.first_day:g} to {course.last_day:g}, which would kill them"
                )
            collected = item.leukapheresis
            if collected is not None and course.first_day <= collected < course.last_day:
                raise InputError(
                    f"treatment[{position}]: leukapheresis on day {collected:g} (day {item.day:g} less vein_to_vein) "
                    f"falls into lymphodepletion on days {course.first_day:g} to {course.last_day:g}"
                )


def _refuse_overlap(treatment: Sequence[Item]) -> None:
    """Two courses that set one pool must not overlap: the end of the first would stop the second."""
    courses: dict[str, list[tuple[float, float]]] = {}
    for item in treatment:
        if item.type == "drug":
            courses.setdefault(f"drug '{item.name}'", []).append((item.on, item.off))
        elif item.type == "lymphodepletion":
            courses.setdefault("lymphodepletion", []).append((item.first_day, item.last_day))
    for name, spans in courses.items():
        ordered = sorted(spans)
        for (first, last), (start, _) in pairwise(ordered):
            if start < last:
                spans_text = f"days {first:g} to {last:g} and from day {start:g}"
                raise InputError(f"treatment: two courses of {name} overlap ({spans_text})")


def _refuse_two_on_one_day(treatment: Sequence[Item]) -> None:
    seen: dict[tuple[str, float], int] = {}
    for position, item in enumerate(treatment):
        if item.type == "car_t":
            doses = [("CAR T cells", item.day)]
        elif item.type == "antibody":
            doses = [(item.name, day) for day in item.days]
        else:
            continue
        for dose in doses:
            if dose in seen:
                raise InputError(
                    f"treatment[{position}]: {dose[0]} are given on day {dose[1]:g} by treatment[{seen[dose]}] already"
                )
            seen[dose] = position
