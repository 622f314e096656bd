"""The integer clock: one tick is 1/6144 day, so one hour is exactly 256 ticks."""

from __future__ import annotations

TICKS_PER_DAY = 6144
"""Ticks in one day (24 hours of 2^8 ticks)."""


def ticks(days: float) -> int:
    """Return the tick nearest to a time in days (half a tick is 7 seconds)."""
    return round(days * TICKS_PER_DAY)


def days(tick: int) -> float:
    """Return the time of a tick in days."""
    return tick / TICKS_PER_DAY


def power_of_two_below(count: int) -> int:
    """Return the greatest power of two that is not above ``count``, at least 1: a step of the clock."""
    return 1 << (max(count, 1).bit_length() - 1)
