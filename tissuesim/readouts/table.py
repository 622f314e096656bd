"""Readouts as a tidy table: one line per day and readout."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from tissuesim.readouts.catalogue import describe, load_catalogue
from tissuesim.readouts.course import Series

HEADER = ("day", "name", "value", "unit")


def write_csv(path: Path | str, days: Series, readouts: Mapping[str, Series]) -> None:
    """Write ``day, name, value, unit`` to a file, one line per row of the totals and readout; no line for NaN.

    Nine digits are kept. The file appears under its name when it is complete.
    """
    known = load_catalogue().readouts
    unfinished = Path(f"{path}.partial")
    with unfinished.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.writer(handle)
        writer.writerow(HEADER)
        for name, values in readouts.items():
            entry = describe(name, known)
            unit = entry.unit if entry else "1"
            writer.writerows(
                (f"{day:.9g}", name, f"{value:.9g}", unit)
                for day, value in zip(days, values, strict=True)
                if np.isfinite(value)
            )
    unfinished.replace(path)
