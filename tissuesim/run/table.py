"""What became of a patient, as a few compact tables for a terminal."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tissuesim.readouts import CATALOGUE, describe
from tissuesim.readouts.clinical_endpoints import AT_VISITS, VISITS
from tissuesim.run.directory import RESETS

if TYPE_CHECKING:
    from rich.console import Console

Row = tuple[str, ...]

ROOM_FOR_TWO, ROWS_OF_ONE = 96, 12
"""Width of a terminal, and number of rows, from which endpoints stand side by side."""

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
            shown = ("-" if value is None else _short(value) for value in values)
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


def print_outcome(endpoints: Mapping[str, float | None], resets: Mapping[str, Any] | None = None) -> None:
    """Print endpoints, side by side where there is room, values at visits, and the reset where there are clones."""
    from rich.console import Console

    console = Console()
    rows = endpoint_rows(endpoints)
    if console.width >= ROOM_FOR_TWO and len(rows) > ROWS_OF_ONE:
        half = (len(rows) + 1) // 2
        pairs = [left + right for left, right in zip(rows[:half], [*rows[half:], ("", "")], strict=False)]
        _print(console, ("endpoint", "value") * 2, pairs)
    else:
        _print(console, ("endpoint", "value"), rows)
    missing = [name for name, value in endpoints.items() if value is None and not VISIT.fullmatch(name)]
    if missing:
        console.print(f"not in this run: {', '.join(missing)}")
    if visits := visit_rows(endpoints):
        _print(console, ("readout", "unit", *(f"day {day:g}" for day in VISITS)), visits)
    if resets is not None:
        header = ("autoreactive B cells in", "last on day", "left", "killing integral below 19")
        _print(console, header, reset_rows(resets))


def read_resets(folder: Path) -> dict[str, Any] | None:
    """The content of ``resets.json`` in a run folder, None where there is none."""
    file = folder / RESETS
    return dict(json.loads(file.read_text(encoding="utf-8"))) if file.is_file() else None


def _print(console: Console, header: Sequence[str], rows: Sequence[Row]) -> None:
    from rich.table import Table

    table = Table(*header)
    for row in rows:
        table.add_row(*row)
    console.print(table)


def _short(value: float) -> str:
    return f"{value:.0f}" if abs(value) >= 1000.0 else f"{value:.3g}"
