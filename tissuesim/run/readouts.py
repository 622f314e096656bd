"""Clinical readouts written into a run folder: a tidy table and a group of the totals."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tissuesim.readouts import CATALOGUE, CONSTANTS, Readout, describe, write_csv
from tissuesim.run.directory import TOTALS
from tissuesim.run.layout import TIME, add_values, consolidate, create_store

CSV = "readouts.csv"
GROUP = "readouts"


def attributes(name: str) -> dict[str, Any]:
    """Unit, label, range, limits, source and grade of a readout, as attributes of its array."""
    entry = describe(name, CATALOGUE)
    if entry is None:
        return {"units": "1", "long_name": name}
    limits = {f"limit_{key}": value for key, value in entry.limits.items()}
    return {
        "units": entry.unit,
        "long_name": entry.label,
        **limits,
        "source": entry.source,
        "grade": entry.grade,
    }


def document() -> str:
    """The catalogue as two Markdown tables, as docs/readouts.md shows them."""

    def limits(entry: Readout) -> str:
        return ", ".join(f"{key} {value:g}" for key, value in entry.limits.items())

    lines = ["| readout | what | unit | range | limits | source | grade |", "|---|---|---|---|---|---|---|"]
    for entry in CATALOGUE.values():
        low, high = ("" if bound is None else f"{bound:g}" for bound in entry.range)
        lines.append(
            f"| `{entry.name}` | {entry.label} | {entry.unit} | {low}-{high} | {limits(entry)} | {entry.source} "
            f"| {entry.grade} |"
        )
    lines += [
        "",
        "| constant | what | value | unit | range | source | grade |",
        "|---|---|---|---|---|---|---|",
    ]
    for constant in CONSTANTS.values():
        low, high = (f"{bound:g}" for bound in constant.range)
        lines.append(
            f"| `{constant.name}` | {constant.label} | {constant.value:g} | {constant.unit} | {low}-{high} "
            f"| {constant.source} | {constant.grade} |"
        )
    return "\n".join(lines)


def write_readouts(run: Path, days: NDArray[np.float64], series: Mapping[str, NDArray[np.float64]]) -> Path:
    """Write ``readouts.csv`` and the group ``readouts`` of ``totals.zarr`` in a run folder; returns the table.

    The group has the rows of the whole run, NaN where it has not come yet. What was there of an earlier time is
    replaced.
    """
    import zarr

    write_csv(run / CSV, days, series)
    totals = run / TOTALS
    if totals.is_dir():
        root: Any = zarr.open_group(totals, mode="r")
        time = np.asarray(root["time"][...])

        def fill(root: Any) -> None:
            add_values(root, "time", ("time",), time, TIME)
            for name, values in series.items():
                later = np.full(time.size - days.size, np.nan)
                add_values(root, name, ("time",), np.concatenate([values, later]), attributes(name))

        shutil.rmtree(totals / GROUP, ignore_errors=True)
        create_store(totals / GROUP, fill)
        consolidate(totals)
    return run / CSV
