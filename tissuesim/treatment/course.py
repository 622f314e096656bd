"""The effect level of a drug over time: it follows its dose with a half-life up and another one down.

While the strength s does not change,  level(t) = s + (level(t0) - s) 2^(-(t - t0) / half-life),  with the half-life of
the onset where the strength lies above the level and that of the offset where it lies below. The pool of the drug takes
the mean of this curve over short spans, so that its integral over time is exact.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tissuesim.config.drug import Drug

SPANS_PER_HALF_LIFE = 2.0
SHORTEST_SPAN = 0.25  # day
CLOSE = 0.01
"""A level this close to the strength has arrived."""


def level(courses: Sequence[Drug], day: float) -> float:
    """Return the effect level of one drug on a day; ``courses`` in order of time, not overlapping."""
    value, since, target, rate = 0.0, -math.inf, 0.0, math.inf
    for start, strength, course in _targets(courses):
        if start > day:
            break
        value = _relaxed(value, target, rate, start - since)
        since, target = start, strength
        rate = _rate(course, value, strength)
    return _relaxed(value, target, rate, day - since)


def staircase(courses: Sequence[Drug]) -> list[tuple[float, float, Drug]]:
    """Return (day, level from that day on, course) of one drug, in order of time."""
    found: list[tuple[float, float, Drug]] = []
    targets = _targets(courses)
    value = 0.0
    for position, (start, strength, course) in enumerate(targets):
        end = targets[position + 1][0] if position + 1 < len(targets) else math.inf
        rate = _rate(course, value, strength)
        day = start
        while math.isfinite(rate) and abs(value - strength) > CLOSE and day < end:
            span = min(_span(math.log(2.0) / rate), end - day)
            after = _relaxed(value, strength, rate, span)
            found.append((day, strength + (value - after) / (rate * span), course))
            value, day = after, day + span
        if day < end:  # not for a stop on the day on which the next course begins: its level goes on
            value = strength
            found.append((day, strength, course))
    return found


def _span(half_life: float) -> float:
    """Whole days where there is a day to have, else quarters: the steps of a run end on such days by themselves."""
    wanted = half_life / SPANS_PER_HALF_LIFE
    return max(math.floor(wanted), math.floor(4.0 * wanted) / 4.0 if wanted < 1.0 else 1.0, SHORTEST_SPAN)


def _targets(courses: Sequence[Drug]) -> list[tuple[float, float, Drug]]:
    return [(day, strength, course) for course in courses for day, strength in course.steps()]


def _rate(course: Drug, value: float, strength: float) -> float:
    half_life = course.onset_half_life if strength > value else course.offset_half_life
    return math.log(2.0) / half_life if half_life > 0.0 else math.inf


def _relaxed(value: float, target: float, rate: float, span: float) -> float:
    if math.isinf(rate) or math.isinf(span):
        return target if span > 0.0 else value
    return target + (value - target) * math.exp(-rate * span)
