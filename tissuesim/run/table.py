"""What became of a patient, as a few compact tables for a terminal."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tissuesim.readouts import CATALOGUE, describe
from tissuesim.readouts.clinical_endpoints import AT_VISITS, VISITS

if TYPE_CHECKING:
    from tissuesim.run.reader import Run

Row = tuple[str, ...]

VISIT = re.compile(rf"({'|'.join(AT_VISITS)})_day(\d+)")


def endpoint_rows(endpoints: Mapping[str, float | None]) -> list[Row]:
    """(name, value) of the endpoints that have happened and are no value at a visit."""
    return [
        (name, f"{value:.4g}")
        for name, value in endpoints.items()
        if value is not None and not VISIT.fullmatch(name)
    ]


def visit_rows(endpoints: Mapping[str, float | None]) -> list[Row]:
    """(readout, unit, value per visit) of the readouts that are followed over visits."""
    rows: list[Row] = []
    for name in AT_VISITS:
        values = [endpoints.get(f"{name}_day{day:g}") for day in VISITS]
        entry = describe(name, CATALOGUE)
        if entry is not None and any(value is not None for value in values):
            unit = "" if entry.unit == "1" else entry.unit
            shown = ("-" if value is None else f"{value:.3g}" for value in values)
            rows.append((entry.label, unit, *shown))
    return rows


def reset_rows(resets: Mapping[str, Any]) -> list[Row]:
    """(compartment, day of the last autoreactive cell, cells left, share of tissue with too little killing)."""
    killing = resets.get("killing_integral", {})
    rows: list[Row] = []
    for name, fate in [*resets["compartments"].items(), ("body", resets["body"])]:
        share = killing.get(name, {}).get("share_below")
        rows.append(
            (
                name.replace("_", " "),
                "-" if fate["last_day"] is None else f"{fate['last_day']:.2f}",
                f"{fate['cells_left']:,}",
                "" if share is None else f"{share:.1%}",
            )
        )
    return rows


def print_run(run: Run) -> None:
    """Print endpoints side by side, values at visits, and the reset."""
    endpoints = run.endpoints
    rows = endpoint_rows(endpoints)
    half = (len(rows) + 1) // 2
    pairs = [left + right for left, right in zip(rows[:half], [*rows[half:], ("", "")], strict=False)]
    _print(("endpoint", "value", "endpoint", "value"), pairs)
    missing = sum(value is None for name, value in endpoints.items() if not VISIT.fullmatch(name))
    if missing:
        print(f"{missing} more did not happen in this run (endpoints.json).")
    if visits := visit_rows(endpoints):
        _print(("readout", "unit", *(f"day {day:g}" for day in VISITS)), visits)
    if (resets := run.resets) is not None:
        header = ("autoreactive B cells in", "last on day", "left", "volume with killing integral below 19")
        _print(header, reset_rows(resets))


def _print(header: Sequence[str], rows: Sequence[Row]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(*header)
    for row in rows:
        table.add_row(*row)
    Console().print(table)
