"""The effect level of a drug over time."""

from __future__ import annotations

import numpy as np
import pytest

from tissuesim.config.drug import Drug
from tissuesim.treatment.course import level, staircase


def drug(**keys: object) -> Drug:
    """Return a course from day 0 to 100 with some keys changed."""
    return Drug.model_validate({"type": "drug", "name": "x", "on": 0, "off": 100, **keys})


def test_without_half_lives_a_drug_is_on_or_off() -> None:
    """The default keeps the old meaning: full strength at once, nothing after the stop."""
    assert [(day, value) for day, value, _ in staircase([drug()])] == [(0, 1.0), (100, 0.0)]


def test_the_level_rises_and_falls_with_its_half_lives() -> None:
    """Half way after one half-life of the onset, half left after one of the offset."""
    course = drug(onset_half_life="10 day", offset_half_life="20 day")
    assert level([course], -1) == 0.0
    assert level([course], 10) == pytest.approx(0.5)
    assert level([course], 20) == pytest.approx(0.75)
    assert level([course], 120) == pytest.approx(0.5 * level([course], 100))


@pytest.mark.parametrize(
    "keys",
    [
        {"onset_half_life": "10 day", "offset_half_life": "20 day"},
        {"onset_half_life": "0.3 day", "offset_half_life": "0.7 day"},
        {"onset_half_life": "5 day", "offset_half_life": "3 day", "changes": [{"day": 40, "strength": 0.3}]},
        {
            "onset_half_life": "2 day",
            "offset_half_life": "3 day",
            "taper": {"start": 10, "end": 80, "strength": 0.1},
        },
    ],
)
def test_the_staircase_has_the_area_of_the_curve(keys: dict[str, object]) -> None:
    """The pool follows the exact curve in steps: within a third of a step's fall, and 2 % in its integral."""
    course = drug(**keys)
    steps = staircase([course])
    days = np.linspace(0, 260, 26_001)
    exact = np.array([level([course], day) for day in days])
    begin = np.array([day for day, _, _ in steps])
    values = np.array([value for _, value, _ in steps])
    held = values[np.searchsorted(begin, days, side="right") - 1]
    assert np.trapezoid(held, days) == pytest.approx(np.trapezoid(exact, days), rel=0.02)
    assert np.abs(held - exact).max() < 0.32
    assert np.all(np.diff(begin) >= 0) and values[-1] == 0.0


def test_a_taper_goes_down_week_by_week() -> None:
    """From the strength before it to its own end, in equal steps about a week apart."""
    steps = drug(taper={"start": 10, "end": 80, "strength": 0.2}).steps()
    days, strengths = zip(*steps, strict=True)
    assert days[:2] == (0, 10) and days[-2:] == (80, 100)
    assert np.diff(days[1:-1]) == pytest.approx([7.0] * 10)
    assert np.diff(strengths[:-1]) == pytest.approx([-0.8 / 11] * 11)
    assert strengths[-2:] == (pytest.approx(0.2), 0.0)


def test_a_course_after_another_starts_from_what_is_left() -> None:
    """The level of a second course begins where the offset of the first has come to."""
    first = drug(off=50, offset_half_life="20 day")
    second = drug(on=70, off=90, strength=0.2, offset_half_life="20 day", onset_half_life="1 day")
    assert level([first, second], 70) == pytest.approx(0.5)
    assert level([first, second], 90) == pytest.approx(0.35)
    values = [value for day, value, _ in staircase([first, second]) if 70 <= day < 90]
    assert values == sorted(values, reverse=True) and values[0] < 0.5


def test_a_course_that_follows_at_once_goes_on_from_the_same_level() -> None:
    """A stop on the day on which the next course begins is no stop: the level neither falls nor climbs again."""
    first = drug(off=50, onset_half_life="10 day", offset_half_life="20 day")
    second = drug(on=50, off=90, onset_half_life="10 day", offset_half_life="20 day")
    steps = staircase([first, second])
    begin, values = (np.array([step[k] for step in steps]) for k in (0, 1))
    for day in np.arange(20.0, 90.0):
        held = values[np.searchsorted(begin, day, side="right") - 1]
        assert held == pytest.approx(level([first, second], day), abs=0.1), day
    assert values[(begin >= 20) & (begin < 90)].min() > 0.75
