"""Step control: dyadic steps on the integer clock that land on events and refuse to be too long."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tissuesim.errors import NumericsError
from tissuesim.simulation.clock import (
    LARGEST_EXIT,
    LARGEST_MOVE,
    LONGEST_MOVE,
    aligned,
    movement_step,
    next_step,
)
from tissuesim.ticks import TICKS_PER_DAY

HOUR = TICKS_PER_DAY // 24
clock_ticks = st.integers(-(10**7), 10**7)


def is_power_of_two(number: int) -> bool:
    """1, 2, 4, ..."""
    return number > 0 and number & (number - 1) == 0


@given(tick=clock_ticks, longest=st.integers(1, 10**6))
def test_aligned_steps_divide_the_clock(tick: int, longest: int) -> None:
    """Claim: the aligned step is the greatest power of two that fits the limit and divides the clock."""
    step = aligned(tick, longest)
    assert is_power_of_two(step) and step <= longest and tick % step == 0
    assert 2 * step > longest or tick % (2 * step) != 0


@settings(max_examples=200)
@given(
    start=st.integers(-20_000, 20_000),
    gaps=st.lists(st.integers(1, 5_000), min_size=1, max_size=5),
    hazards=st.lists(st.floats(0.0, 40.0), min_size=1, max_size=20),
)
def test_steps_land_on_every_stop(start: int, gaps: list[int], hazards: list[float]) -> None:
    """Claim: whatever the hazards, steps are dyadic, aligned, at most double, within limits and meet every stop."""
    tick, previous, count = start, 64, 0
    for gap in gaps:
        stop = tick + gap
        while tick < stop:
            hazard = hazards[count % len(hazards)]
            step = next_step(tick, previous, hazard, 2048, 64, stop)
            assert is_power_of_two(step) and tick % step == 0 and step <= min(2 * previous, 2048)
            assert hazard * step / TICKS_PER_DAY <= LARGEST_EXIT
            tick, previous, count = tick + step, step, count + 1
            assert tick <= stop
        assert tick == stop


def test_steps_grow_to_the_longest() -> None:
    """Claim: nothing urgent, the step doubles from 15 min to 8 h as soon as the clock allows."""
    tick, previous, seen = 0, 64, []
    for _ in range(12):
        previous = next_step(tick, previous, 0.0, 2048, 64, 10**6)
        seen.append(previous)
        tick += previous
    assert seen[:6] == [128, 128, 256, 512, 1024, 2048] and seen[6:] == [2048] * 6


@pytest.mark.parametrize("hazard", [100.0, 2000.0, 1e5])
def test_refuses_with_the_stable_step(hazard: float) -> None:
    """Claim: a rate that needs less than time.minimum_step is refused, with the step that would be stable."""
    with pytest.raises(NumericsError, match=r"rate .* 1/day on day 2\.5.*time\.minimum_step") as refusal:
        next_step(int(2.5 * TICKS_PER_DAY), 64, hazard, 2048, 64, 10**6)
    found = re.search(r"at most ([\d.e+-]+) min", str(refusal.value))
    assert found is not None
    minutes = float(found.group(1))
    assert 0.0 < minutes <= 1.01 * LARGEST_EXIT / hazard * 1440, "not a stable step"


def test_no_refusal_where_the_stop_is_nearer() -> None:
    """Claim: a stop one tick ahead is reached by a step of one tick even where longer steps are the rule."""
    assert next_step(1023, 64, 100.0, 2048, 64, 1024) == 1


@pytest.mark.parametrize("hazard", [float("nan"), float("inf")])
def test_a_rate_that_is_no_number_is_refused(hazard: float) -> None:
    """Claim: NaN or infinity as the largest rate stops the run instead of giving it the longest step."""
    with pytest.raises(NumericsError):
        next_step(0, 64, hazard, 2048, 64, 10**6)


@given(tick=clock_ticks, step=st.sampled_from([1, 16, 64, 256, 2048]), hazard=st.floats(0.0, 3000.0))
def test_movement_is_stable_in_its_substeps(tick: int, step: int, hazard: float) -> None:
    """Claim: movement covers at least the step and its sub-steps keep the moving share below one half."""
    tick -= tick % step
    covered, substeps = movement_step(tick, step, hazard)
    assert is_power_of_two(covered) and is_power_of_two(substeps)
    assert step <= covered <= max(LONGEST_MOVE, step) and tick % covered == 0
    if hazard < LARGEST_MOVE * TICKS_PER_DAY:
        assert hazard * covered / substeps / TICKS_PER_DAY <= LARGEST_MOVE


@settings(max_examples=100)
@given(
    start=st.integers(-5_000, 5_000),
    draws=st.lists(st.tuples(st.floats(0, 20.0), st.floats(0, 200.0)), min_size=5, max_size=30),
)
def test_movement_covers_time_once(start: int, draws: list[tuple[float, float]]) -> None:
    """Claim: with changing steps, every movement begins exactly where the last one ended."""
    tick, previous, due = start, 64, start
    for hazard, crawl in draws * 5:
        step = next_step(tick, previous, hazard, 2048, 64, 10**9)
        assert tick <= due, "time without movement"
        if tick >= due:
            covered, _ = movement_step(tick, step, crawl)
            due = tick + covered
        tick, previous = tick + step, step
