"""`Check`: one line of the scorecard, and the few ways in which a measurement is held to theory."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

ORDER_TOLERANCE = 0.15
"""How far a measured order of convergence may be from the order of the method."""


@dataclass(frozen=True)
class Check:
    """What was checked, what theory says, what was measured, and how far apart the two may be."""

    name: str
    theory: float | str
    measured: float
    tolerance: str
    passed: bool


def _check(name: str, theory: float | str, measured: float, tolerance: str, passed: bool) -> Check:
    """A check with its numbers cut to four significant digits, as they are shown."""
    shown = theory if isinstance(theory, str) else float(f"{theory:.4g}")
    return Check(name, shown, float(f"{measured:.4g}"), tolerance, bool(math.isfinite(measured) and passed))


def within(name: str, theory: float, measured: float, tolerance: float) -> Check:
    """The measured value lies within an absolute tolerance of theory."""
    return _check(name, theory, measured, f"+- {tolerance:g}", abs(measured - theory) <= tolerance)


def within_percent(name: str, theory: float, measured: float, percent: float) -> Check:
    """The measured value lies within so many percent of theory."""
    close = abs(measured - theory) <= percent / 100.0 * abs(theory)
    return _check(name, theory, measured, f"+- {percent:g} %", close)


def at_most(name: str, measured: float, limit: float, theory: float | str = 0.0) -> Check:
    """An error stays below its limit."""
    return _check(name, theory, measured, f"<= {limit:g}", measured <= limit)


def at_least(name: str, measured: float, limit: float, theory: float | str) -> Check:
    """A number (such as of seeds that pass) reaches its limit."""
    return _check(name, theory, measured, f">= {limit:g}", measured >= limit)


def exactly(name: str, theory: float, measured: float) -> Check:
    """A whole number is the one of theory."""
    return Check(name, theory, measured, "exact", bool(measured == theory))


def likely(name: str, p: float, level: float = 0.01) -> Check:
    """A test of a sample against its distribution does not reject it."""
    return _check(name, f"p > {level:g}", p, f"> {level:g}", p > level)


def has_order(name: str, order: float, errors: Sequence[float]) -> Check:
    """Errors of successive halvings fall with the order of the method, read off the two finest."""
    return within(name, order, convergence_order(errors), ORDER_TOLERANCE)


def convergence_order(errors: Sequence[float]) -> float:
    """Return log2 of the ratio of the last two errors; each belongs to half the step of the one before.

    Errors that do not fall at all give an order of 0 or less.
    """
    coarse, fine = errors[-2:]
    return math.log2(coarse / fine) if coarse > 0.0 and fine > 0.0 else math.nan
