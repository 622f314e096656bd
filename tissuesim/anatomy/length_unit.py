"""The length unit of a file: as told, or guessed from the size and said aloud."""

from __future__ import annotations

from pathlib import Path

from tissuesim.errors import InputError, nearest

UNITS = {"m": 1000.0, "cm": 10.0, "mm": 1.0, "um": 1e-3}
_METRES_BELOW, _MILLIMETRES_ABOVE = 3.0, 30.0
_SMALLEST, _LARGEST = 1e-2, 1e4  # mm: 10 um to 10 m


def scale_to_mm(path: Path, longest: float, units: str | None) -> tuple[float, str]:
    """Return the factor to mm of a shape with this longest side, and a sentence that says what was assumed.

    InputError if ``units`` is not one of 'm', 'cm', 'mm', 'um', or if it is None and the size leaves it open.
    """
    if units is not None and units not in UNITS:
        raise InputError(
            f"units '{units}' of '{path}': allowed are {', '.join(UNITS)}{nearest(units, UNITS)}"
        )
    if longest == 0:
        raise InputError(f"'{path}' encloses no volume: all its points coincide")
    unit = units or _guess(path, longest)
    length = longest * UNITS[unit]
    if not _SMALLEST <= length <= _LARGEST:
        raise InputError(
            f"'{path}' has a longest side of {length:.4g} mm, which is no tissue (10 um to 10 m); "
            "it has a stray point, or `units` are wrong"
        )
    if units is not None:
        return UNITS[unit], f"{unit} as told: longest side {length:.4g} mm"
    verb = "kept at" if unit == "mm" else "scaled to"
    return UNITS[unit], f"{unit}, guessed from a longest side of {longest:.4g}: {verb} {length:.4g} mm"


def _guess(path: Path, longest: float) -> str:
    if longest < _METRES_BELOW:
        return "m"
    if longest > _MILLIMETRES_ABOVE:
        return "mm"
    raise InputError(
        f"'{path}' has a longest side of {longest:.4g}, which could be cm, mm or m; "
        f"say which with `units` ({', '.join(UNITS)})"
    )
