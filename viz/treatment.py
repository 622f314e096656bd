"""Treatments of a run, and how they are marked on an axis of days."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tissuesim.errors import InputError
from tissuesim.run.reader import FIRST_DAY

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

    from tissuesim.run import Run

INFUSION = "CAR T infusion"
TIMELINE = "timeline.json"
COLORS = ("#8A8F98", "#2B2F36", "#B9A44C", "#A7B8A8", "#8C6D46", "#C9B8C4")  # muted, which no curve is


@dataclass(frozen=True)
class Treatment:
    """Something that was done: its name, first day and, unless it is a single event, last day.

    ``kind`` is that of the time line: ``infusion``, ``lymphodepletion``, ``antibody``, ``drug``, ``washout``, ...
    """

    name: str
    start: float
    end: float | None
    kind: str = ""


def treatments(run: Run) -> list[Treatment]:
    """Return what was done in ``run``, in order of time: from its time line, in older runs from its scenario."""
    file = run.path / TIMELINE
    if file.is_file():
        try:
            done = [_from_timeline(row) for row in json.loads(file.read_text(encoding="utf-8"))]
        except (json.JSONDecodeError, KeyError, TypeError) as error:
            raise InputError(f"'{file}' is damaged: {error!r}") from None
    else:
        done = [_treatment(entry) for entry in run.scenario.get("treatment") or []]
    return sorted(done, key=lambda treatment: treatment.start)


def _from_timeline(row: dict[str, Any]) -> Treatment:
    start, end = float(row["start"]), float(row["end"])
    return Treatment(str(row["label"]), start, None if end == start else end, str(row["kind"]))


def _treatment(entry: dict[str, Any]) -> Treatment:
    kind = str(entry["type"])
    name = {"car_t": INFUSION, "drug": str(entry.get("name", "drug"))}.get(kind, kind)
    start = next(entry[key] for key in FIRST_DAY if key in entry)
    end = next((entry[key] for key in ("end", "off") if key in entry), None)
    return Treatment(
        name.replace("_", " "),
        float(start),
        None if end is None else float(end),
        "infusion" if kind == "car_t" else kind,
    )


def is_infused(done: Sequence[Treatment]) -> bool:
    """Return whether CAR T cells were given."""
    return any(treatment.kind == "infusion" for treatment in done)


def day_label(done: Sequence[Treatment]) -> str:
    """Return what an axis of days counts from."""
    return "days since infusion" if is_infused(done) else "day"


def mark_treatments(
    ax: Axes, done: Sequence[Treatment], span: tuple[float, float] | None = None
) -> list[Artist]:
    """Draw a line for each event and a band for each course on ``ax``; return one of each name.

    What lies outside ``span`` (first and last day) is left out.
    """
    marks: dict[str, Artist] = {}
    seen = [
        one for one in done if span is None or (one.start <= span[1] and (one.end or one.start) >= span[0])
    ]
    names = list(dict.fromkeys(treatment.name for treatment in seen))
    for treatment in seen:
        color = COLORS[names.index(treatment.name) % len(COLORS)]
        if treatment.end is None:
            mark: Artist = ax.axvline(
                treatment.start, color=color, linewidth=1.4, zorder=1, label=treatment.name
            )
        else:
            mark = ax.axvspan(
                treatment.start,
                treatment.end,
                color=color,
                alpha=0.12 if treatment.kind == "washout" else 0.25,
                linewidth=0,
                zorder=0,
                label=treatment.name,
            )
        marks.setdefault(treatment.name, mark)
    return list(marks.values())
