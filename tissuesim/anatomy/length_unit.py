"""The length unit of a file: as told, or guessed from the size and said aloud."""

from __future__ import annotations

from pathlib import Path

from tissuesim.errors import InputError, nearest

UNITS = {"m": 1000.0, "cm": 10.0, "mm": 1.0, "um": 1e-3}
_METRES_BELOW, _MILLIMETRES_ABOVE = 3.0, 30.0


def scale_to_mm(path: Path, longest: float, units: str | None) -> tuple[float, str]:
    """Return the factor to mm of a shape with this longest side, and a sentence that says what was assumed.

    InputError if ``units`` is not one of 'm', 'cm', 'mm', 'um', or if it is None and the size leaves it open.
    """
    if units is not None:
        if units not in UNITS:
            raise InputError(
                f"units '{units}' of '{path}': allowed are {', '.join(UNITS)}{nearest(units, UNITS)}"
            )
        return UNITS[units], f"{units} as told: longest side {longest * UNITS[units]:.4g} mm"
    if longest == 0:
        raise InputError(f"'{path}' encloses no volume: all its points coincide")
    if longest < _METRES_BELOW:
        return 1000.0, f"m, guessed from a longest side of {longest:.4g}: scaled to {longest * 1000:.4g} mm"
    if longest > _MILLIMETRES_ABOVE:
        return 1.0, f"mm, guessed from a longest side of {longest:.4g}: kept at {longest:.4g} mm"
    raise InputError(
        f"'{path}' has a longest side of {longest:.4g}, which could be cm, mm or m; "
        f"say which with `units` ({', '.join(UNITS)})"
    )
