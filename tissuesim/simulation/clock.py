"""Step control on the integer clock: dt = tick x 2^k, chosen from hazards before the step, never rejected after it."""

from __future__ import annotations

from tissuesim.errors import NumericsError
from tissuesim.ticks import TICKS_PER_DAY, power_of_two_below

LARGEST_EXIT = 0.5
"""Largest hazard x dt of a voxel process (numerics.md: exits and killing)."""

LARGEST_MOVE = 0.5
"""Largest probability bound dt x sum of face hazards in one movement sub-step."""

LONGEST_MOVE = TICKS_PER_DAY * 2 // 3
"""Movement is carried out at least about this often (4096 ticks = 2/3 day)."""


def aligned(tick: int, longest: int) -> int:
    """The greatest power of two that divides ``tick`` and is not above ``longest`` (any, at tick 0)."""
    length = power_of_two_below(longest)
    while tick % length:
        length //= 2
    return length


def next_step(tick: int, previous: int, hazard: float, longest: int, shortest: int, stop: int) -> int:
    """Ticks of the next step: at most twice the last, dividing the clock, not beyond ``stop``.

    Raises:
        NumericsError: the hazard asks for a step below ``shortest`` (the sentence gives the step that would be
            stable), or is not a finite number.
    """
    _refuse_unbounded(hazard, "process", tick)
    stable = int(min(LARGEST_EXIT / hazard * TICKS_PER_DAY, longest)) if hazard > 0 else longest
    if stable < shortest and stable < stop - tick:
        raise NumericsError(
            f"the fastest process (rate {hazard:.3g} 1/day on day {tick / TICKS_PER_DAY:g}) needs a step of at most "
            f"{LARGEST_EXIT / hazard * 1440:.3g} min; set time.minimum_step to that or less"
        )
    return aligned(tick, max(min(2 * previous, stable, longest, power_of_two_below(stop - tick)), 1))


def movement_step(tick: int, dt_ticks: int, hazard: float) -> tuple[int, int]:
    """Ticks one movement covers (at least the step, aligned) and the number of its stable sub-steps.

    A sub-step may be shorter than a tick: it is a share of what the movement covers.

    Raises:
        NumericsError: the hazard is not a finite number.
    """
    _refuse_unbounded(hazard, "movement", tick)
    stable = LARGEST_MOVE / hazard * TICKS_PER_DAY if hazard > 0 else float(LONGEST_MOVE)
    covered = max(aligned(tick, max(int(min(stable, LONGEST_MOVE)), 1)), dt_ticks)
    substeps = 1
    while covered > substeps * stable:
        substeps *= 2
    return covered, substeps


def _refuse_unbounded(hazard: float, what: str, tick: int) -> None:
    if not hazard < float("inf"):
        raise NumericsError(
            f"the rate of a {what} is {hazard:g} on day {tick / TICKS_PER_DAY:g}; it must be a finite number"
        )
