"""The schedule of a patient as spans of days: what a plot draws above the curves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tissuesim.treatment.course import staircase

if TYPE_CHECKING:
    from tissuesim.config.schema import RunConfig
    from tissuesim.config.treatment import Antibody, CarTCells, Drug, Lymphodepletion


def timeline(config: RunConfig) -> list[dict[str, Any]]:
    """Return ``{label, kind, start, end}`` in days for everything that is done, in order of time.

    Kinds: ``leukapheresis``, ``manufacturing``, ``lymphodepletion``, ``infusion``, ``antibody``, ``drug`` (while it is
    given) and ``washout`` (its effect after that).
    """
    rows: list[dict[str, Any]] = []
    for item in config.treatment:
        rows += _rows(item)
    return sorted(rows, key=lambda row: (row["start"], row["end"], row["label"]))


def _rows(item: CarTCells | Lymphodepletion | Antibody | Drug) -> list[dict[str, Any]]:
    if item.type == "car_t":
        rows = [_row(item.label or item.product, "infusion", item.day, item.day)]
        collected = item.leukapheresis
        if collected is not None:
            made = item.day if item.process_time is None else collected + item.process_time
            rows.append(_row(f"leukapheresis for {item.product}", "leukapheresis", collected, collected))
            rows.append(_row(f"manufacturing of {item.product}", "manufacturing", collected, made))
        return rows
    if item.type == "lymphodepletion":
        return [_row(item.label or "lymphodepletion", "lymphodepletion", item.first_day, item.last_day)]
    if item.type == "antibody":
        return [_row(item.label or item.name, "antibody", day, day) for day in item.days]
    label = item.label or item.name
    rows = [_row(label, "drug", item.on, item.off)]
    last = staircase([item])[-1][0]
    if last > item.off:
        rows.append(_row(f"{label}, washout", "washout", item.off, last))
    return rows


def _row(label: str, kind: str, start: float, end: float) -> dict[str, Any]:
    return {"label": label, "kind": kind, "start": start, "end": end}
