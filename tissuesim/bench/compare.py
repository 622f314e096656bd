"""Ratios of a report beside stored ones: ratios hold between machines and hours, seconds do not."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tissuesim.errors import InputError

LARGEST_FALL = 0.3
"""A ratio may be this share below the stored one; a shared machine alone moves it by half of that."""

RATIOS = ("fraction_of_copy", "ratio")


@dataclass(frozen=True)
class Fall:
    """A ratio that fell too far; ``found`` is None where the report has no such line."""

    key: str
    stored: float
    found: float | None

    def __str__(self) -> str:
        """One sentence."""
        if self.found is None:
            return f"{self.key}: not in this report (stored: {self.stored:.3g})"
        return f"{self.key}: {self.found:.3g} is {1 - self.found / self.stored:.0%} below {self.stored:.3g}"


def ratios(report: Mapping[str, Any]) -> dict[str, float]:
    """All ratios of a report by name: fractions of a copy, and times of others over ours."""
    return {
        f"{row['key']} / {kind.replace('_', ' ')}": row[kind]
        for row in report["rows"]
        for kind in RATIOS
        if kind in row
    }


def best_ratios(reports: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """The best of each ratio over several reports: what the machine can do when nothing disturbs it."""
    best: dict[str, float] = {}
    for report in reports:
        for key, value in ratios(report).items():
            best[key] = max(value, best.get(key, value))
    return best


def falls(stored: Mapping[str, float], found: Mapping[str, float]) -> list[Fall]:
    """The stored ratios that are missing now, or more than 30 % lower."""
    return [
        Fall(key, value, found.get(key))
        for key, value in stored.items()
        if key not in found or found[key] < value * (1.0 - LARGEST_FALL)
    ]


def read_ratios(path: Path) -> dict[str, float]:
    """The ratios stored in a file.

    Raises:
        InputError: the file is missing, or holds no ratios.
    """
    if not path.is_file():
        raise InputError(f"file of ratios '{path}' does not exist")
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        stored = ratios(content) if "rows" in content else content["ratios"]
        return {str(key): float(value) for key, value in stored.items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(
            f"'{path}' is neither a report of benchmarks nor a file of ratios ({error})"
        ) from error


def sections_of(fallen: Sequence[Fall]) -> tuple[str, ...]:
    """The sections of a suite in which something fell, to be measured once more."""
    first = {"signals at r = 10": "signals", "masked stencil": "masked", "one thread": "one_thread"}
    names = [fall.key.split(" / ")[0] for fall in fallen]
    return tuple(dict.fromkeys(first.get(name, name) for name in names))
